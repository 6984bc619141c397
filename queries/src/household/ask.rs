//! Any expression of the language, asked of one bundle of any schema that is in no database.
//!
//! The expression is read and checked as for the registry; every condition that it joins by
//! `and`, `or` and `not` is told by itself. The outcome is that of the registry over a database
//! which holds this bundle alone.

use std::cell::Cell as Steps;

use yiku::{PathTree, Schema, calendar};

use super::bundle;
use super::change::Turned;
use super::clause::Outcome;
use super::reach::Varied;
use super::rows::{Cell, Rows};
use super::scalar::{Number, Read, Scalar};
use super::shown::{cell_path, cell_text, number_text, place_text, row_path};
use super::told::{ClauseTold, Computed, RowTold, Told, ValueRead};
use super::{Error, Result};
use crate::ast::{Call, Expr, ExprKind};
use crate::bound::{Condition, Fold, Function, Term, Value};
use crate::check::{Bands, Bounds, Checker, Type, Typed, What};
use crate::context::{Context, Named};
use crate::nearest::nearest;
use crate::parse;
use crate::print;
use crate::source::{Source, Span};

/// Conditions and values that are computed for the outcomes of one question.
const STEPS_MAX: u64 = 2_000_000;
/// Those that are computed to find what would turn its clauses.
const CHANGE_STEPS_MAX: u64 = 2_000_000;
/// Clauses that are told, of all rows together.
const CLAUSES_MAX: usize = 20_000;
/// Values that are listed of one clause.
const READ_MAX: usize = 64;
/// Values that are listed of all clauses together.
const LISTED_MAX: usize = 20_000;

/// What an expression is asked in the light of.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// What the bundle may say.
    pub schema: &'a Schema,
    /// The places that there are; without them the digits of a place alone say where it lies.
    pub tree: Option<&'a PathTree>,
    /// The table whose rows are asked; without, the first that the expression fits, the root
    /// first.
    pub table: Option<&'a str>,
    /// The day, in days since 1970-01-01.
    pub as_of: Option<i64>,
    /// What `$name` and `in set` stand for.
    pub context: Context<'a>,
}

impl<'a> Asking<'a> {
    /// Of the first table that fits, on no day, without anything but the schema.
    #[must_use]
    pub fn of(schema: &'a Schema) -> Self {
        Self { schema, tree: None, table: None, as_of: None, context: Context::default() }
    }
}

/// Asks an expression of the rows of one bundle. The bundle is JSON: the columns of the root row
/// by their names, and the rows of each table beneath it as a list under the table's name.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use yiku_queries::household::{Asking, Outcome, ask};
///
/// let schema = yiku::Schema::from_toml(include_str!("../../tests/schemas/farm.toml"))?;
/// let farm = r#"{"hectares": 12, "field": [{"crop": "wheat", "size": 7}, {"crop": "R"}]}"#;
/// let told = ask(&Asking::of(&schema), farm, "sum(field.size) > hectares")?;
/// let clause = &told.rows[0].clause;
/// assert_eq!(clause.outcome, Some(Outcome::NotMet));
/// let change = &clause.changes[0];
/// assert_eq!((change.path.as_str(), change.to[0].as_str()), ("hectares", "6"));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Bundle`] with the path of what is wrong with the bundle; [`Error::Asked`] with what is
/// wrong with the expression, or why it has no answer.
pub fn ask(asking: &Asking<'_>, bundle: &str, expression: &str) -> Result<Told> {
    ask_within(asking, bundle, expression, CHANGE_STEPS_MAX)
}

/// As [`ask`], with so many steps for the search of what would turn the clauses.
pub(super) fn ask_within(
    asking: &Asking<'_>,
    bundle: &str,
    expression: &str,
    change_steps: u64,
) -> Result<Told> {
    let asked = |source| Error::Asked { source };
    let (schema, as_of) = (asking.schema, asking.as_of);
    let rows = bundle::read(schema, asking.tree, bundle)?;
    let source = Source::text(expression);
    let expr = parse::expression(&source).map_err(asked)?;
    let asker = Asker { asking, source: &source };
    let (table, typed) = asker.fitted(&expr).map_err(asked)?;
    let node = asker.node(table, &expr).map_err(asked)?;
    let (clauses, count) = (node.count(), rows.tables.get(table).map_or(0, Vec::len));
    if clauses.saturating_mul(count) > CLAUSES_MAX {
        let (found, limit) = (clauses.saturating_mul(count) as u64, CLAUSES_MAX as u64);
        let what = "the number of clauses times rows";
        return Err(asked(crate::Error::Limit { what, found, limit, place: None }));
    }
    let teller = Teller {
        schema,
        rows: &rows,
        scalar: Scalar::new(schema, &rows).limited(STEPS_MAX),
        search: Scalar::new(schema, &rows).limited(change_steps),
        table,
        listed: Steps::new(LISTED_MAX),
    };
    let told = (0..count).map(|row| teller.row(&node, &typed, row));
    Ok(Told {
        expression: print::expression(&expr),
        table: schema.tables.get(table).map_or_else(String::new, |t| t.name.clone()),
        kind: typed.kind.word(schema),
        as_of: as_of.map(calendar::date_text),
        rows: told.collect::<crate::Result<_>>().map_err(asked)?,
    })
}

