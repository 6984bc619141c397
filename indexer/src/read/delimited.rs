//! Text with a sign between its cells (RFC 4180, any of four signs), read strictly.
//!
//! Invariant: a quote opens a cell or closes it, nothing else. Where quotes do not pair, nobody
//! can say where the next record begins: the file is refused, with the line.

use std::borrow::Cow;
use std::path::Path;

use super::Sink;
use super::chunk::Chunk;
use crate::clean::trimmed;
use crate::error::{Error, Result};
use crate::reject::Reason;

/// The longest quoted cell; a longer one has lost its closing quote.
const CELL_BYTES_MAX: usize = 64 << 10;
/// The signs that may stand between cells.
const SIGNS: [u8; 4] = [b',', b'\t', b'|', b';'];

/// How the lines of a text are taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Split {
    delimiter: u8,
    /// Where the first record begins, and on which line.
    start: usize,
    line: u64,
    /// Cells of a record.
    width: usize,
}

/// A text and how it is taken apart.
#[derive(Debug)]
pub(crate) struct Delimited<'a> {
    pub(crate) path: &'a Path,
    pub(crate) text: &'a str,
    pub(crate) split: Split,
}

/// The cells of one record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Start and end in the text, and whether the cell is quoted and has quotes within.
    cells: Vec<(usize, usize, bool)>,
}

impl Record {
    /// How many cells it has.
    pub(crate) fn width(&self) -> usize {
        self.cells.len()
    }

    /// A cell, without the quotes around it.
    pub(crate) fn cell<'a>(&self, text: &'a str, place: usize) -> Cow<'a, str> {
        let (start, end, doubled) = self.cells.get(place).copied().unwrap_or_default();
        let cell = text.get(start..end).unwrap_or_default();
        if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) }
    }
}

impl Split {
    /// Finds the sign between the cells and takes the header apart.
    ///
    /// # Errors
    /// [`Error::Csv`].
    pub(crate) fn find(path: &Path, text: &str) -> Result<(Vec<String>, Split)> {
        let head = text.lines().next().unwrap_or_default();
        let count = |sign: u8| head.bytes().filter(|byte| *byte == sign).count();
        let delimiter = SIGNS.into_iter().rev().max_by_key(|sign| count(*sign)).unwrap_or(b',');
        let split = Split { delimiter, start: 0, line: 1, width: 0 };
        let mut records = Delimited { path, text, split };
        let mut record = Record::default();
        records.next(&mut record)?;
        let cells = (0..record.width()).map(|place| record.cell(text, place));
        let headers: Vec<String> = cells.map(|cell| trimmed(&cell).to_owned()).collect();
        records.split.width = headers.len();
        Ok((headers, records.split))
    }
}

impl Delimited<'_> {
    /// Takes the next record apart; the line it begins on, none at the end.
    ///
    /// # Errors
    /// [`Error::Csv`].
    pub(crate) fn next(&mut self, record: &mut Record) -> Result<Option<u64>> {
        let bytes = self.text.as_bytes();
        // Empty lines are no records.
        while let Some(byte @ (b'\n' | b'\r')) = bytes.get(self.split.start) {
            self.split.line += u64::from(*byte == b'\n');
            self.split.start += 1;
        }
        if self.split.start >= bytes.len() {
            return Ok(None);
        }
        record.cells.clear();
        let line = self.split.line;
        let mut at = self.split.start;
        loop {
            at = if bytes.get(at) == Some(&b'"') {
                self.quoted(record, at)?
            } else {
                self.plain(record, at)?
            };
            match bytes.get(at) {
                Some(byte) if *byte == self.split.delimiter => at += 1,
                Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => {
                    at += 2;
                    break;
                }
                Some(_) => {
                    at += 1;
                    break;
                }
                None => {
                    self.split.start = at;
                    return Ok(Some(line));
                }
            }
        }
        self.split.line += 1;
        self.split.start = at;
        Ok(Some(line))
    }

    fn stray<T>(&self, line: u64, what: &'static str) -> Result<T> {
        Err(Error::Csv { path: self.path.to_owned(), line, what })
    }

    /// A cell that is not quoted; where it ends.
    fn plain(&self, record: &mut Record, start: usize) -> Result<usize> {
        let delimiter = self.split.delimiter;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let ends = |byte: &u8| *byte == delimiter || matches!(*byte, b'\n' | b'\r' | b'"');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        if rest.get(length) == Some(&b'"') {
            return self.stray(self.split.line, "a stray quote within a cell");
        }
        record.cells.push((start, start + length, false));
        Ok(start + length)
    }

    /// A cell between quotes; where what follows it begins.
    fn quoted(&mut self, record: &mut Record, start: usize) -> Result<usize> {
        let opened = self.split.line;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        let mut doubled = false;
        loop {
            if at - start > CELL_BYTES_MAX {
                return self.stray(opened, "a stray quote opens a cell that does not end");
            }
            match bytes.get(at) {
                None => return self.stray(opened, "a stray quote opens a cell that does not end"),
                Some(b'"') if bytes.get(at + 1) == Some(&b'"') => {
                    doubled = true;
                    at += 2;
                }
                Some(b'"') => break,
                Some(byte) => {
                    self.split.line += u64::from(*byte == b'\n');
                    at += 1;
                }
            }
        }
        record.cells.push((start + 1, at, doubled));
        match bytes.get(at + 1) {
            None | Some(b'\n' | b'\r') => Ok(at + 1),
            Some(byte) if *byte == self.split.delimiter => Ok(at + 1),
            Some(_) => self.stray(opened, "a stray quote: text follows the quoted cell"),
        }
    }
}

