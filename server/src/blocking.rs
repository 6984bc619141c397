//! The one door to threads that may block: everything that reads a database goes through it.
//!
//! Invariants: no more work runs at a time than was agreed, no more waits than was agreed, the
//! rest is refused at once. Whoever no longer waits for an answer (the deadline passed, the
//! connection closed) sets the flag that the work looks at, and the work gives up its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;

/// Why work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Too many wait already.
    Busy,
    /// It was not done in time.
    Late,
    /// It ended without an answer, by a fault of the program.
    Broken,
}

/// The flag that asks a piece of work to stop.
pub(crate) type Stop = Arc<AtomicBool>;

/// A bounded number of places for work, and of places to wait for one.
#[derive(Debug)]
pub(crate) struct Door {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// Counts one who waits, for as long as they do.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Asks the work to stop once nobody waits for it.
struct StopWhenLeft(Stop);

impl Drop for StopWhenLeft {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Door {
    /// A door to so many places, before which so many may wait.
    pub(crate) fn new(places: usize, waiting_max: usize) -> Self {
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Self { places, waiting: AtomicUsize::new(0), waiting_max }
    }

    /// How many wait for a place.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many places are free.
    pub(crate) fn free(&self) -> usize {
        self.places.available_permits()
    }

    /// Does work on a thread that may block, and waits for it no longer than `deadline`, the
    /// waiting for a place included.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl FnOnce(Stop) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let left = StopWhenLeft(Stop::default());
        let stop = Arc::clone(&left.0);
        let done = async {
            let place = self.place().await?;
            aside(move || {
                let done = work(stop);
                drop(place);
                done
            })
            .await
        };
        tokio::time::timeout(deadline, done).await.unwrap_or(Err(Refused::Late))
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            return Err(Refused::Busy);
        }
        let place = Arc::clone(&self.places).acquire_owned().await;
        drop(waiting);
        place.map_err(|_| Refused::Broken)
    }
}

/// Does a small piece of work beside the door: the state of the server must be known most of all
/// when it is busy.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    task::spawn_blocking(work).await.map_err(|_| Refused::Broken)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn the_one_too_many_is_refused_at_once() {
        let door = Door::new(1, 0);
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let first = door.run(SOON, move |_| {
            let _ = begun.send(());
            let _ = released.recv();
            1
        });
        let second = async {
            let _ = aside(move || has_begun.recv()).await;
            let refused = door.run(SOON, |_| 2).await;
            let _ = release.send(());
            refused
        };
        assert_eq!(tokio::join!(first, second), (Ok(1), Err(Refused::Busy)));
        assert_eq!(door.run(SOON, |_| 3).await, Ok(3));
        assert_eq!((door.waiting(), door.free()), (0, 1));
    }

    #[tokio::test]
    async fn work_that_is_late_is_told_to_stop() {
        let door = Door::new(1, 1);
        let (told, was_told) = mpsc::channel();
        let late = door.run(Duration::from_millis(20), move |stop| {
            while !stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            let _ = told.send(());
        });
        assert_eq!(late.await, Err(Refused::Late));
        assert_eq!(aside(move || was_told.recv()).await, Ok(Ok(())));
        assert_eq!(door.run(SOON, |_| 1).await, Ok(1), "the place was given back");
    }

    #[tokio::test]
    async fn work_that_breaks_gives_its_place_back() {
        let door = Door::new(1, 0);
        let broken = door.run(SOON, |_| std::panic::resume_unwind(Box::new(()))).await;
        assert_eq!(broken, Err::<(), _>(Refused::Broken));
        assert_eq!(door.run(SOON, |_| 1).await, Ok(1));
    }
}
