//! Sign-ins that were begun and are not over.
//!
//! Invariants: bounded in number and age; each is taken once, by the browser that began it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use openidconnect::{Nonce, PkceCodeVerifier};
use parking_lot::Mutex;

use super::OidcError;
use crate::clock;

/// Sign-ins under way at the same time.
const PENDING_MAX: usize = 4_096;
/// How long one may take.
const PENDING_LASTS: Duration = Duration::from_secs(600);

/// A sign-in under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
    pub(super) binding: String,
    pub(super) redirect: String,
    pub(super) next: String,
    pub(super) begun: Instant,
}

/// All of them, by their state.
#[derive(Debug, Default)]
pub(super) struct PendingList(Mutex<BTreeMap<String, Pending>>);

impl PendingList {
    pub(super) fn add(&self, state: String, pending: Pending) -> Result<(), OidcError> {
        let now = clock::now();
        let mut all = self.0.lock();
        all.retain(|_, one| now.duration_since(one.begun) < PENDING_LASTS);
        if all.len() >= PENDING_MAX {
            return Err(OidcError::Busy);
        }
        all.insert(state, pending);
        Ok(())
    }

    /// Takes the sign-in of a state, if this browser began it. One that another browser asks for
    /// stays: whoever saw an address cannot end it for the other.
    pub(super) fn take(&self, state: &str, binding: &str) -> Result<Pending, OidcError> {
        let mut all = self.0.lock();
        let found = all.get(state).ok_or(OidcError::State)?;
        if binding.is_empty() || found.binding != binding {
            return Err(OidcError::State);
        }
        let taken = all.remove(state).ok_or(OidcError::State)?;
        if clock::now().duration_since(taken.begun) >= PENDING_LASTS {
            return Err(OidcError::State);
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(begun: Instant) -> Pending {
        Pending {
            nonce: Nonce::new("nonce".to_owned()),
            verifier: PkceCodeVerifier::new("verifier".to_owned()),
            binding: "browser".to_owned(),
            redirect: String::new(),
            next: "/public".to_owned(),
            begun,
        }
    }

    #[test]
    fn a_sign_in_is_taken_once_by_its_browser() {
        let list = PendingList::default();
        assert!(list.add("a".to_owned(), pending(clock::now())).is_ok());
        for (state, binding) in [("b", "browser"), ("a", "other"), ("a", "")] {
            assert!(
                matches!(list.take(state, binding), Err(OidcError::State)),
                "{state} {binding}"
            );
        }
        assert!(list.take("a", "browser").is_ok_and(|taken| taken.next == "/public"));
        assert!(matches!(list.take("a", "browser"), Err(OidcError::State)), "once");
    }

    #[test]
    fn too_old_and_too_many_are_refused() {
        let list = PendingList::default();
        let Some(long_ago) = clock::now().checked_sub(PENDING_LASTS) else { return };
        assert!(list.add("old".to_owned(), pending(long_ago)).is_ok());
        assert!(matches!(list.take("old", "browser"), Err(OidcError::State)));
        for number in 0..PENDING_MAX {
            assert!(list.add(number.to_string(), pending(clock::now())).is_ok());
        }
        let one_more = list.add("more".to_owned(), pending(clock::now()));
        assert!(matches!(one_more, Err(OidcError::Busy)));
    }
}
