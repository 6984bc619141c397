//! The check of answers against their form.
//!
//! Invariants: answers are hostile: any JSON is checked without a panic, and no more than
//! [`FAULTS_MAX`] faults are told. A draft may be unfinished, not malformed: it may lack answers,
//! and the numbers that people type digit by digit may be short.

use jiff::civil::{Date, date};
use serde::Serialize;
use serde_json::{Map, Value};

use super::id_number;
use super::say::{self, Wrong};
use super::{Field, FieldKind, Form, List, Part, When, path};
use crate::secret::normalise;

/// The most faults that are told of one form.
const FAULTS_MAX: usize = 100;
/// Nobody alive was born before, and nothing that forms ask happened before.
const EARLIEST: Date = date(1880, 1, 1);
/// The longest number that a draft keeps of what is typed digit by digit.
const TYPED_CHARS_MAX: usize = 32;
const DIGEST_CHARS: usize = 64;
const HEAD: &str = "02";

/// How much is asked of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// To be kept and finished later: what is there has the right shape and length.
    Draft,
    /// To be handed in: everything holds.
    Submit,
}

/// What is wrong with one answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: `members[1].id_number`; a block where the fault is the block's.
    pub path: String,
    /// A stable word: `id_number.check`.
    pub code: &'static str,
    /// What would be right, in Chinese.
    pub zh: String,
    /// What would be right, in English.
    pub en: String,
}

struct Check<'a> {
    form: &'a Form,
    answers: &'a Value,
    today: Date,
    strict: bool,
    faults: Vec<Fault>,
}

/// A place that a fault can be at.
#[derive(Clone, Copy)]
struct At<'a> {
    part: &'a Part,
    entry: Option<usize>,
}

pub(super) fn faults(
    form: &Form,
    answers: &Value,
    today: Date,
    strictness: Strictness,
) -> Vec<Fault> {
    let strict = strictness == Strictness::Submit;
    let mut check = Check { form, answers, today, strict, faults: Vec::new() };
    let Some(blocks) = answers.as_object() else {
        check.tell_of("answers", Wrong::Shape);
        return check.faults;
    };
    for name in blocks.keys().filter(|name| !form.parts.iter().any(|part| part.name == **name)) {
        check.tell_of(if path::is_name(name) { name } else { "answers" }, Wrong::Unknown);
    }
    for part in &form.parts {
        check.part(part, blocks.get(&part.name).filter(|value| !value.is_null()));
    }
    check.faults
}

pub(super) fn doubts(form: &Form, answers: &Value) -> Vec<Fault> {
    let mut check = Check { form, answers, today: Date::MAX, strict: false, faults: Vec::new() };
    for part in form.parts.iter().filter(|part| !part.repeats) {
        for field in part.fields.iter().filter(|field| field.kind == FieldKind::Bank) {
            let value = answers.get(&part.name).and_then(|block| block.get(&field.name));
            let text = value.and_then(Value::as_str).unwrap_or_default();
            if is_bank(text) && !fits_luhn(text) {
                check.tell(At { part, entry: None }, Some(field), Wrong::BankCheck);
            }
        }
    }
    check.faults
}