/// An expression being asked.
struct Asker<'a> {
    asking: &'a Asking<'a>,
    source: &'a Source,
}

/// A clause, bound.
struct Node {
    text: String,
    /// None where the expression is no condition.
    condition: Option<Condition>,
    joined: Option<&'static str>,
    parts: Vec<Node>,
    /// Values that are more than a column or a constant: text, kind, value.
    computed: Vec<(String, Type, Value)>,
    /// Texts and codes of places that it names.
    texts: Vec<String>,
    /// What it counts, where that is all that it asks of the rows beneath.
    counted: Option<(String, Varied)>,
}

impl Node {
    fn count(&self) -> usize {
        1 + self.parts.iter().map(Self::count).sum::<usize>()
    }
}

impl Asker<'_> {
    /// Calls `ask` with a checker for the rows of a table.
    fn checked<T>(&self, table: usize, ask: impl FnOnce(&Checker<'_>) -> T) -> T {
        let steps = Steps::new(0);
        let Asking { schema, tree, as_of, context, .. } = *self.asking;
        let named = Named {
            parameters: context.parameters,
            saved: context.sets,
            table,
            ..Named::default()
        };
        let checker = Checker::new(schema, tree, table, as_of, (self.source, &steps));
        ask(&Checker { named, ..checker })
    }

    /// The table that is named, else the first that the expression fits; where it fits none, the
    /// error of the table where it was understood the furthest.
    fn fitted(&self, expr: &Expr) -> crate::Result<(usize, Typed)> {
        let schema = self.asking.schema;
        let names = || schema.tables.iter().map(|t| t.name.as_str());
        if let Some(name) = self.asking.table {
            let found = schema.table_index(name);
            let table = found.ok_or_else(|| crate::Error::UnknownTable {
                name: name.to_owned(),
                reach: "in the schema".to_owned(),
                suggestion: nearest(name, names()),
                place: self.source.place(Span::default()),
            })?;
            return Ok((table, self.checked(table, |checker| checker.check(expr))?));
        }
        let mut furthest: Option<crate::Error> = None;
        for table in 0..schema.tables.len() {
            match self.checked(table, |checker| checker.check(expr)) {
                Ok(typed) => return Ok((table, typed)),
                Err(error) => {
                    let before = furthest.as_ref().and_then(crate::Error::position);
                    if furthest.is_none() || error.position() > before {
                        furthest = Some(error);
                    }
                }
            }
        }
        Err(furthest.unwrap_or(crate::Error::MissingAsOf))
    }

    fn node(&self, table: usize, expr: &Expr) -> crate::Result<Node> {
        let (joined, parts) = match &expr.kind {
            ExprKind::And(parts) => (Some("and"), parts.as_slice()),
            ExprKind::Or(parts) => (Some("or"), parts.as_slice()),
            ExprKind::Not(inner) => (Some("not"), std::slice::from_ref(&**inner)),
            _ => (None, &[][..]),
        };
        let condition = match self.checked(table, |checker| checker.check(expr))?.what {
            What::Condition(condition) => Some(condition.at(table)),
            _ => None,
        };
        let named = Names::of(expr);
        Ok(Node {
            text: print::expression(expr),
            condition,
            joined,
            parts: parts.iter().map(|p| self.node(table, p)).collect::<crate::Result<_>>()?,
            computed: if joined.is_none() { self.computed(table, expr) } else { Vec::new() },
            counted: match (named.folds.as_slice(), named.others) {
                ([only], 0) => self.counted(table, only),
                _ => None,
            },
            texts: named.texts,
        })
    }

    /// The values that a clause compares, where they are computed.
    fn computed(&self, table: usize, expr: &Expr) -> Vec<(String, Type, Value)> {
        let sides: Vec<&Expr> = match &expr.kind {
            ExprKind::Compare(_, left, right) => vec![left, right],
            ExprKind::Between(value, low, high) => vec![value, low, high],
            ExprKind::In(value, _) | ExprKind::Is(value, _) => vec![value],
            _ => Vec::new(),
        };
        let mut found = Vec::new();
        for side in sides {
            if matches!(side.kind, ExprKind::Name(_)) {
                continue;
            }
            let typed = self.checked(table, |checker| checker.check(side));
            if let Ok(Typed { kind, what: What::Value(value), .. }) = typed
                && !matches!(value.kind, Term::Constant(_) | Term::ConstantFloat(_))
            {
                found.push((print::expression(side), kind, value.at(table)));
            }
        }
        found
    }

    /// How many rows beneath a quantifier or a count asks for: its text, and what is counted.
    fn counted(&self, table: usize, call: &Call) -> Option<(String, Varied)> {
        let [Expr { kind: ExprKind::Name(words), .. }] = call.arguments.as_slice() else {
            return None;
        };
        let [child] = words.as_slice() else { return None };
        let place = self.asking.schema.table_index(&child.text)?;
        let filter = call.filter.as_deref();
        let condition = |filter: &Expr| {
            let checked = self.checked(place, |checker| checker.condition(filter));
            Some(checked.ok()?.at(place))
        };
        let condition = match filter {
            Some(filter) => Some(condition(filter)?),
            None => None,
        };
        let plain = filter.map(print::expression);
        let (text, condition) = match (call.name.text.as_str(), plain) {
            // What is not true keeps `all` from being met.
            ("all", Some(filter)) => {
                let text = format!("count({} where not coalesce({filter}, false))", child.text);
                (text, condition.map(|condition| condition.truth().not().at(place)))
            }
            ("all", None) => return None,
            (_, Some(filter)) => (format!("count({} where {filter})", child.text), condition),
            (_, None) => (format!("count({})", child.text), None),
        };
        // Only a table beneath the one that is asked has rows to count.
        let fits = self.checked(table, |checker| place != table && checker.is_above(table, place));
        fits.then_some((text, Varied::Count { child: place, condition }))
    }
}

