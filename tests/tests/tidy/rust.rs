//! As much of Rust's grammar as the rules need: what is code, what is a comment, where a
//! function begins and ends.
//!
//! Invariant: the masked code has the same lines as the text; strings, characters and comments
//! are spaces in it, so that a word found in it is a word of the program.

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    /// The line it stands on, from 1.
    pub(crate) line: usize,
    /// Its text behind the slashes.
    pub(crate) text: String,
    /// Whether it is documentation (`///`, `//!`).
    pub(crate) doc: bool,
}

/// A source file taken apart.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The program, everything else blank.
    pub(crate) code: String,
    /// The line comments.
    pub(crate) comments: Vec<Comment>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from `fn` to the closing brace.
    pub(crate) lines: usize,
    /// From `fn` to the closing brace, masked.
    pub(crate) code: String,
}

impl Source {
    /// Takes a text apart.
    pub(crate) fn new(text: &str) -> Self {
        let mut reader = Reader { rest: text, line: 1, source: Self::default() };
        while reader.step() {}
        reader.source
    }

    /// The functions that have a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            let (before, after) = self.code.split_at(at);
            if before.ends_with(is_word) {
                continue;
            }
            let name: String = after.chars().skip(3).take_while(|c| is_word(*c)).collect();
            if let Some(body) = body(after)
                && !name.is_empty()
            {
                let line = before.matches('\n').count() + 1;
                let lines = body.matches('\n').count() + 1;
                found.push(Function { name, line, lines, code: body.to_owned() });
            }
        }
        found
    }
}

/// Whether the character may stand in a name.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// From `fn` to the brace that closes its body; none when it has no body.
fn body(code: &str) -> Option<&str> {
    let (mut open, mut braces) = (0usize, 0usize);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' if braces == 0 => open += 1,
            ')' | ']' if braces == 0 => open = open.saturating_sub(1),
            ';' if braces == 0 && open == 0 => return None,
            '{' => braces += 1,
            '}' if braces <= 1 => return code.get(..=at),
            '}' => braces -= 1,
            _ => {}
        }
    }
    None
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    source: Source,
}

impl Reader<'_> {
    /// Takes the next piece; false at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.comment();
        } else if self.rest.starts_with("/*") {
            let length = block_comment(self.rest);
            self.take(length, true);
        } else if let Some(length) = string(self.rest).filter(|_| !self.behind_word()) {
            self.take(length, true);
        } else if first == '"' {
            let length = quoted(self.rest, '"');
            self.take(length, true);
        } else if let Some(length) = character(self.rest) {
            self.take(length, true);
        } else {
            self.take(first.len_utf8(), false);
        }
        true
    }

    fn behind_word(&self) -> bool {
        self.source.code.ends_with(is_word)
    }

    fn comment(&mut self) {
        let length = self.rest.find('\n').unwrap_or(self.rest.len());
        let whole = self.rest.get(..length).unwrap_or_default();
        let doc =
            (whole.starts_with("///") && !whole.starts_with("////")) || whole.starts_with("//!");
        let text = whole.get(if doc { 3 } else { 2 }..).unwrap_or_default().to_owned();
        self.source.comments.push(Comment { line: self.line, text, doc });
        self.take(length, true);
    }

    fn take(&mut self, length: usize, blank: bool) {
        let (piece, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.line += piece.matches('\n').count();
        if blank {
            let blanked = piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
            self.source.code.extend(blanked);
        } else {
            self.source.code.push_str(piece);
        }
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a string with a prefix (`r"`, `r#"`, `b"`, `br"`, `c"`) that begins here.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r"].into_iter().find(|p| text.starts_with(p))?;
    let rest = text.get(prefix.len()..)?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if !rest.get(hashes..)?.starts_with('"') {
        return None;
    }
    if !prefix.ends_with('r') {
        return (hashes == 0).then(|| prefix.len() + quoted(rest, '"'));
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let inside = hashes + 1;
    let end = rest.get(inside..)?.find(&close).map_or(rest.len(), |at| inside + at + close.len());
    Some(prefix.len() + end)
}

/// The length of what stands between two quotes, the quotes included, `\` escaping.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal that begins here; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let mut letters = text.strip_prefix('\'')?.chars();
    let first = letters.next()?;
    if first == '\\' {
        return Some(quoted(text, '\''));
    }
    (letters.next() == Some('\'')).then(|| 2 + first.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_blank() {
        let cases = [
            ("let a = \"fn b() {\"; x", "let a = ; x"),
            ("let a = r#\"fn \" {\"#; x", "let a = ; x"),
            ("let a = br\"\\\"; x", "let a = ; x"),
            ("let a = '{'; x", "let a = ; x"),
            ("let a = '\\''; x", "let a = ; x"),
            ("fn a<'a>(b: &'a str) {}", "fn a<'a>(b: &'a str) {}"),
            ("a /* { /* } */ */ b", "a b"),
            ("a // { b", "a"),
            ("for x in bar {\"s\"}", "for x in bar { }"),
        ];
        for (text, expected) in cases {
            let code = Source::new(text).code;
            let words = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(
                words(&code).replace(" ;", ";"),
                words(expected).replace(" ;", ";"),
                "{text}"
            );
        }
    }

    #[test]
    fn comments_keep_their_line_and_kind() {
        let source = Source::new("//! head\nlet a = \"//\";\n/// doc\n// why\n");
        let kinds: Vec<_> =
            source.comments.iter().map(|c| (c.line, c.doc, c.text.as_str())).collect();
        assert_eq!(kinds, [(1, true, " head"), (3, true, " doc"), (4, false, " why")]);
    }

    #[test]
    fn functions_are_measured() {
        let text = "trait T { fn no(a: [u8; 2]); }\nfn one(a: [u8; 2]) -> u8 { a }\n\
                    pub fn two()\nwhere\n{\n    if x { y }\n}\ntype F = fn (u8);\n";
        let found = Source::new(text).functions();
        let short: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(short, [("one", 2, 1), ("two", 3, 5)]);
    }
}
