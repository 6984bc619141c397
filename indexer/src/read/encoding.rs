//! Character encodings: UTF-8 with or without a mark, UTF-16 by its mark, GBK and GB 18030.
//!
//! Invariant: a file is of one encoding. Bytes that are not of it are an error that names the
//! place, never a replacement sign in somebody's name.

use std::path::Path;

use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::{Error, Result};

/// The text of a file.
///
/// # Errors
/// [`Error::Encoding`].
pub(crate) fn decode(path: &Path, bytes: Vec<u8>) -> Result<String> {
    let failed = |(line, offset), encoding| Error::Encoding {
        path: path.to_owned(),
        line,
        offset,
        encoding,
    };
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        let name = match encoding {
            e if e == UTF_16LE || e == UTF_16BE => "UTF-16",
            _ => "UTF-8",
        };
        let text = with(encoding, bytes.get(mark..).unwrap_or_default());
        return text.map_err(|(line, offset)| failed((line, offset + len(mark)), name));
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let good = bytes.utf8_error().valid_up_to();
    let before = bytes.as_bytes().get(..good).unwrap_or_default();
    // Chinese characters that are right in UTF-8, before anything is wrong, are no accident.
    let is_utf8 = std::str::from_utf8(before).is_ok_and(|text| text.chars().any(|c| c > '\u{7ff}'));
    if is_utf8 {
        return Err(failed((lines(before), len(good)), UTF_8.name()));
    }
    with(GB18030, bytes.as_bytes()).map_err(|place| failed(place, "GB 18030"))
}

/// The text of bytes in an encoding, or line and byte of the first that is not of it.
fn with(encoding: &'static Encoding, bytes: &[u8]) -> std::result::Result<String, (u64, u64)> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let capacity = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    let mut text = String::with_capacity(capacity.unwrap_or(bytes.len()));
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    match result {
        DecoderResult::InputEmpty => Ok(text),
        DecoderResult::OutputFull => Err((lines(text.as_bytes()), len(read))),
        DecoderResult::Malformed(length, after) => {
            let place = read.saturating_sub(usize::from(length) + usize::from(after));
            Err((lines(text.as_bytes()), len(place)))
        }
    }
}

/// The line that follows these bytes.
fn lines(bytes: &[u8]) -> u64 {
    len(bytes.iter().filter(|byte| **byte == b'\n').count()) + 1
}

fn len(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "户编号,姓名\nH1,王建国\n";
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        let utf16 = |mark: [u8; 2], turn: fn(u16) -> [u8; 2]| {
            let mut bytes = mark.to_vec();
            bytes.extend(text.encode_utf16().flat_map(turn));
            bytes
        };
        for bytes in [
            text.as_bytes().to_vec(),
            [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
            gbk.to_vec(),
            utf16([0xFF, 0xFE], u16::to_le_bytes),
            utf16([0xFE, 0xFF], u16::to_be_bytes),
        ] {
            assert_eq!(decode("f".as_ref(), bytes).unwrap(), text);
        }
        let rare = GB18030.encode("王𬱖㛃").0.into_owned();
        assert_eq!(decode("f".as_ref(), rare).unwrap(), "王𬱖㛃");
    }

    #[test]
    fn mixed_encodings_are_found_where_they_begin() {
        let mut mixed = "户编号,姓名\nH1,王\n".as_bytes().to_vec();
        let place = mixed.len() + 3;
        mixed.extend([b'H', b'2', b',', 0xCD, 0xF5, b'\n']);
        let error = decode("f".as_ref(), mixed).unwrap_err().to_string();
        assert!(error.contains(&format!("line 3, byte {place}: not UTF-8")), "{error}");
        let (gbk, _, _) = encoding_rs::GBK.encode("户编号,姓名\nH1,王\n");
        let broken = [&gbk[..], &[0xFF, 0xFF, b'\n']].concat();
        let error = decode("f".as_ref(), broken).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("GB 18030"), "{error}");
    }
}
