//! What may be asked: one statement, of those that read.
//!
//! DuckDB itself is closed (no file, no network, no setting); this gives whoever asks a plain word
//! before it does.

use crate::error::{Error, Result};

/// The words that a statement may begin with.
const READING: [&str; 8] =
    ["select", "with", "explain", "describe", "show", "from", "values", "summarize"];

/// Refuses what is not one statement that reads.
pub(super) fn check(text: &str) -> Result<()> {
    let refused = |what: String| Err(Error::SqlRefused { what });
    let mut parts = Parts { text, at: 0 };
    let Some(first) = parts.next() else {
        return refused("there is no statement; write SELECT …".to_owned());
    };
    let mut word = first.to_lowercase();
    while word == "(" {
        word = parts.next().unwrap_or_default().to_lowercase();
    }
    if !READING.contains(&word.as_str()) {
        let known = READING.map(str::to_uppercase).join(", ");
        let found = first.to_uppercase();
        return refused(format!(
            "`{found}` is not answered: the tables of a snapshot are only read; begin with one of \
             {known}"
        ));
    }
    let mut ended = false;
    for part in parts {
        if ended && part != ";" {
            let what = "one statement is answered at a time; leave out what stands behind `;`";
            return refused(what.to_owned());
        }
        ended |= part == ";";
    }
    Ok(())
}

/// The words and signs of a text; what is quoted is one, what is a comment is none.
struct Parts<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parts<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Steps behind the next of these texts, or to the end.
    fn behind(&mut self, from: usize, end: &str) {
        let rest = self.rest().get(from..).unwrap_or("");
        self.at += from + rest.find(end).map_or(rest.len(), |found| found + end.len());
    }

    /// Steps behind what is quoted, in which the quote stands twice for itself.
    fn behind_quoted(&mut self, quote: char, escapes: bool) {
        self.at += quote.len_utf8();
        while let Some(c) = self.rest().chars().next() {
            self.at += c.len_utf8();
            if c == '\\' && escapes {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            } else if c == quote {
                if !self.rest().starts_with(quote) {
                    return;
                }
                self.at += quote.len_utf8();
            }
        }
    }

    /// `$tag$`, if the text goes on with one.
    fn dollar(&self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest.get(1..)?.find('$')? + 2;
        let tag = rest.get(..end)?;
        let inner = tag.trim_matches('$');
        inner.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(tag)
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest();
            let c = rest.chars().next()?;
            let start = self.at;
            if rest.starts_with("--") {
                self.behind(2, "\n");
            } else if rest.starts_with("/*") {
                self.behind(2, "*/");
            } else if c.is_whitespace() {
                self.at += c.len_utf8();
            } else {
                let escaped =
                    matches!(c, 'e' | 'E') && rest.get(1..).is_some_and(|r| r.starts_with('\''));
                if escaped {
                    self.at += 1;
                    self.behind_quoted('\'', true);
                } else if matches!(c, '\'' | '"') {
                    self.behind_quoted(c, false);
                } else if let Some(tag) = Some(c).filter(|c| *c == '$').and_then(|_| self.dollar())
                {
                    self.behind(tag.len(), tag);
                } else if c.is_alphabetic() {
                    let word = |c: char| c.is_alphanumeric() || c == '_';
                    self.at += rest.find(|c| !word(c)).unwrap_or(rest.len());
                } else {
                    self.at += c.len_utf8();
                }
                return self.text.get(start..self.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_reads_is_one_statement() {
        for text in [
            "SELECT 1",
            " select ';' ; ",
            "-- one; two\nWITH a AS (SELECT 1) FROM a;;",
            "(SELECT 1) UNION (SELECT 2)",
            "/* ; */ EXPLAIN SELECT 1",
            "select $$ ; $$, $a$ ; $$ $a$, e'\\';', \"a;\"\"b\"",
            "SHOW TABLES",
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in [
            "",
            " -- nothing",
            ";",
            "INSERT INTO person VALUES (1)",
            "select 1; select 2",
            "select 1 /* */ ; -- more\n drop table person",
            "COPY person TO '/tmp/x'",
            "ATTACH 'x.db'",
            "PRAGMA version",
            "SET threads = 1",
            "CALL x()",
            "selects 1",
            "'select'",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
