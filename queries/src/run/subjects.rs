//! The rows that a filter leaves, one by one: their keys, their place, and values to show. For
//! programs that must know whom a rule speaks of; no text of a question reaches this.
//!
//! Invariant: the subjects are the same, in the same order, for any number of threads and any
//! spread of the rows over segments.

use std::cell::Cell as Steps;
use std::collections::HashMap;

use yiku::{RowSet, Schema, Segment, Snapshot, calendar};

use super::fold;
use super::morsels::{cut, windows};
use super::scan::Scan;
use crate::ast::Expr;
use crate::bound::{Condition, Value};
use crate::check::{Checker, Type, What};
use crate::context::Named;
use crate::error::Result;
use crate::household::Standards;
use crate::numbers::Number;
use crate::plan::Limits;
use crate::print;
use crate::source::Source;

/// Bytes that keys and texts of subjects take at most, as far as is known before.
const KEYS_BYTES: u64 = 64 << 20;

/// Which rows of a table to find, and what to read of them.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) table: usize,
    filter: Vec<Condition>,
    shown: Vec<Shown>,
}

/// A value to show.
#[derive(Debug, Clone)]
enum Shown {
    Flag(Condition),
    /// With whether a plain number stands for yuan.
    Number(Number, Value, bool),
    Date(Value),
    Month(Value),
    Code(usize, Value),
}

/// A row that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    /// Digits of the root row's place.
    pub(crate) region: String,
    /// The key of the root row.
    pub(crate) root: String,
    /// The row's own key, where it is not the root row.
    pub(crate) own: Option<String>,
    /// The values, as people write them; none where unknown.
    pub(crate) shown: Vec<Option<String>>,
}

/// A row before its keys are read.
struct Row {
    root: u32,
    own: u32,
    shown: Vec<Option<String>>,
}

impl Selection {
    /// Binds a condition on the rows of a table to a snapshot, and the values to show, each with
    /// whether plain numbers in it are yuan.
    pub(crate) fn new(
        snapshot: &Snapshot,
        (table, standards): (usize, &Standards),
        condition: &Expr,
        shown: &[(Expr, bool)],
        as_of: i64,
    ) -> Result<Self> {
        let (steps, source) = (Steps::new(0), Source::text(&print::expression(condition)));
        let (schema, tree) = (snapshot.schema(), Some(snapshot.tree()));
        let checker = Checker::new(schema, tree, table, Some(as_of), (&source, &steps));
        let named = Named { parameters: Some(standards), table, ..Named::default() };
        let checker = Checker { named, ..checker };
        let filter = crate::plan::filter(&checker, condition)?;
        let shown = shown
            .iter()
            .map(|(expr, yuan)| Shown::new(&checker, expr, *yuan))
            .collect::<Result<_>>()?;
        let filter = filter.into_iter().map(|(_, condition)| condition).collect();
        Ok(Self { table, filter, shown })
    }
}

impl Shown {
    fn new(checker: &Checker<'_>, expr: &Expr, yuan: bool) -> Result<Self> {
        let typed = checker.check(expr)?;
        let table = checker.table;
        Ok(match (typed.kind, typed.what) {
            (_, What::Condition(condition)) => Self::Flag(condition.at(table)),
            (Type::Number(number), What::Value(value)) => {
                Self::Number(number, value.at(table), yuan)
            }
            (Type::Date, What::Value(value)) => Self::Date(value.at(table)),
            (Type::Month, What::Value(value)) => Self::Month(value.at(table)),
            (Type::Code(list), What::Value(value)) => Self::Code(list, value.at(table)),
            (kind, _) => {
                let found = checker.word(kind);
                return Err(checker.wrong(expr.span, format!("{found} is not shown")));
            }
        })
    }