/// Hands over all records.
pub(super) fn read(
    source: &Delimited<'_>,
    places: &[Option<usize>],
    chunk: &mut Chunk,
    sink: Sink<'_>,
) -> Result<()> {
    let mut records = Delimited { path: source.path, text: source.text, split: source.split };
    let mut record = Record::default();
    loop {
        let before = records.split.start;
        let Some(line) = records.next(&mut record)? else { break };
        if record.width() == source.split.width {
            for (column, place) in places.iter().enumerate() {
                let cell = place.map(|place| record.cell(source.text, place));
                chunk.cell(column, cell.as_deref().unwrap_or_default());
            }
            chunk.end(line);
        } else {
            let text = source.text.get(before..records.split.start).unwrap_or_default();
            chunk.broken(line, Reason::WrongCells, text.trim());
        }
        if chunk.is_full() {
            sink(chunk)?;
            chunk.clear();
        }
    }
    sink(chunk)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn records(text: &str) -> Result<Vec<(u64, Vec<String>)>> {
        let (_, split) = Split::find("f".as_ref(), text)?;
        let mut source = Delimited { path: "f".as_ref(), text, split };
        let (mut record, mut found) = (Record::default(), Vec::new());
        while let Some(line) = source.next(&mut record)? {
            let cells = (0..record.width()).map(|n| record.cell(text, n).into_owned());
            found.push((line, cells.collect()));
        }
        Ok(found)
    }

    #[test]
    fn cells_lines_and_quotes_are_taken_apart() {
        for (text, expected) in [
            ("a,b\n1,2\n", vec![(2, vec!["1", "2"])]),
            ("a|b\r\n1|\r\n\r\n|2", vec![(2, vec!["1", ""]), (4, vec!["", "2"])]),
            (
                "a\tb\n\"x\ty\"\t\"2\n3\"\n4\t5\n",
                vec![(2, vec!["x\ty", "2\n3"]), (4, vec!["4", "5"])],
            ),
            ("a;b\n\"say \"\"x\"\"\";\"\"\n", vec![(2, vec!["say \"x\"", ""])]),
            ("a,b\n1,2,3\n", vec![(2, vec!["1", "2", "3"])]),
        ] {
            let expected: Vec<(u64, Vec<String>)> = expected
                .into_iter()
                .map(|(line, cells)| (line, cells.into_iter().map(str::to_owned).collect()))
                .collect();
            assert_eq!(records(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_stray_quote_is_refused_with_its_line() {
        for (text, line) in
            [("a,b\n1,2\n3,x\"y\n", 3), ("a,b\n1,2\n\"3,4\n5,6\n", 3), ("a,b\n\"1\"x,2\n", 2)]
        {
            let error = records(text).unwrap_err();
            assert!(matches!(error, Error::Csv { line: l, .. } if l == line), "{text}: {error}");
        }
    }
}
