//! Random bytes and what is made of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};

/// Fills the bytes from the operating system.
///
/// # Errors
/// When the system has none to give.
pub fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|source| Error::Entropy { source })
}

/// A secret of 32 random bytes, as text for a cookie.
///
/// # Errors
/// When the system has no random bytes.
pub fn token() -> Result<String> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// That many random digits, each as likely as the others.
///
/// # Errors
/// When the system has no random bytes.
pub fn digits(count: usize) -> Result<String> {
    code("0123456789", count)
}

/// That many characters of an alphabet of at most 256 ASCII characters, each as likely as the
/// others.
///
/// # Errors
/// When the system has no random bytes.
pub fn code(alphabet: &str, count: usize) -> Result<String> {
    let letters = alphabet.as_bytes();
    // Bytes beyond the last whole multiple would make the first letters likelier: drawn again.
    let fair = 256 - 256 % letters.len().clamp(1, 256);
    let mut text = String::with_capacity(count);
    let mut bytes = [0_u8; 32];
    while text.len() < count && !letters.is_empty() {
        fill(&mut bytes)?;
        for byte in bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair) {
            if text.len() == count {
                break;
            }
            if let Some(letter) = letters.get(byte % letters.len()) {
                text.push(char::from(*letter));
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn codes_have_their_length_and_alphabet_and_differ() {
        for (alphabet, count) in [("0123456789", 6), ("AB", 40), ("ABC", 0)] {
            let text = code(alphabet, count).unwrap();
            assert_eq!(text.len(), count);
            assert!(text.chars().all(|letter| alphabet.contains(letter)));
        }
        assert_eq!(code("", 5).unwrap(), "");
        assert_ne!(token().unwrap(), token().unwrap());
        assert_eq!(token().unwrap().len(), 43);
    }
}
