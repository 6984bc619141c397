//! Bits that were read once and are kept the way they are joined, a bit a row.
//!
//! A segment keeps rows of a block as lists, steps and runs, because they are light; a question
//! wants words. What was made into words once is kept beside the file, up to a number of bytes
//! for the whole process, and given back with the file.
//!
//! Invariants: what is kept is what the bytes of the file say, which do not change; no answer
//! depends on whether it was kept; the bytes of all that is kept are never more than the limit
//! was when they were made.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the process keeps until somebody says otherwise: 512 MiB.
pub const LIMIT_BYTES: u64 = 512 << 20;

static LIMIT: AtomicU64 = AtomicU64::new(LIMIT_BYTES);
static USED: AtomicU64 = AtomicU64::new(0);

/// From here on nothing more is kept in this process than so many bytes; what is kept already
/// stays until its file is closed. 0 keeps nothing: every question reads the lists again.
pub fn limit(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// How many bytes are kept.
#[must_use]
pub fn used() -> u64 {
    USED.load(Ordering::Relaxed)
}

/// Takes bytes from what may be kept; false where there are not so many.
fn take(bytes: u64) -> bool {
    let most = LIMIT.load(Ordering::Relaxed);
    let more = |used: u64| used.checked_add(bytes).filter(|used| *used <= most);
    USED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

/// Lists of words of one frame.
#[derive(Debug)]
pub(crate) struct Unfolded<T>(Vec<OnceLock<Box<[T]>>>);

impl<T> Unfolded<T> {
    /// Room for so many lists.
    pub(crate) fn new(lists: usize) -> Self {
        Self((0..lists).map(|_| OnceLock::new()).collect())
    }

    /// A list, if it is kept.
    pub(crate) fn get(&self, list: usize) -> Option<&[T]> {
        self.0.get(list)?.get().map(AsRef::as_ref)
    }

    /// A list of so many, made now if it is not kept and may be; none where it may not, or cannot
    /// be made.
    pub(crate) fn get_or(
        &self,
        list: usize,
        len: usize,
        make: impl FnOnce() -> Option<Box<[T]>>,
    ) -> Option<&[T]> {
        let cell = self.0.get(list)?;
        if let Some(found) = cell.get() {
            return Some(found);
        }
        // Nothing is made that could not be kept.
        let bytes = len as u64 * size_of::<T>() as u64;
        if !take(bytes) {
            return None;
        }
        let made = make().filter(|made| made.len() == len);
        if made.is_none_or(|made| cell.set(made).is_err()) {
            // It cannot be made, or another thread was first.
            USED.fetch_sub(bytes, Ordering::Relaxed);
        }
        cell.get().map(AsRef::as_ref)
    }
}

impl<T> Drop for Unfolded<T> {
    fn drop(&mut self) {
        let lists = self.0.iter().filter_map(OnceLock::get);
        let bytes: u64 = lists.map(|list| size_of_val::<[T]>(list) as u64).sum();
        USED.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_counts_until_it_is_dropped() {
        let before = used();
        let lists = Unfolded::<u64>::new(2);
        assert_eq!(lists.get(0), None);
        let made = lists.get_or(0, 3, || Some(vec![7, 8, 9].into()));
        assert_eq!(made, Some([7, 8, 9].as_slice()));
        let kept = lists.get_or(0, 1, || Some(vec![1].into()));
        assert_eq!(kept, Some([7, 8, 9].as_slice()), "made once");
        assert_eq!(lists.get_or(1, 1, || None), None);
        assert_eq!(lists.get_or(1, 2, || Some(vec![1].into())), None, "of another length");
        assert_eq!(lists.get_or(2, 1, || Some(vec![1].into())), None, "there are two lists");
        // Other tests of this process keep lists too, of whole blocks.
        assert!(used() >= 24, "{before} before");
        drop(lists);
        let huge = Unfolded::<u8>::new(1);
        assert!(!take(LIMIT_BYTES + 1), "more than may be kept");
        assert_eq!(huge.get(0), None);
    }
}