    /// The values of some rows, in their order.
    fn of(&self, scan: &Scan<'_>, schema: &Schema, rows: &RowSet) -> Result<Vec<Option<String>>> {
        let value = match self {
            Self::Flag(condition) => {
                let (yes, no) = scan.both(condition, rows)?;
                let told = |row| match (yes.contains(row), no.contains(row)) {
                    (true, _) => Some("true".to_owned()),
                    (_, true) => Some("false".to_owned()),
                    _ => None,
                };
                return Ok(rows.iter().map(told).collect());
            }
            Self::Number(_, value, _) | Self::Date(value) | Self::Month(value) => value,
            Self::Code(_, value) => value,
        };
        let vector = scan.value(value, rows)?;
        let told = |row| {
            if !vector.known.contains(row) {
                return None;
            }
            let exact = vector.exact(row);
            match self {
                Self::Flag(_) => None,
                Self::Date(_) => Some(calendar::date_text(exact)),
                Self::Month(_) => Some(calendar::month_text(exact)),
                Self::Code(list, _) => {
                    let code = usize::try_from(exact).ok()?;
                    Some(schema.lists.get(*list)?.codes.get(code)?.label.clone())
                }
                Self::Number(number, _, yuan) => Some(if number.float {
                    float(vector.float(row), *number)
                } else {
                    decimal(exact, *number, *yuan)
                }),
            }
        };
        Ok(rows.iter().map(told).collect())
    }
}

/// An exact number with its decimals; an amount in yuan, to the fen.
fn decimal(value: i64, number: Number, yuan: bool) -> String {
    let (mut value, mut scale) = (i128::from(value), u32::from(number.scale));
    if number.money {
        scale += 2;
    }
    if number.money || yuan {
        let ten = |exponent: u32| 10i128.saturating_pow(exponent);
        let over = ten(scale.saturating_sub(2));
        value = (2 * value * ten(2u32.saturating_sub(scale)) + over).div_euclid(2 * over);
        scale = 2;
    }
    if scale == 0 {
        return value.to_string();
    }
    let unit = 10u128.saturating_pow(scale);
    let (sign, size) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    format!("{sign}{}.{:0width$}", size / unit, size % unit, width = scale as usize)
}

/// A float to the fen or to a hundredth.
fn float(value: f64, number: Number) -> String {
    let value = if number.money { value / 100.0 } else { value };
    format!("{value:.2}")
}

/// The subjects of every selection, each in the order of places and keys.
pub(crate) fn subjects(
    snapshot: &Snapshot,
    selections: &[Selection],
    limits: &Limits,
) -> Result<Vec<Vec<Subject>>> {
    let mut joined: Vec<Vec<Subject>> = selections.iter().map(|_| Vec::new()).collect();
    let longest = |segment: &Segment| {
        (0..snapshot.schema().tables.len()).max_by_key(|table| segment.rows(*table)).unwrap_or(0)
    };
    let parts = limits.within(KEYS_BYTES, |within| {
        let mut pieces = Vec::new();
        for segment in snapshot.segments() {
            let roots = cut(segment, longest(segment), 0..segment.rows(0))?;
            pieces.extend(roots.into_iter().map(|roots| (segment, roots)));
        }
        let state = || Ok(selections.iter().map(|_| Vec::new()).collect());
        fold(within, pieces.len(), state, |found: &mut Vec<Vec<Subject>>, item| {
            let Some((segment, roots)) = pieces.get(item) else { return Ok(()) };
            let windows = windows(snapshot.schema(), segment, 0, roots)?;
            let scan = Scan::of(segment, snapshot.schema(), within, windows);
            let own = part(&scan, snapshot, selections)?;
            found.iter_mut().zip(own).for_each(|(found, own)| found.extend(own));
            Ok(())
        })
    })?;
    for part in parts {
        for (joined, found) in joined.iter_mut().zip(part) {
            joined.extend(found);
        }
    }
    joined.iter_mut().for_each(|found| found.sort());
    Ok(joined)
}

