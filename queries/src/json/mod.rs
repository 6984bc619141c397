//! The JSON form of a question: the field names of the language's page, expressions as text.
//!
//! Invariant: a field that the form does not have is an error. Measures and other named parts keep
//! the order they are written in.

mod forms;

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::ast::{Clause, Definition, Order, Query, Word};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::parse::{self, BY_MAX, MATRIX_MAX, ORDER_MAX, SELECT_MAX};
use crate::print;
use crate::source::{Source, Span};
use forms::{Changes, Definitions, FlowForm, PublishForm, Sets, Texts, TopForm};
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
    measures: Texts,
    #[serde(default)]
    matrix: Definitions,
    #[serde(default)]
    select: Definitions,
    #[serde(default)]
    having: Option<String>,
    #[serde(default)]
    totals: bool,
    #[serde(default)]
    top: Option<TopForm>,
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    offset: usize,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    over: Option<BTreeMap<String, [String; 2]>>,
    #[serde(default)]
    compare: Vec<String>,
    #[serde(default)]
    flow: Option<FlowForm>,
    #[serde(default)]
    sets: Sets,
    #[serde(default)]
    with: Vec<Changes>,
    #[serde(default)]
    publish: Option<PublishForm>,
    #[serde(default)]
    as_of: Option<String>,
    #[serde(default)]
    explain: bool,
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

fn definition(name: Option<String>, text: &str, pointer: &str) -> Result<Definition> {
    let clause = clause(text, pointer)?;
    let name = name.unwrap_or_else(|| print::expression(&clause.expr));
    Ok(Definition { name, clause })
}

fn orders(keys: &[String], pointer: &str) -> Result<Vec<Order>> {
    limit("the number of keys of an order", keys.len(), ORDER_MAX)?;
    let keys = keys.iter().enumerate();
    keys.map(|(at, text)| parse::order_key(&Source::field(text, &format!("{pointer}/{at}"))))
        .collect()
}

fn clauses(texts: &[String], pointer: &str) -> Result<Vec<Clause>> {
    texts.iter().enumerate().map(|(at, text)| clause(text, &format!("{pointer}/{at}"))).collect()
}

impl TryFrom<QueryForm> for Query {
    type Error = Error;

    fn try_from(form: QueryForm) -> Result<Self> {
        limit("the number of expressions of `by`", form.by.len(), BY_MAX)?;
        let source = Source::field(&form.from, "/from");
        let span = Span { start: 0, end: form.from.len() };
        let mut query = parse::empty(Word { text: form.from, span }, &source);
        query.filter = form.filter.map(|text| clause(&text, "/where")).transpose()?;
        query.by = clauses(&form.by, "/by")?;
        for (name, text) in form.measures.0 {
            let pointer = format!("/measures/{}", escaped(&name));
            query.measures.push(definition(Some(name), &text, &pointer)?);
        }
        query.matrix = form.matrix.read("/matrix", MATRIX_MAX)?;
        query.select = form.select.read("/select", SELECT_MAX)?;
        query.having = form.having.map(|text| clause(&text, "/having")).transpose()?;
        query.totals = form.totals;
        query.top = form.top.map(TopForm::read).transpose()?;
        query.order = orders(&form.order, "/order")?;
        query.limit = form.limit;
        query.offset = form.offset;
        query.after = form.after;
        query.over = form.over.map(forms::over).transpose()?;
        query.compare = forms::compare(&form.compare)?;
        query.flow = form.flow.map(FlowForm::read).transpose()?;
        query.sets = form.sets.read()?;
        query.with = forms::with(form.with)?;
        query.publish = form.publish.map(PublishForm::read).transpose()?;
        let as_of = form.as_of.map(|text| parse::day(&Source::field(&text, "/as_of")));
        query.as_of = as_of.transpose()?;
        query.explain = form.explain;
        query.checked()
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
            serde_json::from_str(text).map_err(|e| Error::Json { reason: reason(text, &e) })?;
        Self::try_from(form)
    }
}

