//! The words of the language.
//!
//! Invariants: a token's span lies on character boundaries of the text; the last token is always
//! [`Token::End`]; the number of tokens is bounded by the length of the text.

use crate::error::{Error, Result};
use crate::source::{Source, Span};
use yiku::calendar;

/// Bytes of a question, or of one field of its JSON form.
pub(crate) const TEXT_BYTES_MAX: usize = 65_536;

/// Letters of a text that an error shows.
const SHOWN: usize = 40;

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A name or a word of the language.
    Word(String),
    /// Digits, with or without a decimal point, as written.
    Number(String),
    /// A day, in days since 1970-01-01.
    Date(i64),
    /// A month: twelve times the year plus the month from 0.
    Month(i64),
    /// A text between single quotes, without them.
    Text(String),
    /// A parameter, without its `$`.
    Parameter(String),
    /// An operator or a mark.
    Mark(&'static str),
    /// The end of the text.
    End,
}

impl Token {
    /// How an error calls it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Date(day) => format!("`{}`", calendar::date_text(*day)),
            Self::Month(month) => format!("`{}`", calendar::month_text(*month)),
            Self::Text(text) => {
                let more = if text.chars().count() > SHOWN { "…" } else { "" };
                let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
                format!("the text '{}{more}'", shown.take(SHOWN).collect::<String>())
            }
            Self::Parameter(name) => format!("`${name}`"),
            Self::Mark(mark) => format!("`{mark}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

const MARKS: [&str; 17] =
    ["!=", "<>", "<=", ">=", "<", ">", "=", "(", ")", ",", ".", "+", "-", "*", "/", "[", "]"];

/// Marks of a Chinese keyboard, and what the language writes.
const WIDE_MARKS: [(char, &str); 20] = [
    ('（', "("),
    ('）', ")"),
    ('，', ","),
    ('、', ","),
    ('．', "."),
    ('＝', "="),
    ('＜', "<"),
    ('＞', ">"),
    ('！', "!"),
    ('＋', "+"),
    ('－', "-"),
    ('＊', "*"),
    ('×', "*"),
    ('／', "/"),
    ('÷', "/"),
    ('［', "["),
    ('］', "]"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
];

/// Quotes of a Chinese keyboard: either of a pair may open and close a text.
const WIDE_QUOTES: [[char; 2]; 2] = [['‘', '’'], ['“', '”']];

/// A character as the language writes it, where it is a mark.
fn plain_mark(c: char) -> Option<&'static str> {
    if c.is_ascii() {
        let own = |mark: &&&str| mark.len() == 1 && mark.starts_with(c);
        return MARKS.iter().find(own).copied().or((c == '!').then_some("!"));
    }
    let wide = WIDE_MARKS.iter().find(|(wide, _)| *wide == c).map(|(_, mark)| *mark);
    let own = || MARKS.iter().find(|mark| mark.chars().eq([c])).copied();
    wide.or_else(own).or((c == '!').then_some("!"))
}

/// Splits a text into its words.
///
/// # Errors
/// [`Error::Syntax`] at the first character that begins no word; [`Error::Limit`] on a text
/// that is too long.
pub(crate) fn tokens(source: &Source) -> Result<Vec<(Token, Span)>> {
    let text: &str = &source.text;
    if text.len() > TEXT_BYTES_MAX {
        return Err(Error::Limit {
            what: "the number of bytes of the question",
            found: text.len() as u64,
            limit: TEXT_BYTES_MAX as u64,
            place: None,
        });
    }
    let mut lexer = Lexer { source, text, at: 0 };
    let mut found = Vec::new();
    loop {
        let (token, span) = lexer.next()?;
        let end = token == Token::End;
        found.push((token, span));
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'a> {
    source: &'a Source,
    text: &'a str,
    at: usize,
}

fn word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn word_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Moves over the characters that `keep` accepts and returns them.
    fn take(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let is_kept = |byte: &u8| byte.is_ascii() && keep(char::from(*byte));
        let ascii = rest.bytes().take_while(|byte| is_kept(byte)).count();
        let more = rest.get(ascii..).unwrap_or("");
        let end = ascii + more.find(|c| !keep(c)).unwrap_or(more.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn next(&mut self) -> Result<(Token, Span)> {
        self.take(char::is_whitespace);
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return Ok((Token::End, Span { start, end: start }));
        };
        let token = if first.is_ascii_digit() {
            self.number(start)?
        } else if word_start(first) {
            Token::Word(self.take(word_part).to_owned())
        } else if first == '\'' {
            self.quoted(start)?
        } else if first == '$' {
            self.at += 1;
            let name = self.take(word_part);
            if name.is_empty() {
                return Err(Error::Syntax {
                    expected: "the name of a parameter after `$`".to_owned(),
                    found: "`$` alone".to_owned(),
                    suggestion: None,
                    place: self.source.place(Span { start, end: start + 1 }),
                });
            }
            Token::Parameter(name.to_owned())
        } else if let Some(pair) = WIDE_QUOTES.iter().find(|pair| pair.contains(&first)) {
            self.at += first.len_utf8();
            let text = self.take(|c| !pair.contains(&c)).to_owned();
            let Some(last) = self.rest().chars().next() else { return Err(self.unclosed(start)) };
            self.at += last.len_utf8();
            Token::Text(text)
        } else if let Some(mark) = self.mark() {
            Token::Mark(if mark == "<>" { "!=" } else { mark })
        } else {
            return Err(self.stray(first, start));
        };
        Ok((token, Span { start, end: self.at }))
    }

    /// The longest mark that stands here.
    fn mark(&mut self) -> Option<&'static str> {
        let mut next = self.rest().chars();
        let (first, second) = (next.next()?, next.next());
        let one = plain_mark(first)?;
        // Most marks stand alone: nothing is put together to be looked for.
        let is_first = MARKS.iter().any(|mark| mark.len() > 1 && mark.starts_with(one));
        let second = second.filter(|_| is_first);
        let both = second.and_then(|c| Some((c, format!("{one}{}", plain_mark(c)?))));
        if let Some((second, both)) = both
            && let Some(mark) = MARKS.iter().find(|mark| **mark == both)
        {
            self.at += first.len_utf8() + second.len_utf8();
            return Some(mark);
        }
        let mark = MARKS.iter().find(|mark| **mark == one)?;
        self.at += first.len_utf8();
        Some(mark)
    }

    fn stray(&self, found: char, start: usize) -> Error {
        let suggestion = match found {
            '"' => Some("'"),
            '。' => Some("."),
            '!' | '！' => {
                let next = self.rest().chars().nth(1);
                Some(if next.is_some_and(word_start) { "not" } else { "!=" })
            }
            '&' | '＆' => Some("and"),
            '|' | '｜' => Some("or"),
            '{' => Some("("),
            '}' => Some(")"),
            _ => None,
        };
        let expected = match found {
            ';' | '；' => "the end: a question is one",
            '%' => "an operator: a share is written as 0.5",
            '¥' | '￥' | '$' => "a number: money is in yuan, without a sign",
            '#' => "a clause: there are no comments",
            _ => "a word, a number, a text in single quotes or an operator",
        };
        Error::Syntax {
            expected: expected.to_owned(),
            found: format!("`{found}`"),
            suggestion: suggestion.map(str::to_owned),
            place: self.source.place(Span { start, end: start + found.len_utf8() }),
        }
    }

    fn unclosed(&self, start: usize) -> Error {
        Error::Syntax {
            expected: "a closing quote".to_owned(),
            found: "the end".to_owned(),
            suggestion: None,
            place: self.source.place(Span { start, end: start + 1 }),
        }
    }

    fn quoted(&mut self, start: usize) -> Result<Token> {
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take(|c| c != '\''));
            if self.rest().starts_with("''") {
                text.push('\'');
                self.at += 2;
            } else if self.rest().starts_with('\'') {
                self.at += 1;
                return Ok(Token::Text(text));
            } else {
                return Err(self.unclosed(start));
            }
        }
    }

