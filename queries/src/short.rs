//! Texts of answers: a short one is kept where it stands, so that an answer of many rows takes no
//! piece of memory for each of its names.
//!
//! Invariant: however a text is kept, it is the same text.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde::{Serialize, Serializer};

/// Bytes of a text that is kept where it stands: codes of places and most names are shorter.
const SHORT_BYTES: usize = SHORT_LENGTH as usize;
const SHORT_LENGTH: u8 = 22;

/// A text of an answer, to be read like any `str`.
///
/// ```
/// use yiku_queries::Text;
///
/// let text = Text::from("1401");
/// assert_eq!(text, "1401");
/// assert_eq!(text.len(), 4);
/// ```
#[derive(Clone)]
pub struct Text(Form);

#[derive(Clone)]
enum Form {
    Short(u8, [u8; SHORT_BYTES]),
    Long(Box<str>),
}

/// Digits of a number that are written together.
const DIGITS: usize = 16;

/// The least number that has more digits than so many; no number is written in none.
const ENDS: [u64; DIGITS + 1] = [
    0,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
];

impl Text {
    /// Becomes a number in so many digits, zeros in front where it has fewer; whether it has no
    /// more. Bytes are written where the text stands: moved, they would have to be waited for.
    pub(crate) fn set_digits(&mut self, value: u64, count: usize) -> bool {
        let (Some(most), Ok(length)) = (ENDS.get(count), u8::try_from(count)) else {
            return false;
        };
        if value >= *most {
            return false;
        }
        let (high, low) = (value / 100_000_000, value % 100_000_000);
        let all = u128::from(eight(high)) | (u128::from(eight(low)) << 64);
        self.0 = Form::Short(length, [0; SHORT_BYTES]);
        if let Form::Short(_, bytes) = &mut self.0
            && let Some(own) = bytes.first_chunk_mut::<DIGITS>()
        {
            *own = (all >> (8 * (DIGITS - count))).to_le_bytes();
        }
        true
    }

    /// Becomes another text.
    pub(crate) fn set(&mut self, text: &str) {
        let Ok(length @ 0..=SHORT_LENGTH) = u8::try_from(text.len()) else {
            self.0 = Form::Long(text.into());
            return;
        };
        self.0 = Form::Short(length, [0; SHORT_BYTES]);
        if let Form::Short(_, bytes) = &mut self.0
            && let Some(own) = bytes.get_mut(..text.len())
        {
            own.copy_from_slice(text.as_bytes());
        }
    }
}

/// The digits of a number of at most eight, the first in the lowest byte: four, two and one of them
/// are divided off in all places at once.
fn eight(value: u64) -> u64 {
    let fours = (value / 10_000) | ((value % 10_000) << 32);
    // 10486 / 2^20 is a hundredth and 103 / 2^10 a tenth for all that is less than its square.
    let hundreds = (fours.wrapping_mul(10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours.wrapping_sub(hundreds.wrapping_mul(100)) << 16);
    let tens = (twos.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos.wrapping_sub(tens.wrapping_mul(10)) << 8);
    ones | 0x3030_3030_3030_3030
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Form::Short(length, bytes) => {
                let own = bytes.get(..usize::from(*length)).unwrap_or_default();
                std::str::from_utf8(own).unwrap_or_default()
            }
            Form::Long(text) => text,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let mut made = Self(Form::Short(0, [0; SHORT_BYTES]));
        made.set(text);
        made
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        if text.len() <= SHORT_BYTES {
            return Self::from(text.as_str());
        }
        Self(Form::Long(text.into()))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        match text.0 {
            Form::Long(text) => text.into(),
            Form::Short(..) => (*text).to_owned(),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_that_are_written() {
        let mut value = 7u64;
        for at in 0..20_000u64 {
            let number = if at < 12_000 { at } else { value % 10u64.pow(16) };
            value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            for count in 0..18 {
                let written = format!("{number:0count$}");
                let fits = (1..=16).contains(&count) && written.len() == count;
                let mut text = Text::from("what stood there before, which is no number");
                let expected = if fits { written.into() } else { text.clone() };
                assert_eq!(text.set_digits(number, count), fits, "{number} in {count}");
                assert_eq!(text, expected, "{number} in {count}");
            }
        }
        for all in (0..100_000_000).step_by(9_973).chain([99_999_999, 9_999, 10_000]) {
            let mut text = Text::default();
            assert!(text.set_digits(all, 8));
            assert_eq!(text, *format!("{all:08}"));
        }
    }

    #[test]
    fn a_text_is_the_same_however_long() {
        let all: Vec<String> = (0..60).map(|n| "市x".chars().cycle().take(n).collect()).collect();
        for (text, next) in all.iter().zip(all.iter().skip(1)) {
            let (own, same) = (Text::from(text.as_str()), Text::from(text.clone()));
            assert_eq!(own, same);
            let mut set = Text::from(next.as_str());
            set.set(text);
            assert_eq!(set, own);
            assert_eq!(own, text.as_str());
            assert_eq!(own.cmp(&next.as_str().into()), Ordering::Less);
            assert_eq!(format!("{own} {own:?}"), format!("{text} {text:?}"));
            assert_eq!(String::from(own), *text);
        }
        assert_eq!(size_of::<Option<Text>>(), size_of::<String>());
        assert_eq!(Text::default(), "");
    }
}
