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
const SHORT_BYTES: usize = 22;

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
        let mut bytes = [0; SHORT_BYTES];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(own), Ok(length)) => {
                own.copy_from_slice(text.as_bytes());
                Self(Form::Short(length, bytes))
            }
            _ => Self(Form::Long(text.into())),
        }
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
    fn a_text_is_the_same_however_long() {
        let all: Vec<String> = (0..60).map(|n| "市x".chars().cycle().take(n).collect()).collect();
        for (text, next) in all.iter().zip(all.iter().skip(1)) {
            let (own, same) = (Text::from(text.as_str()), Text::from(text.clone()));
            assert_eq!(own, same);
            assert_eq!(own, text.as_str());
            assert_eq!(own.cmp(&next.as_str().into()), Ordering::Less);
            assert_eq!(format!("{own} {own:?}"), format!("{text} {text:?}"));
            assert_eq!(String::from(own), *text);
        }
        assert_eq!(size_of::<Option<Text>>(), size_of::<String>());
        assert_eq!(Text::default(), "");
    }
}