/// What the reader of JSON calls the shapes, and what people do.
const SHAPES: [(&str, &str); 12] = [
    ("EOF", "the text ends"),
    ("expected a sequence", "expected a list: `[…]`"),
    ("invalid type: sequence", "invalid type: a list"),
    ("invalid type: map", "invalid type: an object"),
    ("expected a map", "expected an object: `{…}`"),
    ("expected a string", "expected a text in quotes"),
    ("invalid type: string", "invalid type: the text"),
    ("expected a boolean", "expected true or false"),
    ("expected usize", "expected a whole number from 0"),
    ("expected u64", "expected a whole number from 0"),
    ("expected struct TopForm", "expected an object with `k`, `by` and perhaps `within`"),
    ("an array of length 2", "two of them: the first and the last"),
];

/// What is wrong with a text that is not of the form: where, the nearest field, the line.
fn reason(text: &str, error: &serde_json::Error) -> String {
    let said = error.to_string();
    let mut what = said.split(" at line ").next().unwrap_or(&said).to_owned();
    for (theirs, ours) in SHAPES {
        what = what.replace(theirs, ours);
    }
    let mut quoted = what.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| what.starts_with("unknown field"));
    let near = unknown.and_then(|field| nearest(field, quoted));
    if let Some(near) = near {
        what = format!("{what}; did you mean `{near}`?");
    }
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let mut start = lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let place = Source::text(text).place(Span { start, end: start + 1 });
    format!("{}: {what}\n{}", place.head(), place.marked())
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Self::try_from(QueryForm::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Query {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let text = |clause: &Clause| print::expression(&clause.expr);
        let texts = |list: &[Clause]| list.iter().map(text).collect::<Vec<_>>();
        let periods: Vec<&str> = self.compare.iter().map(|period| period.word()).collect();
        let assumptions: Vec<_> = self.with.iter().map(|w| forms::ChangeMap(w)).collect();
        map.serialize_entry("from", &self.from.word.text)?;
        write(&mut map, "where", self.filter.as_ref().map(text))?;
        write(&mut map, "by", some(texts(&self.by)))?;
        write(&mut map, "measures", some(&self.measures[..]).map(forms::Named))?;
        write(&mut map, "matrix", some(&self.matrix[..]).map(forms::Listed))?;
        write(&mut map, "select", some(&self.select[..]).map(forms::Listed))?;
        write(&mut map, "having", self.having.as_ref().map(text))?;
        write(&mut map, "totals", self.totals.then_some(true))?;
        let order = |list: &[Order]| some(list.iter().map(print::order).collect::<Vec<_>>());
        let top = self.top.as_ref();
        let top = top.map(|top| forms::top(top, texts(&top.within), order(&top.order)));
        write(&mut map, "top", top)?;
        write(&mut map, "order", order(&self.order))?;
        write(&mut map, "limit", self.limit)?;
        write(&mut map, "offset", (self.offset > 0).then_some(self.offset))?;
        write(&mut map, "after", self.after.as_ref())?;
        write(&mut map, "over", self.over.as_ref().map(forms::months))?;
        write(&mut map, "compare", some(periods))?;
        write(&mut map, "flow", self.flow.as_ref().map(forms::ends))?;
        write(&mut map, "sets", some(&self.sets[..]).map(forms::SetMap))?;
        write(&mut map, "with", some(assumptions))?;
        write(&mut map, "publish", self.publish.map(forms::cells))?;
        write(&mut map, "as_of", self.as_of.map(calendar::date_text))?;
        write(&mut map, "explain", self.explain.then_some(true))?;
        map.end()
    }
}

/// A field that is left out where there is nothing to say.
fn write<M: SerializeMap>(
    map: &mut M,
    name: &str,
    value: Option<impl Serialize>,
) -> std::result::Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, &value))
}

/// A list that has something in it.
fn some<T, L: AsRef<[T]>>(list: L) -> Option<L> {
    (!list.as_ref().is_empty()).then_some(list)
}