impl Check<'_> {
    fn part(&mut self, part: &Part, value: Option<&Value>) {
        let asked = self.holds(part.when.as_ref(), part, None);
        let at = At { part, entry: None };
        if !part.repeats {
            match value {
                Some(Value::Object(entry)) => self.entry(at, entry, asked),
                Some(_) => self.tell(at, None, Wrong::Shape),
                None => self.entry(at, &Map::new(), asked),
            }
            return;
        }
        let entries = match value {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(_) => return self.tell(at, None, Wrong::Shape),
            None => &[],
        };
        if part.adds {
            self.entries(at, entries, asked);
        }
        for (entry, value) in entries.iter().enumerate().take(part.max) {
            let at = At { part, entry: Some(entry) };
            match value {
                Value::Object(value) => self.entry(at, value, asked),
                _ if part.adds => self.tell(at, None, Wrong::Shape),
                _ => {}
            }
        }
    }

    /// What concerns the entries of a block together.
    fn entries(&mut self, at: At<'_>, entries: &[Value], asked: bool) {
        let part = at.part;
        if entries.len() > part.max {
            self.tell(at, None, Wrong::Many(i64::try_from(part.max).unwrap_or(i64::MAX)));
        }
        if !self.strict || !asked {
            return;
        }
        if entries.len() < part.min {
            self.tell(at, None, Wrong::Few(part.min));
        }
        for name in &part.unique {
            self.unlike(part, name, entries);
        }
        let relation = part.name == "members" && part.fields.iter().any(|f| f.name == "relation");
        if relation && !entries.is_empty() {
            self.heads(at, entries);
        }
    }

    /// No two entries agree in a field.
    fn unlike(&mut self, part: &Part, name: &str, entries: &[Value]) {
        let Some(field) = part.fields.iter().find(|field| field.name == name) else { return };
        let mut seen = Vec::new();
        for (entry, value) in entries.iter().enumerate().take(part.max) {
            let text = value.get(name).and_then(Value::as_str).map(normalise);
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            if seen.contains(&text) {
                self.tell(At { part, entry: Some(entry) }, Some(field), Wrong::Twice);
            }
            seen.push(text);
        }
    }

    /// Exactly one of those who live in the household is its head.
    fn heads(&mut self, at: At<'_>, entries: &[Value]) {
        let is_head = |entry: &&Value| {
            entry.get("relation").and_then(Value::as_str) == Some(HEAD)
                && entry.get("obligor") != Some(&Value::Bool(true))
        };
        match entries.iter().filter(is_head).count() {
            0 => self.tell(at, None, Wrong::NoHead),
            1 => {}
            _ => self.tell(at, None, Wrong::Heads),
        }
    }

    fn entry(&mut self, at: At<'_>, entry: &Map<String, Value>, asked: bool) {
        let first = self.form.parts.iter().find(|part| part.name == at.part.name);
        if first.is_some_and(|first| std::ptr::eq(first, at.part)) {
            self.strangers(at, entry);
        }
        for field in &at.part.fields {
            let value = entry.get(&field.name).filter(|value| !is_empty(value));
            match value {
                Some(value) => {
                    if let Err(wrong) = self.value(at.part, field, value) {
                        self.tell(at, Some(field), wrong);
                    }
                }
                None => {
                    let shown = asked && self.holds(field.when.as_ref(), at.part, at.entry);
                    if self.strict && shown && field.required {
                        self.tell(at, Some(field), Wrong::Required);
                    }
                }
            }
        }
        if self.strict && asked {
            self.any_of(at, entry);
        }
        if self.strict {
            self.agrees_with_id(at, entry);
        }
    }

    /// Answers that no part asks for.
    fn strangers(&mut self, at: At<'_>, entry: &Map<String, Value>) {
        let form = self.form;
        let is_asked = |name: &str| {
            let mut parts = form.parts.iter().filter(|part| part.name == at.part.name);
            parts.any(|part| part.fields.iter().any(|field| field.name == name))
        };
        for name in entry.keys().filter(|name| !is_asked(name)) {
            let block = place(at);
            let path = if path::is_name(name) { format!("{block}.{name}") } else { block };
            self.tell_of(&path, Wrong::Unknown);
        }
    }

    fn any_of(&mut self, at: At<'_>, entry: &Map<String, Value>) {
        for group in &at.part.any_of {
            let said = |name: &String| entry.get(name).is_some_and(|value| !is_empty(value));
            if group.iter().any(said) {
                continue;
            }
            let fields: Vec<&Field> =
                at.part.fields.iter().filter(|field| group.contains(&field.name)).collect();
            let zh = fields.iter().map(|field| field.label.zh.clone()).collect();
            let en = fields.iter().map(|field| field.label.en.clone()).collect();
            self.tell(at, fields.first().copied(), Wrong::AnyOf(zh, en));
        }
    }

    /// Sex and date of birth say what the ID number says.
    fn agrees_with_id(&mut self, at: At<'_>, entry: &Map<String, Value>) {
        let text = |name: &str| {
            let field = at.part.fields.iter().find(|field| field.name == name)?;
            Some((field, entry.get(name)?.as_str().filter(|text| !text.is_empty())?))
        };
        let id = text("id_number").and_then(|(_, id)| id_number::read(id).ok());
        let Some(told) = id else { return };
        if let Some((field, sex)) = text("sex")
            && matches!(sex, "1" | "2")
            && sex != told.sex
        {
            self.tell(at, Some(field), Wrong::IdSex);
        }
        if let Some((field, day)) = text("birth_date")
            && day_of(day).is_some_and(|day| day != told.birth_date)
        {
            self.tell(at, Some(field), Wrong::IdBirthDate);
        }
    }

    fn value(&self, part: &Part, field: &Field, value: &Value) -> Result<(), Wrong> {
        let most = field.max.unwrap_or(i64::MAX);
        match field.kind {
            FieldKind::Flag => match value.as_bool() {
                None => Err(Wrong::Flag),
                Some(false) if field.agree && self.strict => Err(Wrong::Agree),
                Some(_) => Ok(()),
            },
            FieldKind::Money => {
                let fen = value.as_i64().filter(|fen| (0..=most).contains(fen));
                fen.map(|_| ()).ok_or(Wrong::Money)
            }
            FieldKind::Int => {
                let least = field.min.unwrap_or(0);
                let number = value.as_i64().filter(|number| (least..=most).contains(number));
                number.map(|_| ()).ok_or(Wrong::Number(least, most))
            }
            FieldKind::Codes => self.codes(field, value),
            FieldKind::Files => {
                let list = value.as_array().ok_or(Wrong::Shape)?;
                if i64::try_from(list.len()).unwrap_or(i64::MAX) > most {
                    return Err(Wrong::Many(most));
                }
                list.iter().all(is_digest).then_some(()).ok_or(Wrong::File)
            }
            FieldKind::Signature => is_digest(value).then_some(()).ok_or(Wrong::File),
            _ => self.text(part, field, value.as_str().ok_or(Wrong::Shape)?, most),
        }
    }

    fn text(&self, part: &Part, field: &Field, text: &str, most: i64) -> Result<(), Wrong> {
        match field.kind {
            FieldKind::Code => {
                let known = self.form.lists.get(field.list.as_deref().unwrap_or_default());
                known.is_some_and(|list| has(list, text)).then_some(()).ok_or(Wrong::Code)
            }
            FieldKind::Date => match day_of(text).ok_or(Wrong::Date)? {
                day if day > self.today => Err(Wrong::Future),
                _ => Ok(()),
            },
            FieldKind::Region => {
                let fits = part.digits.contains(&text.len()) && is_digits(text);
                fits.then_some(()).ok_or_else(|| Wrong::Region(part.digits.clone()))
            }
            FieldKind::IdNumber | FieldKind::Phone | FieldKind::Bank if !self.strict => {
                let short = text.chars().count() <= TYPED_CHARS_MAX;
                plain(text, false)?;
                short.then_some(()).ok_or(Wrong::Long(TYPED_CHARS_MAX as i64))
            }
            FieldKind::IdNumber => self.id_number(text),
            FieldKind::Phone => {
                let fits = text.len() == 11 && is_digits(text) && text.starts_with(['0', '1']);
                fits.then_some(()).ok_or(Wrong::Phone)
            }
            FieldKind::Bank => is_bank(text).then_some(()).ok_or(Wrong::Bank),
            _ => {
                if i64::try_from(text.chars().count()).unwrap_or(i64::MAX) > most {
                    return Err(Wrong::Long(most));
                }
                plain(text, field.kind == FieldKind::LongText)
            }
        }
    }

    fn id_number(&self, text: &str) -> Result<(), Wrong> {
        match id_number::read(text) {
            Ok(told) if told.birth_date > self.today || told.birth_date < EARLIEST => {
                Err(Wrong::IdBirth)
            }
            Ok(_) => Ok(()),
            Err(id_number::Wrong::Length) => Err(Wrong::IdLength),
            Err(id_number::Wrong::Characters) => Err(Wrong::IdCharacters),
            Err(id_number::Wrong::Birth) => Err(Wrong::IdBirth),
            Err(id_number::Wrong::Check) => Err(Wrong::IdCheck),
        }
    }

    fn codes(&self, field: &Field, value: &Value) -> Result<(), Wrong> {
        let codes = value.as_array().ok_or(Wrong::Shape)?;
        let list = self.form.lists.get(field.list.as_deref().unwrap_or_default());
        let list = list.ok_or(Wrong::Code)?;
        if codes.len() > list.codes.len() {
            return Err(Wrong::Many(i64::try_from(list.codes.len()).unwrap_or(i64::MAX)));
        }
        for (at, code) in codes.iter().enumerate() {
            let text = code.as_str().ok_or(Wrong::Shape)?;
            if !has(list, text) {
                return Err(Wrong::Code);
            }
            if codes.iter().take(at).any(|earlier| earlier == code) {
                return Err(Wrong::Twice);
            }
        }
        Ok(())
    }

    /// Whether something is asked. A yes-or-no that nobody answered counts as no.
    fn holds(&self, when: Option<&When>, part: &Part, entry: Option<usize>) -> bool {
        let Some(when) = when else { return true };
        let found = match (when.field.split_once('.'), entry) {
            (Some((block, name)), _) => self.answers.get(block).and_then(|b| b.get(name)),
            (None, Some(entry)) => {
                let entries = self.answers.get(&part.name).and_then(Value::as_array);
                entries.and_then(|list| list.get(entry)).and_then(|e| e.get(&when.field))
            }
            (None, None) => self.answers.get(&part.name).and_then(|b| b.get(&when.field)),
        };
        when.is.iter().any(|wanted| match found {
            Some(Value::Array(list)) => list.contains(wanted),
            Some(Value::Null) | None => wanted == &Value::Bool(false),
            Some(found) => found == wanted,
        })
    }

    fn tell(&mut self, at: At<'_>, field: Option<&Field>, wrong: Wrong) {
        let path = match field {
            Some(field) => format!("{}.{}", place(at), field.name),
            None => place(at),
        };
        let (zh, en) = say::place(at.part, at.entry, field);
        let (right_zh, right_en) = wrong.texts();
        self.put(path, wrong.code(), format!("{zh}：{right_zh}"), format!("{en}: {right_en}"));
    }

    fn tell_of(&mut self, path: &str, wrong: Wrong) {
        let (zh, en) = wrong.texts();
        self.put(path.to_owned(), wrong.code(), zh, en);
    }

    fn put(&mut self, path: String, code: &'static str, zh: String, en: String) {
        match self.faults.len() {
            count if count < FAULTS_MAX - 1 => self.faults.push(Fault { path, code, zh, en }),
            count if count == FAULTS_MAX - 1 => {
                let (zh, en) = Wrong::TooManyFaults.texts();
                let code = Wrong::TooManyFaults.code();
                self.faults.push(Fault { path: "answers".to_owned(), code, zh, en });
            }
            _ => {}
        }
    }
}