/// What an expression names that a change may be looked for in.
#[derive(Default)]
struct Names {
    texts: Vec<String>,
    /// Quantifiers and counts.
    folds: Vec<Call>,
    /// What else may be over the rows beneath.
    others: usize,
}

impl Names {
    fn of(expr: &Expr) -> Self {
        let mut found = Self::default();
        expr.each(&mut |part| match &part.kind {
            ExprKind::Text(text) => found.texts.push(text.clone()),
            ExprKind::Within(_, list) => {
                for element in list {
                    if let ExprKind::Number(code) = &element.kind {
                        found.texts.push(code.clone());
                    }
                }
            }
            ExprKind::Call(call) => match call.name.text.as_str() {
                "per_capita" => found.others += 1,
                "any" | "none" | "all" | "count" => found.folds.push(call.clone()),
                "sum" | "avg" | "min" | "max" => found.others += 1,
                _ => {}
            },
            _ => {}
        });
        found
    }
}

/// Tells of the rows of one household.
struct Teller<'a> {
    schema: &'a Schema,
    rows: &'a Rows,
    scalar: Scalar<'a>,
    /// For the search of changes, with steps of its own.
    search: Scalar<'a>,
    table: usize,
    /// Values that may still be listed.
    listed: Steps<usize>,
}

