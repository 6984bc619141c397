//! A piece of JSON as it was written: fields in their order, numbers as their digits, so that a
//! field that stands twice and an amount with too many decimals can be told.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Document {
    Null,
    Flag(bool),
    /// As written, as far as a float of 64 bits tells.
    Number(String),
    Text(String),
    List(Vec<Document>),
    Object(Vec<(String, Document)>),
}

impl Document {
    /// How an error calls it.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => {
                format!("the number {}", number.chars().take(40).collect::<String>())
            }
            Self::Text(text) => {
                let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
                format!("the text \"{shown}\"")
            }
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Document, E> {
        Ok(Document::Flag(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Document, E> {
        Ok(Document::Number(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Document, E> {
        Ok(Document::Number(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Document, E> {
        Ok(Document::Number(number.to_string()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Document, E> {
        Ok(Document::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Document, E> {
        Ok(Document::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Document, A::Error> {
        let mut found = Vec::new();
        while let Some(element) = list.next_element()? {
            found.push(element);
        }
        Ok(Document::List(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = map.next_entry()? {
            found.push(entry);
        }
        Ok(Document::Object(found))
    }
}
