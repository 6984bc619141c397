//! Waiting for the right to write: somebody else is often about to give it back.

use std::thread;
use std::time::Duration;

use clap::Args;

use crate::clock;
use crate::error::Error;

/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a command waits where another process writes.
#[derive(Debug, Args)]
pub(super) struct Wait {
    /// Seconds to wait while another process writes; 0 does not wait
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    wait: u64,
}

impl Wait {
    /// Does what needs the right to write; again as long as another process has it and the time
    /// is not over.
    pub(super) fn retry<T>(&self, work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        retry(Duration::from_secs(self.wait), work)
    }
}

fn retry<T>(most: Duration, mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let begun = clock::now();
    loop {
        match work() {
            Err(error) if is_locked(&error) && begun.elapsed() < most => thread::sleep(PAUSE),
            done => return done,
        }
    }
}

/// Whether something was refused because another process writes.
fn is_locked(error: &Error) -> bool {
    match error {
        Error::Engine { source } => matches!(source, yiku::Error::Locked { .. }),
        Error::Load { source } => {
            matches!(&**source, yiku_indexer::Error::Engine(yiku::Error::Locked { .. }))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked() -> Error {
        Error::Engine { source: yiku::Error::Locked { path: "db".into() } }
    }

    #[test]
    fn only_a_lock_is_waited_for() {
        let mut asked = 0;
        let done = retry(Duration::from_secs(60), || {
            asked += 1;
            if asked < 3 { Err(locked()) } else { Ok(asked) }
        });
        assert!(matches!(done, Ok(3)), "{done:?}");
        let refused = retry::<()>(Duration::ZERO, || Err(locked()));
        assert!(refused.is_err_and(|error| is_locked(&error)));
        let mut asked = 0;
        let failed = retry::<()>(Duration::from_secs(60), || {
            asked += 1;
            Err(Error::Closed)
        });
        assert!(matches!((failed, asked), (Err(Error::Closed), 1)));
        let source =
            Box::new(yiku_indexer::Error::Engine(yiku::Error::Locked { path: "db".into() }));
        assert!(is_locked(&Error::Load { source }));
    }
}
