//! Listening: from a socket to the router, until somebody asks to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime;
use yiku::Database;

use crate::cases::worker;
use crate::compactor;
use crate::error::Error;
use crate::http::router;
use crate::limits::STOPPING_MAX;
use crate::platform::Platform;
use crate::state::{ServerState, Settings};

/// A server that listens.
#[derive(Debug)]
pub(crate) struct Listening {
    /// Where it is reached: with the port that it was given where it asked for any.
    pub(crate) address: SocketAddr,
}

/// Serves a database on an address, with the side where people work or without, until the process
/// is interrupted or terminated. `told` is called once it listens.
pub(crate) fn listen(
    database: Database,
    address: SocketAddr,
    settings: Settings,
    platform: Option<Platform>,
    told: impl FnOnce(&Listening) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |action| move |source| Error::Serve { action, source };
    let settings = Settings { loopback: address.ip().is_loopback(), ..settings };
    let state = ServerState::with_platform(database, settings, platform)?;
    let threads = (worker::start(&state), compactor::start(&state));
    let runtime = runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(failed("start the server's threads"))?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| Error::Listen { address, source })?;
        let address = listener.local_addr().map_err(failed("read the address"))?;
        let stop = stopped().map_err(failed("wait for signals"))?;
        told(&Listening { address })?;
        serve_until(listener, state, stop).await.map_err(failed("serve"))
    });
    // A question that does not stop in time is left behind: it only reads.
    runtime.shutdown_timeout(STOPPING_MAX);
    drop(threads);
    served
}

/// Serves until `stop`; what is under way then has [`STOPPING_MAX`] to finish.
async fn serve_until(
    listener: TcpListener,
    state: ServerState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, is_stopping) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        stop.await;
        let _ = stopping.send(());
    };
    let router = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
    let too_long = async {
        let _ = is_stopping.await;
        tokio::time::sleep(STOPPING_MAX).await;
    };
    tokio::select! {
        served = serving => served,
        () = too_long => Ok(()),
    }
}

/// Waits for the first signal that asks the process to stop.
#[cfg(unix)]
fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits for the first signal that asks the process to stop.
#[cfg(not(unix))]
fn stopped() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
