//! Standard output.
//!
//! Invariant: a reader that has gone (`yiku query | head`) ends the command quietly.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::Error;

/// Writes a text.
pub(super) fn text(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|source| {
        match source.kind() {
            io::ErrorKind::BrokenPipe => Error::Closed,
            _ => Error::Output { source },
        }
    })
}

/// A text in which nothing steers a terminal: names of files and cells of departments stand in it.
pub(super) fn plain(text: &str) -> String {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    text.replace(steers, "\u{fffd}")
}

/// Writes a value as one piece of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Error> {
    let written = serde_json::to_string_pretty(value);
    let written =
        written.map_err(|source| Error::Express { form: "JSON", source: Box::new(source) })?;
    text(&format!("{written}\n"))
}
