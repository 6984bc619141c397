//! `yiku serve`: HTTP and the page.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use yiku::Database;

use super::out;
use super::progress::line;
use crate::error::Error;
use crate::serve::{Listening, listen};
use crate::state::Settings;

const EXAMPLE: &str = "\
Example:
  yiku serve --db /tmp/registry --listen 127.0.0.1:8080

Prints its address once it listens; port 0 takes a free one. There is no sign-in yet: it listens on
this machine only unless told otherwise. Ctrl-C lets requests under way finish.";

/// Serve the page and the HTTP interface
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Serve {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value_t = LISTEN)]
    listen: SocketAddr,
}

/// This machine only.
pub(super) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

impl Serve {
    pub(super) fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.db).map_err(|source| Error::Engine { source })?;
        serve(database, self.listen)
    }
}

/// Serves a database until it is asked to stop.
pub(super) fn serve(database: Database, address: SocketAddr) -> Result<(), Error> {
    if !address.ip().is_loopback() {
        line("warning: others can reach this address, and there is no sign-in (docs/security.md)");
    }
    let told =
        |listening: &Listening| out::text(&format!("listening on http://{}\n", listening.address));
    listen(database, address, Settings::default(), told)
}
