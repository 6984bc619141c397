//! What is taken from outside, at most. Each is refused before anything is allocated for it.

use std::time::Duration;

/// Bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Questions of one batch.
pub const BATCH_QUERIES_MAX: usize = 64;
/// Letters of the name of a question in a batch.
pub const BATCH_ID_CHARS_MAX: usize = 64;
/// Rows of one answer over HTTP. An answer that has more says so in `truncated`.
pub const ANSWER_ROWS_MAX: usize = 100_000;
/// Groups that a question may form.
pub const GROUPS_MAX: usize = 1_000_000;
/// Bytes that all questions together may take at once while they are answered, and each of them.
pub const QUESTIONS_BYTES_MAX: u64 = 2 << 30;
/// Questions that are under way at the same time: they share the processors in turns, and what
/// each may take of the memory is its own.
pub const QUESTIONS_MAX: usize = 64;
/// Requests that wait for their turn while others run.
pub const WAITING_MAX: usize = 256;
/// How long a question waits for memory before it is refused.
pub const MEMORY_WAIT_MAX: Duration = Duration::from_secs(5);
/// Bytes of answers that are kept if the server is not told otherwise.
pub const CACHE_BYTES: usize = 64 << 20;
/// Classes of a map.
pub const CLASSES_MAX: usize = 9;
/// How long a body may take between two pieces.
pub const BODY_PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long a request may run if the server is not told otherwise.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How long requests that are under way may still take when the server is asked to stop.
pub const STOPPING_MAX: Duration = Duration::from_secs(10);

/// The largest body that brings a photo, a paper or a recording: the largest attachment and a
/// little more, so that one just too large is told so by its size.
pub const ATTACHMENT_BODY_MAX: usize = 21 * 1024 * 1024;
