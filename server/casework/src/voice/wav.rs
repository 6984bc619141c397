//! Reads recordings: WAV, PCM of 16 bits, one channel.
//!
//! Invariants: every length is checked against what is there before it is used; no more than
//! [`SECONDS_MAX`] of sound is ever held; no panic, whatever the bytes.
//!
//! ```text
//! "RIFF" size:4 "WAVE" | "fmt " size:4 format:2 channels:2 rate:4 bytes/s:4 align:2 bits:2 …
//!                      | "data" size:4 samples:2 each, little end first …
//! ```

/// The longest recording.
pub const SECONDS_MAX: u32 = 30;
const RATE_MIN: u32 = 8_000;
const RATE_MAX: u32 = 48_000;
/// More pieces than any recorder writes.
const CHUNKS_MAX: usize = 64;
const PCM: u16 = 1;
/// The format is told further in, as recorders do that could write more than two channels.
const EXTENSIBLE: u16 = 0xFFFE;

/// Sound: its rate and its values between -1 and 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Values a second.
    pub rate: u32,
    /// The values.
    pub values: Vec<f32>,
}

/// Why bytes are not a recording that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// It is something else.
    #[error("the recording is not a WAV file")]
    NotWav,
    /// It ends early, or a length in it is wrong.
    #[error("the recording is cut off or damaged: {what}")]
    Damaged {
        /// Where.
        what: &'static str,
    },
    /// It is a WAV file of another kind.
    #[error("the recording has {what} {found}; it must have {expected}")]
    Kind {
        /// Of what.
        what: &'static str,
        /// What was found.
        found: u32,
        /// What is taken.
        expected: &'static str,
    },
    /// It is too long.
    #[error("the recording lasts {seconds} seconds; the limit is {SECONDS_MAX}")]
    Long {
        /// Its whole seconds, rounded up.
        seconds: u32,
    },
}

impl Samples {
    /// How long it lasts.
    #[must_use]
    pub fn seconds(&self) -> f32 {
        self.values.len() as f32 / self.rate.max(1) as f32
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// When it is not WAV, is damaged, of another kind, or longer than 30 seconds.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, WavError> {
        if bytes.get(..4) != Some(b"RIFF".as_slice()) || bytes.get(8..12) != Some(b"WAVE") {
            return Err(WavError::NotWav);
        }
        let mut rest = bytes.get(12..).unwrap_or_default();
        let mut rate = None;
        for _ in 0..CHUNKS_MAX {
            let Some((name, size, after)) = head(rest) else { break };
            let content = after.get(..size);
            match (name, rate) {
                (b"fmt ", None) => {
                    let content = content.ok_or(WavError::Damaged { what: "its format" })?;
                    rate = Some(rate_of(content)?);
                }
                (b"fmt ", Some(_)) => return Err(WavError::Damaged { what: "two formats" }),
                (b"data", Some(rate)) => {
                    let content = content.ok_or(WavError::Damaged { what: "its sound" })?;
                    return sound(rate, content);
                }
                (b"data", None) => return Err(WavError::Damaged { what: "no format" }),
                _ => {}
            }
            // A piece of odd length is followed by a byte of padding.
            rest = after.get(size.saturating_add(size % 2)..).unwrap_or_default();
        }
        Err(WavError::Damaged { what: "no sound" })
    }
}

/// The name, size and what follows of a piece.
fn head(bytes: &[u8]) -> Option<(&[u8; 4], usize, &[u8])> {
    let (name, rest) = bytes.split_first_chunk::<4>()?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    Some((name, usize::try_from(u32::from_le_bytes(*size)).ok()?, rest))
}

fn rate_of(format: &[u8]) -> Result<u32, WavError> {
    let half = |at: usize| {
        let bytes = format.get(at..).and_then(|rest| rest.first_chunk::<2>());
        bytes.map(|bytes| u16::from_le_bytes(*bytes))
    };
    let short = WavError::Damaged { what: "its format" };
    let rate = format.get(4..).and_then(|rest| rest.first_chunk::<4>());
    let rate = rate.map(|bytes| u32::from_le_bytes(*bytes)).ok_or(short.clone())?;
    let kind = match half(0).ok_or(short.clone())? {
        EXTENSIBLE => half(24).ok_or(short.clone())?,
        kind => kind,
    };
    let channels = half(2).ok_or(short.clone())?;
    let bits = half(14).ok_or(short)?;
    let other = |what, found: u32, expected| Err(WavError::Kind { what, found, expected });
    if kind != PCM {
        return other("format", u32::from(kind), "format 1 (PCM)");
    }
    if channels != 1 {
        return other("channels", u32::from(channels), "one channel");
    }
    if bits != 16 {
        return other("bits", u32::from(bits), "16 bits");
    }
    if !(RATE_MIN..=RATE_MAX).contains(&rate) {
        return other("a rate of", rate, "8000 to 48000 values a second");
    }
    Ok(rate)
}

fn sound(rate: u32, content: &[u8]) -> Result<Samples, WavError> {
    let (pairs, odd) = content.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(WavError::Damaged { what: "half a value at its end" });
    }
    let count = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    if count > rate.saturating_mul(SECONDS_MAX) {
        return Err(WavError::Long { seconds: count.div_ceil(rate) });
    }
    let values = pairs.iter().map(|pair| f32::from(i16::from_le_bytes(*pair)) / 32_768.0);
    Ok(Samples { rate, values: values.collect() })
}
