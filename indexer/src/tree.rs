//! The tree of places from a CSV: one line a place, of every level.

use std::path::Path;

use yiku::PathTree;
use yiku::schema::{PathNode, PathSchema};

use crate::clean::trimmed;
use crate::error::{Error, Result};
use crate::read::{Delimited, Record, Split, text_of};

/// Reads the places of a path from a CSV file with the columns `code` and `name`; other columns do
/// not matter. A code has the digits of its level, or zeros behind them up to the full width.
///
/// # Errors
/// [`Error::Io`], [`Error::Encoding`], [`Error::Csv`], [`Error::Tree`], [`Error::Engine`].
pub fn read_tree(path: &Path, schema: &PathSchema) -> Result<PathTree> {
    parse_tree(&text_of(path)?, path, schema)
}

/// As [`read_tree`], from a text; `origin` is what errors call it.
///
/// # Errors
/// As [`read_tree`].
pub fn parse_tree(text: &str, origin: &Path, schema: &PathSchema) -> Result<PathTree> {
    let (headers, split) = Split::find(origin, text)?;
    let wrong = |line, what: String| Error::Tree { path: origin.to_owned(), line, what };
    let place = |name: &str| {
        let found = headers.iter().position(|header| header == name);
        found.ok_or_else(|| wrong(1, format!("no column `{name}`; it needs `code` and `name`")))
    };
    let (code, name) = (place("code")?, place("name")?);
    let mut records = Delimited { path: origin, text, split };
    let mut record = Record::default();
    let mut nodes = Vec::new();
    while let Some(line) = records.next(&mut record)? {
        let code = record.cell(text, code);
        let code = trimmed(&code);
        let Some((value, level)) = node(code, schema) else {
            return Err(wrong(
                line,
                format!(
                    "`{code}` is no code: it has the digits of a level, or all {} with zeros \
                         behind",
                    schema.digits()
                ),
            ));
        };
        let name = trimmed(&record.cell(text, name)).to_owned();
        nodes.push(PathNode { code: value, level, name });
    }
    Ok(PathTree::new(schema, nodes)?)
}

/// A code as a full-width number, and its level: that of its digits, or, of a code in full width,
/// the highest below which there are only zeros.
fn node(code: &str, schema: &PathSchema) -> Option<(u64, u8)> {
    let full = usize::from(schema.digits());
    if code.is_empty() || code.len() > full || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let is_zeros = |text: &str| text.bytes().all(|byte| byte == b'0');
    let holds = |digits: usize| {
        let below = code.get(digits..).is_some_and(is_zeros);
        code.len() == digits || (code.len() == full && below)
    };
    let level = schema.levels.iter().position(|level| {
        let digits = usize::from(level.digits);
        digits <= code.len() && holds(digits)
    })?;
    Some((format!("{code:0<full$}").parse().ok()?, u8::try_from(level).ok()?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn codes_are_of_the_level_of_their_digits() {
        let path = crate::registry_schema().unwrap().path;
        for (code, expected) in [
            ("14", Some((140_000_000_000, 0))),
            ("140105", Some((140_105_000_000, 2))),
            ("140000000000", Some((140_000_000_000, 0))),
            ("140105001000", Some((140_105_001_000, 3))),
            ("140105001001", Some((140_105_001_001, 4))),
            ("14010", None),
            ("1401050010011", None),
            ("14x", None),
            ("", None),
        ] {
            assert_eq!(node(code, &path), expected, "{code}");
        }
    }

    #[test]
    fn a_wrong_file_of_places_is_refused_with_its_line() {
        let path = crate::registry_schema().unwrap().path;
        for (text, expected) in [
            ("code,title\n14,x\n", "no column `name`"),
            ("code,name\n14,x\n1x,y\n", "line 3: `1x` is no code"),
            ("code,name\n1401,x\n", "its parent is not in the tree"),
        ] {
            let error = parse_tree(text, "places.csv".as_ref(), &path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
