//! What keeps personal data from being read: keys, sealing, blind indexes, masks, randomness.
//!
//! Invariants: a key is never in the store's folder and never printed; what is sealed carries the
//! version of its key and cannot be moved to another row; the only module that asks the operating
//! system for random bytes. The algorithms are SM3 and SM4; a [`KeyProvider`] in front of a
//! hardware module can take the file's place.

mod index;
mod keys;
mod mask;
mod random;
mod seal;

pub(crate) use index::is_id_number;
pub use index::normalise;
pub use keys::{FileKeys, Key, KeyProvider, Purpose};
pub use mask::mask;
pub use random::{code, digits, fill, token};
pub(crate) use seal::same;
pub use seal::{Sealed, Vault};

use sm3::{Digest, Sm3};

/// The SM3 digest of bytes, 64 hex digits.
///
/// ```
/// let digest = yiku_casework::secret::sm3_hex(b"abc");
/// assert!(digest.starts_with("66c7f0f462eeedd9"));
/// ```
pub fn sm3_hex(bytes: &[u8]) -> String {
    hex(&Sm3::digest(bytes))
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes from hex digits; nothing when a character is not one, or one is left over.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn sm3_gives_the_published_digest() {
        assert_eq!(
            sm3_hex(b"abc"),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
    }

    #[test]
    fn sm4_gives_the_published_block() {
        use sm4::Sm4;
        use sm4::cipher::{BlockCipherEncrypt, KeyInit};
        let key = unhex("0123456789abcdeffedcba9876543210").unwrap();
        let cipher = Sm4::new_from_slice(&key).unwrap();
        let mut block: [u8; 16] = key.try_into().unwrap();
        cipher.encrypt_block((&mut block).into());
        assert_eq!(hex(&block), "681edf34d206965e86b3e94f536e4246");
    }

    #[test]
    fn hex_goes_there_and_back_and_refuses_the_rest() {
        assert_eq!(unhex(&hex(&[0, 15, 255])).unwrap(), [0, 15, 255]);
        for wrong in ["0", "0g", "é0"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }
}
