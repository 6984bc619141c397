//! A thread that looks again and again until the server ends.
//!
//! Invariant: every wait ends when the server does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Background {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts a thread that looks, waits for as long as the look says, and looks again. What it
    /// looks with says when the server ends.
    pub(crate) fn start(mut look: impl FnMut(&AtomicBool) -> Duration + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let pause = look(&stopped);
                wait(pause, &stopped);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sleeps, but no longer than the server runs.
fn wait(time: Duration, stopped: &AtomicBool) {
    let step = Duration::from_millis(50);
    let mut left = time;
    while !left.is_zero() && !stopped.load(Ordering::Relaxed) {
        let now = left.min(step);
        thread::sleep(now);
        left = left.saturating_sub(now);
    }
}
