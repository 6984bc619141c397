//! The JSON form of a question: the field names of the language's page, expressions as text.
//!
//! Invariant: a field that the form does not have is an error; a field of a part of the language
//! that is not built is refused by its name. Measures keep the order they are written in.

use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::ast::{Clause, Measure, Query, Word};
use crate::error::{Error, Result};
use crate::parse::{self, BY_MAX, MEASURES_MAX, ORDER_MAX};
use crate::print;
use crate::source::{Source, Span};
use yiku::calendar;

/// The JSON form as it arrives: texts not yet read. Turn it into a [`Query`] with
/// [`Query::try_from`], whose errors have a code, a position and the JSON pointer of the field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryForm {
    from: String,
    #[serde(default, rename = "where")]
    filter: Option<String>,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    measures: Measures,
    #[serde(default)]
    totals: bool,
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    #[serde(default)]
    as_of: Option<String>,
    #[serde(default)]
    explain: bool,
    #[serde(default)]
    over: Option<IgnoredAny>,
    #[serde(default)]
    compare: Option<IgnoredAny>,
    #[serde(default)]
    select: Option<IgnoredAny>,
    #[serde(default)]
    after: Option<IgnoredAny>,
    #[serde(default)]
    having: Option<IgnoredAny>,
    #[serde(default)]
    top: Option<IgnoredAny>,
    #[serde(default)]
    flow: Option<IgnoredAny>,
    #[serde(default)]
    matrix: Option<IgnoredAny>,
    #[serde(default)]
    sets: Option<IgnoredAny>,
    #[serde(default)]
    with: Option<IgnoredAny>,
    #[serde(default)]
    publish: Option<IgnoredAny>,
}

/// Names and texts of measures, in the order of the document.
#[derive(Debug, Default)]
struct Measures(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Measures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(MeasuresVisitor)
    }
}

struct MeasuresVisitor;

impl<'de> Visitor<'de> for MeasuresVisitor {
    type Value = Measures;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of measures: name and expression")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Measures, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = map.next_entry::<String, String>()? {
            if found.len() >= MEASURES_MAX {
                return Err(de::Error::custom(format!("more than {MEASURES_MAX} measures")));
            }
            found.push(entry);
        }
        Ok(Measures(found))
    }
}

impl QueryForm {
    /// The first field of a part that is not built.
    fn missing(&self) -> Option<&'static str> {
        let asked = [
            ("over", self.over.is_some()),
            ("compare", self.compare.is_some()),
            ("select", self.select.is_some()),
            ("after", self.after.is_some()),
            ("having", self.having.is_some()),
            ("top", self.top.is_some()),
            ("flow", self.flow.is_some()),
            ("matrix", self.matrix.is_some()),
            ("sets", self.sets.is_some()),
            ("with", self.with.is_some()),
            ("publish", self.publish.is_some()),
            ("explain", self.explain),
        ];
        asked.iter().find(|(_, asked)| *asked).map(|(name, _)| *name)
    }
}

fn clause(text: &str, pointer: &str) -> Result<Clause> {
    let source = Source::field(text, pointer);
    Ok(Clause { expr: parse::expression(&source)?, source })
}

fn limit(what: &'static str, found: usize, limit: usize) -> Result<()> {
    if found <= limit {
        return Ok(());
    }
    Err(Error::Limit { what, found: found as u64, limit: limit as u64, place: None })
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl TryFrom<QueryForm> for Query {
    type Error = Error;

    fn try_from(form: QueryForm) -> Result<Self> {
        if let Some(name) = form.missing() {
            let source = Source::field(name, &format!("/{name}"));
            let place = source.place(Span { start: 0, end: name.len() });
            return Err(Error::Unsupported { name: name.to_owned(), place });
        }
        limit("the number of expressions of `by`", form.by.len(), BY_MAX)?;
        limit("the number of keys of `order`", form.order.len(), ORDER_MAX)?;
        let from = Source::field(&form.from, "/from");
        let span = Span { start: 0, end: form.from.len() };
        let mut query = parse::empty(Word { text: form.from, span }, &from);
        query.filter = form.filter.map(|text| clause(&text, "/where")).transpose()?;
        for (place, text) in form.by.iter().enumerate() {
            query.by.push(clause(text, &format!("/by/{place}"))?);
        }
        for (name, text) in form.measures.0 {
            let clause = clause(&text, &format!("/measures/{}", escaped(&name)))?;
            query.measures.push(Measure { name, clause });
        }
        parse::unique_measures(&query.measures)?;
        for (place, text) in form.order.iter().enumerate() {
            query.order.push(parse::order_key(&Source::field(text, &format!("/order/{place}")))?);
        }
        query.totals = form.totals;
        query.limit = form.limit;
        query.offset = form.offset;
        let as_of = form.as_of.map(|text| parse::day(&Source::field(&text, "/as_of")));
        query.as_of = as_of.transpose()?;
        Ok(query)
    }
}

impl Query {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`Error::Json`] when it is not JSON of the form; otherwise as [`Query::parse`], with the
    /// pointer of the field in [`Error::pointer`].
    pub fn from_json(text: &str) -> Result<Self> {
        let form: QueryForm =
            serde_json::from_str(text).map_err(|e| Error::Json { reason: e.to_string() })?;
        Self::try_from(form)
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::try_from(QueryForm::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

struct MeasureMap<'a>(&'a [Measure]);

impl Serialize for MeasureMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0.iter().map(|m| (m.name.as_str(), print::expression(&m.clause.expr))),
        )
    }
}

impl Serialize for Query {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("from", &self.from.word.text)?;
        if let Some(filter) = &self.filter {
            map.serialize_entry("where", &print::expression(&filter.expr))?;
        }
        if !self.by.is_empty() {
            let by: Vec<String> = self.by.iter().map(|c| print::expression(&c.expr)).collect();
            map.serialize_entry("by", &by)?;
        }
        if !self.measures.is_empty() {
            map.serialize_entry("measures", &MeasureMap(&self.measures))?;
        }
        if self.totals {
            map.serialize_entry("totals", &true)?;
        }
        if !self.order.is_empty() {
            let order: Vec<String> = self.order.iter().map(print::order).collect();
            map.serialize_entry("order", &order)?;
        }
        if let Some(limit) = self.limit {
            map.serialize_entry("limit", &limit)?;
        }
        if self.offset > 0 {
            map.serialize_entry("offset", &self.offset)?;
        }
        if let Some(day) = self.as_of {
            map.serialize_entry("as_of", &calendar::date_text(day))?;
        }
        map.end()
    }
}