/// The subjects of one piece. Keys of all selections are read together: a block of texts is
/// decoded once, however many rules point at its rows.
fn part(
    scan: &Scan<'_>,
    snapshot: &Snapshot,
    selections: &[Selection],
) -> Result<Vec<Vec<Subject>>> {
    let (schema, segment) = (snapshot.schema(), scan.segment);
    let mut found: Vec<Vec<Row>> = Vec::with_capacity(selections.len());
    let mut asked: HashMap<usize, RowSet> = HashMap::new();
    let mut roots = RowSet::none_in(scan.window(0));
    for selection in selections {
        scan.run.check()?;
        let rows = rows_of(scan, schema, selection)?;
        rows.iter().for_each(|row| roots.insert(row.root));
        if selection.table != 0 {
            let own = asked.entry(selection.table);
            let own = own.or_insert_with(|| RowSet::none_in(scan.window(selection.table)));
            rows.iter().for_each(|row| own.insert(row.own));
        }
        found.push(rows);
    }
    let regions = places(scan, snapshot, &roots)?;
    let root_keys = keys(segment, schema, 0, &roots)?;
    let mut own_keys: HashMap<usize, HashMap<u32, String>> = HashMap::new();
    for (table, rows) in &asked {
        own_keys.insert(*table, keys(segment, schema, *table, rows)?);
    }
    let text = |keys: Option<&HashMap<u32, String>>, row| keys?.get(&row).cloned();
    let subject = |selection: &Selection, row: Row| Subject {
        region: regions.get(&row.root).cloned().unwrap_or_default(),
        root: root_keys.get(&row.root).cloned().unwrap_or_default(),
        own: (selection.table != 0)
            .then(|| text(own_keys.get(&selection.table), row.own).unwrap_or_default()),
        shown: row.shown,
    };
    let pairs = selections.iter().zip(found);
    Ok(pairs.map(|(s, rows)| rows.into_iter().map(|row| subject(s, row)).collect()).collect())
}

fn rows_of(scan: &Scan<'_>, schema: &Schema, selection: &Selection) -> Result<Vec<Row>> {
    let table = selection.table;
    let mut rows = scan.segment.live_in(table, scan.window(table))?;
    for condition in &selection.filter {
        rows = scan.rows(condition, true, &rows)?;
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut shown = Vec::with_capacity(selection.shown.len());
    for value in &selection.shown {
        shown.push(value.of(scan, schema, &rows)?.into_iter());
    }
    let offsets = if table == 0 { None } else { Some(scan.offsets(0, table)?) };
    let root = |row: u32| match &offsets {
        None => row,
        Some(offsets) => {
            let place = offsets.partition_point(|start| *start <= row).saturating_sub(1);
            u32::try_from(place).unwrap_or(u32::MAX)
        }
    };
    let row = |own| {
        let values = shown.iter_mut().map(|values| values.next().flatten()).collect();
        Row { root: root(own), own, shown: values }
    };
    Ok(rows.iter().map(row).collect())
}

/// The digits of the places of some root rows.
fn places(scan: &Scan<'_>, snapshot: &Snapshot, rows: &RowSet) -> Result<HashMap<u32, String>> {
    let column = snapshot.schema().path_column();
    let vector = scan.value(&Value::column(0, column), rows)?;
    let tree = snapshot.tree();
    let width = tree.levels().last().map_or(0, |level| usize::from(level.digits));
    let told = |row: u32| {
        let code = vector.exact(row);
        let node = u64::try_from(code).ok().and_then(|code| tree.get(code));
        (row, node.map_or_else(|| format!("{code:0width$}"), |node| tree.prefix(node)))
    };
    Ok(rows.iter().map(told).collect())
}

/// The keys of some rows of a table.
pub(super) fn keys(
    segment: &Segment,
    schema: &Schema,
    table: usize,
    rows: &RowSet,
) -> Result<HashMap<u32, String>> {
    let place = schema.tables.get(table).map_or(0, |t| t.key);
    let mut found = HashMap::new();
    segment.column(table, place)?.texts_of(rows, &mut |row, text| {
        found.insert(row, text.to_owned());
    })?;
    Ok(found)
}