fn place(at: At<'_>) -> String {
    match at.entry {
        Some(entry) => format!("{}[{entry}]", at.part.name),
        None => at.part.name.clone(),
    }
}

/// Whether nothing was answered.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn has(list: &List, code: &str) -> bool {
    list.codes.iter().any(|(known, ..)| known == code)
}

/// A day written in full that forms can mean.
fn day_of(text: &str) -> Option<Date> {
    let whole = text.len() == 10 && text.is_ascii();
    let day: Date = text.parse().ok().filter(|_| whole)?;
    (day >= EARLIEST && day.to_string() == text).then_some(day)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_bank(text: &str) -> bool {
    (12..=19).contains(&text.len()) && is_digits(text)
}

/// The check of card numbers (ISO/IEC 7812-1); older passbooks do not follow it.
fn fits_luhn(digits: &str) -> bool {
    let doubled = |(at, digit): (usize, u32)| match (at % 2, digit * 2) {
        (0, _) => digit,
        (_, twice) => twice / 10 + twice % 10,
    };
    let numbers = digits.chars().rev().filter_map(|sign| sign.to_digit(10));
    numbers.enumerate().map(doubled).sum::<u32>() % 10 == 0
}

fn is_digest(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == DIGEST_CHARS && text.bytes().all(hex)
}

/// No control characters; line ends and tabs only where several lines are asked for.
fn plain(text: &str, lines: bool) -> Result<(), Wrong> {
    let bad = |sign: char| sign.is_control() && !(lines && matches!(sign, '\n' | '\r' | '\t'));
    if text.chars().any(bad) { Err(Wrong::Signs) } else { Ok(()) }
}
