//! What the system says of the process itself.
#![expect(clippy::disallowed_methods, reason = "it reads what the system says")]

/// Bytes of memory that the process has to itself: without the pages of files that it maps, which
/// the system takes back when it likes.
///
/// # Panics
/// When the system does not say.
#[must_use]
pub fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut words = text.lines().filter_map(|line| line.strip_prefix("RssAnon:"));
    let kib = words.next().and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap() * 1_024
}