    /// A number, or a day or month written without blanks: `2026-10-31`, `2026-10`.
    fn number(&mut self, start: usize) -> Result<Token> {
        let digits = self.take(|c| c.is_ascii_digit());
        if digits.len() == 4
            && let Some(token) = self.day_or_month(start, digits)?
        {
            return Ok(token);
        }
        let mut number = digits.to_owned();
        let fraction = self.rest().strip_prefix('.');
        if fraction.is_some_and(|f| f.starts_with(|c: char| c.is_ascii_digit())) {
            self.at += 1;
            number.push('.');
            number.push_str(self.take(|c| c.is_ascii_digit()));
        }
        self.ends(start, "a number: digits, and none of the letters behind them")?;
        Ok(Token::Number(number))
    }

    fn day_or_month(&mut self, start: usize, year: &str) -> Result<Option<Token>> {
        let part = |text: &str| -> Option<u32> {
            let (sign, digits) = (text.get(..1)?, text.get(1..3)?);
            if sign != "-" || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            digits.parse().ok()
        };
        let (Some(month), Ok(year)) = (part(self.rest()), year.parse::<i64>()) else {
            return Ok(None);
        };
        self.at += 3;
        let day = part(self.rest());
        if day.is_some() {
            self.at += 3;
        }
        self.ends(start, "a day like 2026-10-31 or a month like 2026-10")?;
        let found = match day {
            Some(day) => calendar::days(year, month, day).map(Token::Date),
            None => calendar::month(year, month).map(Token::Month),
        };
        found.map(Some).ok_or_else(|| Error::Syntax {
            expected: "a day or month of the calendar".to_owned(),
            found: format!("`{}`", self.text.get(start..self.at).unwrap_or("")),
            suggestion: None,
            place: self.source.place(Span { start, end: self.at }),
        })
    }

    /// A number must not run into a word: `12abc` is a slip, not two words.
    fn ends(&mut self, start: usize, expected: &str) -> Result<()> {
        if !self.rest().starts_with(word_part) {
            return Ok(());
        }
        self.take(word_part);
        Err(Error::Syntax {
            expected: expected.to_owned(),
            found: format!("`{}`", self.text.get(start..self.at).unwrap_or("")),
            suggestion: None,
            place: self.source.place(Span { start, end: self.at }),
        })
    }
}