impl Teller<'_> {
    fn row(&self, node: &Node, typed: &Typed, row: usize) -> crate::Result<RowTold> {
        let declared = self.schema.tables.get(self.table);
        let key = declared.and_then(|t| self.rows.cell(self.table, row, t.key));
        let path = row_path(self.schema, self.rows, self.table, row);
        let clause = self.clause(node, typed, row)?;
        let own = || declared.map_or_else(String::new, |t| t.name.clone());
        let value = match clause.outcome {
            Some(Outcome::Met) => Some("true".to_owned()),
            Some(Outcome::NotMet) => Some("false".to_owned()),
            Some(Outcome::Unknown) => None,
            None => self.value(typed, row)?,
        };
        Ok(RowTold {
            row: if path.is_empty() { own() } else { path },
            key: key.map(|key| self.text(declared.map_or(0, |t| t.key), key)),
            value,
            clause,
        })
    }

    fn text(&self, column: usize, cell: &Cell) -> String {
        cell_text(self.schema, (self.table, column), cell)
    }

    fn clause(&self, node: &Node, typed: &Typed, row: usize) -> crate::Result<ClauseTold> {
        self.scalar.take_read();
        let truth = match &node.condition {
            Some(condition) => self.scalar.truth(condition, row)?,
            None => {
                self.value(typed, row)?;
                None
            }
        };
        let read: Vec<Read> = self.scalar.take_read().into_iter().collect();
        let parts = node.parts.iter().map(|part| self.clause(part, typed, row));
        let parts: Vec<ClauseTold> = parts.collect::<crate::Result<_>>()?;
        let mut computed = Vec::with_capacity(node.computed.len());
        for (text, kind, value) in &node.computed {
            let number = self.scalar.value(value, row)?;
            let value = number.map(|number| number_text(self.schema, *kind, number));
            computed.push(Computed { text: text.clone(), value });
        }
        let unknown = |read: &&Read| self.rows.cell(read.0, read.2, read.1).is_none();
        let missing: Vec<String> = match (node.joined, truth) {
            (_, Some(_)) => Vec::new(),
            (None, None) => read.iter().filter(unknown).map(|read| self.path(*read)).collect(),
            (Some(_), None) => {
                let open = parts.iter().filter(|p| p.outcome == Some(Outcome::Unknown));
                let mut paths: Vec<String> = open.flat_map(|part| part.missing.clone()).collect();
                paths.sort_unstable();
                paths.dedup();
                paths
            }
        };
        let own = if node.joined.is_some() { &[][..] } else { read.as_slice() };
        let listed = own.get(..own.len().min(READ_MAX).min(self.listed.get())).unwrap_or_default();
        self.listed.set(self.listed.get() - listed.len());
        Ok(ClauseTold {
            text: node.text.clone(),
            outcome: node.condition.as_ref().map(|_| Outcome::of(truth)),
            joined: node.joined,
            parts,
            computed,
            read: listed.iter().map(|read| self.told(*read)).collect(),
            read_more: own.len() - listed.len(),
            missing,
            changes: match (&node.condition, truth) {
                (Some(condition), Some(outcome)) => {
                    self.changes(node, condition, (row, outcome), &read)?
                }
                _ => Vec::new(),
            },
        })
    }

    fn changes(
        &self,
        node: &Node,
        condition: &Condition,
        (row, outcome): (usize, bool),
        read: &[Read],
    ) -> crate::Result<Vec<super::told::Change>> {
        let mut counted = None;
        if let Some((text, varied)) = &node.counted
            && let Varied::Count { child, condition } = varied
        {
            let (child, condition) = (*child, condition.clone());
            let fold = Fold { child, function: Function::Count, argument: None, condition };
            let value = Value { table: self.table, kind: Term::Fold(Box::new(fold)) };
            let now = self.scalar.value(&value, row)?.map_or(0, Number::exact);
            counted = Some((text.as_str(), varied, now));
        }
        let texts = node.texts.as_slice();
        Turned { scalar: &self.search, condition, row, outcome, texts, counted }.changes(read)
    }

    fn path(&self, read: Read) -> String {
        cell_path(self.schema, self.rows, read)
    }

    fn told(&self, read: Read) -> ValueRead {
        let (table, column, row) = read;
        let declared = self.schema.tables.get(table);
        let name = declared.and_then(|t| t.columns.get(column)).map(|c| c.name.clone());
        let cell = self.rows.cell(table, row, column);
        ValueRead {
            path: self.path(read),
            table: declared.map_or_else(String::new, |t| t.name.clone()),
            row,
            column: name.unwrap_or_default(),
            value: cell.map(|cell| cell_text(self.schema, (table, column), cell)),
        }
    }

    /// The value of an expression that is no condition.
    fn value(&self, typed: &Typed, row: usize) -> crate::Result<Option<String>> {
        Ok(match &typed.what {
            What::Condition(_) | What::Duration { .. } => None,
            What::Text(text) => Some(text.clone()),
            What::Value(value) => {
                let number = self.scalar.value(&value.clone().at(self.table), row)?;
                number.map(|number| number_text(self.schema, typed.kind, number))
            }
            What::Band(value, bands) => {
                let number = self.scalar.value(&value.clone().at(self.table), row)?;
                number.and_then(|number| band(bands, number))
            }
            What::Column { table, column } => {
                let above = self.rows.above(self.schema, self.table, row, *table);
                let cell = self.scalar.read_cell((*table, *column, above));
                cell.map(|cell| cell_text(self.schema, (*table, *column), cell))
            }
            What::Level(level) => {
                let above = self.rows.above(self.schema, self.table, row, 0);
                let path = self.scalar.read_cell((0, self.schema.path_column(), above));
                match (path, self.schema.path.levels.get(*level)) {
                    (Some(Cell::Int(code)), Some(level)) => {
                        let mut digits = place_text(self.schema, *code);
                        let cut = digits.len() >= usize::from(level.digits);
                        digits.truncate(usize::from(level.digits));
                        cut.then_some(digits)
                    }
                    _ => None,
                }
            }
        })
    }
}

/// The name of the band that a number lies in.
fn band(bands: &Bands, number: Number) -> Option<String> {
    let place = match &bands.bounds {
        Bounds::Exact(bounds) => bounds.partition_point(|bound| *bound <= number.exact()),
        Bounds::Falling(bounds) => bounds.partition_point(|bound| *bound >= number.exact()),
        Bounds::Float(bounds) => bounds.partition_point(|bound| *bound <= number.float()),
    };
    bands.names.get(place).cloned()
}
