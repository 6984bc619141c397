//! The fields of the JSON form that are more than a text, read and written.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::{clause, clauses, definition, escaped, limit, orders};
use crate::ast::{self, Change, Definition, Flow, Over, Period, Publish, Set, Top, Word};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::parse::{self, BY_MAX, MEASURES_MAX, SETS_MAX};
use crate::print;
use crate::source::{Source, Span};
use yiku::calendar;

/// Names and their values, in the order of the document.
#[derive(Debug)]
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

/// Names and texts.
pub(super) type Texts = Entries<String>;
/// Named sets.
pub(super) type Sets = Entries<SetForm>;
/// Parameters and their values.
pub(super) type Changes = Entries<Amount>;

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and what they mean")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Entries<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = map.next_entry::<String, T>()? {
            if found.len() >= MEASURES_MAX {
                return Err(de::Error::custom(format!("more than {MEASURES_MAX} named parts")));
            }
            found.push(entry);
        }
        Ok(Entries(found))
    }
}

/// Expressions called by their own text, or by names.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a list of expressions, or an object of names and expressions")]
pub(super) enum Definitions {
    Listed(Vec<String>),
    Named(Texts),
}

impl Default for Definitions {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Definitions {
    pub(super) fn read(self, pointer: &str, most: usize) -> Result<Vec<Definition>> {
        let texts: Vec<(Option<String>, String)> = match self {
            Self::Listed(texts) => texts.into_iter().map(|text| (None, text)).collect(),
            Self::Named(texts) => texts.0.into_iter().map(|(name, t)| (Some(name), t)).collect(),
        };
        limit("the number of parts of a list", texts.len(), most)?;
        let read = |(at, (name, text)): (usize, (Option<String>, String))| {
            let part = name.as_deref().map_or_else(|| at.to_string(), escaped);
            definition(name, &text, &format!("{pointer}/{part}"))
        };
        texts.into_iter().enumerate().map(read).collect()
    }
}

/// `{"k": 3, "within": ["region.county"], "by": "-people"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TopForm {
    k: usize,
    #[serde(default)]
    within: Vec<String>,
    by: Keys,
}

/// One key of an order, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a key of an order, or a list of keys")]
enum Keys {
    One(String),
    Several(Vec<String>),
}

impl TopForm {
    pub(super) fn read(self) -> Result<Top> {
        limit("the number of expressions of `within`", self.within.len(), BY_MAX)?;
        let order = match self.by {
            Keys::One(key) => vec![parse::order_key(&Source::field(&key, "/top/by"))?],
            Keys::Several(keys) => orders(&keys, "/top/by")?,
        };
        Ok(Top { count: self.k, within: clauses(&self.within, "/top/within")?, order })
    }
}

/// A word that says a period.
fn period(word: &str, pointer: &str) -> Result<Period> {
    Period::find(word).ok_or_else(|| {
        let source = Source::field(word, pointer);
        Error::Syntax {
            expected: "month, quarter or year".to_owned(),
            found: format!("`{word}`"),
            suggestion: nearest(word, Period::ALL.map(Period::word)),
            place: source.place(Span { start: 0, end: word.len() }),
        }
    })
}

/// `{"month": ["2025-01", "2026-10"]}`
pub(super) fn over(form: BTreeMap<String, [String; 2]>) -> Result<Over> {
    let mut entries = form.into_iter();
    let (Some((word, ends)), None) = (entries.next(), entries.next()) else {
        let reason = "`over` has one of month, quarter, year".to_owned();
        return Err(Error::Json { reason });
    };
    let period = period(&word, "/over")?;
    let mut months = [0; 2];
    for (at, (text, month)) in ends.iter().zip(&mut months).enumerate() {
        let source = Source::field(text, &format!("/over/{word}/{at}"));
        *month = calendar::parse_month(text).ok_or_else(|| Error::Syntax {
            expected: "a month like `2026-10`".to_owned(),
            found: format!("`{text}`"),
            suggestion: None,
            place: source.place(Span { start: 0, end: text.len() }),
        })?;
    }
    let [first, last] = &ends;
    let source = Source::field(&format!("{first} to {last}"), &format!("/over/{word}"));
    let span = Span { start: 0, end: source.text.len() };
    parse::over_months(period, (months[0], months[1]), span, &source)
}

pub(super) fn compare(words: &[String]) -> Result<Vec<Period>> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let period = period(word, &format!("/compare/{at}"))?;
        if !found.contains(&period) {
            found.push(period);
        }
    }
    Ok(found)
}

/// `{"from": "2026-09-30", "to": "2026-10-31"}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlowForm {
    from: String,
    to: String,
}

impl FlowForm {
    pub(super) fn read(self) -> Result<Flow> {
        let before = parse::moment(&Source::field(&self.from, "/flow/from"))?;
        let after = parse::moment(&Source::field(&self.to, "/flow/to"))?;
        let source = Source::field(&format!("{} to {}", self.from, self.to), "/flow");
        let span = Span { start: 0, end: source.text.len() };
        Ok(Flow { before, after, span, source })
    }
}

/// An expression over the rows of the question's table, or of another.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "an expression, or an object with `of` and `where`")]
pub(super) enum SetForm {
    Own(String),
    Of(SetOf),
}

/// A set of the rows of a table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetOf {
    of: String,
    #[serde(rename = "where")]
    filter: String,
}

impl Sets {
    pub(super) fn read(self) -> Result<Vec<Set>> {
        limit("the number of sets", self.0.len(), SETS_MAX)?;
        let read = |(name, form): (String, SetForm)| {
            let pointer = format!("/sets/{}", escaped(&name));
            let word = |text: String| {
                let span = Span { start: 0, end: text.len() };
                Word { text, span }
            };
            if !parse::is_name(&name) {
                return Err(Error::Json { reason: format!("`{name}` is no name of a set") });
            }
            let (table, text, pointer) = match form {
                SetForm::Own(text) => (None, text, pointer),
                SetForm::Of(form) => {
                    let source = Source::field(&form.of, &format!("{pointer}/of"));
                    let table = ast::Named { word: word(form.of), source };
                    (Some(table), form.filter, pointer + "/where")
                }
            };
            Ok(Set { name: word(name), table, clause: clause(&text, &pointer)? })
        };
        self.0.into_iter().map(read).collect()
    }
}

/// A value of a parameter: a number, or a text with a number and its sign.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a number, or a text like `+50.00`")]
pub(super) enum Amount {
    Number(serde_json::Number),
    Text(String),
}

pub(super) fn with(form: Vec<Changes>) -> Result<Vec<Vec<Change>>> {
    limit("the number of assumptions", form.len(), SETS_MAX)?;
    let mut found = Vec::with_capacity(form.len());
    for (at, changes) in form.into_iter().enumerate() {
        limit("the number of parameters of an assumption", changes.0.len(), SETS_MAX)?;
        let mut own = Vec::with_capacity(changes.0.len());
        for (name, amount) in changes.0 {
            let pointer = format!("/with/{at}/{}", escaped(&name));
            if !parse::is_name(&name) {
                return Err(Error::Json { reason: format!("`{name}` is no name of a parameter") });
            }
            let text = match amount {
                Amount::Number(number) => number.to_string(),
                Amount::Text(text) => text,
            };
            let span = Span { start: 0, end: name.len() };
            own.push(parse::change(Word { text: name, span }, &Source::field(&text, &pointer))?);
        }
        if own.is_empty() {
            return Err(Error::Json { reason: "an assumption of `with` is empty".to_owned() });
        }
        found.push(own);
    }
    Ok(found)
}

/// `{"min_cell": 10, "round": 5}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishForm {
    min_cell: u64,
    #[serde(default = "one")]
    round: u64,
}

fn one() -> u64 {
    1
}

impl PublishForm {
    pub(super) fn read(self) -> Result<Publish> {
        let text = format!("min_cell {} round {}", self.min_cell, self.round);
        let source = Source::field(&text, "/publish");
        let place = source.place(Span { start: 0, end: text.len() });
        parse::publish(self.min_cell, self.round, place)
    }
}

/// Names and expressions.
pub(super) struct Named<'a>(pub(super) &'a [Definition]);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let entry = |d: &Definition| (d.name.clone(), print::expression(&d.clause.expr));
        serializer.collect_map(self.0.iter().map(entry))
    }
}

/// Expressions as a list where each is called by its own text, else with their names.
pub(super) struct Listed<'a>(pub(super) &'a [Definition]);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let texts: Vec<String> = self.0.iter().map(|d| print::expression(&d.clause.expr)).collect();
        if texts.iter().zip(self.0).all(|(text, found)| *text == found.name) {
            return texts.serialize(serializer);
        }
        Named(self.0).serialize(serializer)
    }
}

pub(super) fn top(
    top: &Top,
    within: Vec<String>,
    order: Option<Vec<String>>,
) -> impl Serialize + use<> {
    #[derive(Serialize)]
    struct Written {
        k: usize,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        within: Vec<String>,
        by: Vec<String>,
    }
    Written { k: top.count, within, by: order.unwrap_or_default() }
}

pub(super) fn months(over: &Over) -> BTreeMap<&'static str, [String; 2]> {
    BTreeMap::from([(over.period.word(), [over.first, over.last].map(calendar::month_text))])
}

pub(super) fn ends(flow: &Flow) -> impl Serialize + use<> {
    #[derive(Serialize)]
    struct Written {
        from: String,
        to: String,
    }
    Written { from: print::moment(&flow.before), to: print::moment(&flow.after) }
}

/// Sets by their names.
pub(super) struct SetMap<'a>(pub(super) &'a [Set]);

impl Serialize for SetMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for set in self.0 {
            let text = print::expression(&set.clause.expr);
            match &set.table {
                None => map.serialize_entry(&set.name.text, &text)?,
                Some(table) => {
                    let form = BTreeMap::from([("of", table.word.text.as_str()), ("where", &text)]);
                    map.serialize_entry(&set.name.text, &form)?;
                }
            }
        }
        map.end()
    }
}

/// Parameters and their values.
pub(super) struct ChangeMap<'a>(pub(super) &'a [Change]);

impl Serialize for ChangeMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|c| (c.name.text.clone(), print::change(c))))
    }
}

pub(super) fn cells(publish: Publish) -> BTreeMap<&'static str, u64> {
    BTreeMap::from([("min_cell", publish.min_cell), ("round", publish.round)])
}
