//! Answers as rows of plain values, the same from every engine, and how they are compared.
//!
//! Invariant: a code is its number, a place its digits as a number, a month the months since year
//! 0, a flag 0 or 1, a set of codes its bits, money whole fen; a day is a text.

use std::collections::HashMap;

use serde_json::Value as Json;
use yiku::Schema;
use yiku_queries::{Answer, AnswerColumn, AnswerKind, Values};

use crate::Outcome;
use crate::questions::Flat;

/// How far two floats may be apart, as a part of the greater.
pub(crate) const NEAR: f64 = 1e-9;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Unknown,
    Int(i64),
    Float(f64),
    Text(String),
}

/// One row of an answer.
pub(crate) type Row = Vec<Cell>;

/// What the names of codes stand for.
pub(crate) struct Codes {
    /// The code of a name as a number.
    number: HashMap<String, i64>,
    /// The place of a name in its list.
    place: HashMap<String, u32>,
}

impl Codes {
    pub(crate) fn new(schema: &Schema) -> Self {
        let (mut number, mut place) = (HashMap::new(), HashMap::new());
        for list in &schema.lists {
            for (at, code) in (0u32..).zip(&list.codes) {
                let own = code.code.parse().unwrap_or_else(|_| i64::from(at) + 1);
                number.insert(code.name.clone(), own);
                place.insert(code.name.clone(), at);
            }
        }
        Self { number, place }
    }

    fn text(&self, kind: AnswerKind, text: &str) -> Cell {
        let number = match kind {
            AnswerKind::Code => self.number.get(text).copied(),
            AnswerKind::Path => text.parse().ok(),
            AnswerKind::Flag => Some(i64::from(text == "true")),
            AnswerKind::Month => month(text),
            AnswerKind::Band => Some(least(text)),
            _ => None,
        };
        number.map_or_else(|| Cell::Text(text.to_owned()), Cell::Int)
    }

    fn bits(&self, names: &[String]) -> Cell {
        let bit = |name: &String| self.place.get(name).map_or(0, |place| 1i64 << place);
        Cell::Int(names.iter().map(bit).sum())
    }

    /// The value of a column in a row; lists are none.
    fn cell(&self, column: &AnswerColumn, row: usize) -> Option<Cell> {
        let known = |cell: Option<Cell>| Some(cell.unwrap_or(Cell::Unknown));
        match &column.values {
            Values::Int(values) => known(values.get(row)?.map(Cell::Int)),
            Values::Float(values) => known(values.get(row)?.map(Cell::Float)),
            Values::Text(values) => {
                known(values.get(row)?.as_ref().map(|text| self.text(column.kind, text)))
            }
            Values::TextLists(values) => {
                known(values.get(row)?.as_ref().map(|names| self.bits(names)))
            }
            Values::IntLists(_) | Values::FloatLists(_) => None,
        }
    }

    /// The rows of an answer, totals and labels left out.
    pub(crate) fn rows(&self, answer: &Answer, flat: Option<Flat>) -> Vec<Row> {
        match flat {
            None => (0..answer.rows)
                .map(|row| answer.columns.iter().filter_map(|c| self.cell(c, row)).collect())
                .collect(),
            Some(Flat::Bins) => (0..answer.rows).flat_map(|row| self.bins(answer, row)).collect(),
            Some(Flat::Pairs) => (0..answer.rows).flat_map(|row| self.pairs(answer, row)).collect(),
        }
    }

    /// A row for each count of a histogram that is not 0: the groups, its part, the count.
    fn bins(&self, answer: &Answer, row: usize) -> Vec<Row> {
        let groups: Row = answer.columns.iter().filter_map(|c| self.cell(c, row)).collect();
        let counts = answer.columns.iter().find_map(|column| match &column.values {
            Values::IntLists(lists) => lists.get(row)?.clone(),
            _ => None,
        });
        let counts = (0..).zip(counts.unwrap_or_default()).filter(|(_, count)| *count != 0);
        counts
            .map(|(part, count)| {
                let mut row = groups.clone();
                row.extend([Cell::Int(part), Cell::Int(count)]);
                row
            })
            .collect()
    }

    /// A row for each count of a matrix that is not 0, on the diagonal and right of it.
    fn pairs(&self, answer: &Answer, row: usize) -> Vec<Row> {
        let counts = answer.columns.iter().skip(1).filter_map(|c| self.cell(c, row));
        let (from, own) = (i64::try_from(row).unwrap_or(0), (0i64..).zip(counts));
        own.filter(|(to, count)| *to >= from && *count != Cell::Int(0))
            .map(|(to, count)| vec![Cell::Int(from), Cell::Int(to), count])
            .collect()
    }
}

/// `2026-10` as months since year 0.
fn month(text: &str) -> Option<i64> {
    let (year, month) = text.split_once('-')?;
    Some(year.parse::<i64>().ok()? * 12 + month.parse::<i64>().ok()? - 1)
}

/// The lower bound of a band, or -1 of what lies beneath all.
fn least(band: &str) -> i64 {
    let digits: String =
        band.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    if band.starts_with('<') { -1 } else { digits.parse().unwrap_or(-1) }
}

/// The rows that a rival handed over.
pub(crate) fn of_json(rows: &Json) -> Outcome<Vec<Row>> {
    let cell = |value: &Json| -> Outcome<Cell> {
        Ok(match value {
            Json::Null => Cell::Unknown,
            Json::Bool(flag) => Cell::Int(i64::from(*flag)),
            Json::String(text) => Cell::Text(text.clone()),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Cell::Int(int),
                (None, Some(float)) => Cell::Float(float),
                (None, None) => return Err(format!("{number} is no number").into()),
            },
            other => return Err(format!("{other} is no value").into()),
        })
    };
    let rows = rows.as_array().ok_or("an answer without rows")?;
    rows.iter()
        .map(|row| row.as_array().ok_or("a row that is none")?.iter().map(cell).collect())
        .collect()
}

fn order(left: &Cell, right: &Cell) -> std::cmp::Ordering {
    let rank = |cell: &Cell| match cell {
        Cell::Unknown => 2,
        Cell::Text(_) => 1,
        Cell::Int(_) | Cell::Float(_) => 0,
    };
    match (left, right) {
        (Cell::Int(left), Cell::Int(right)) => left.cmp(right),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            _ => rank(left).cmp(&rank(right)),
        },
    }
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        // Counts and sums here are below 2^53.
        Cell::Int(int) => Some(*int as f64),
        Cell::Float(float) => Some(*float),
        _ => None,
    }
}

fn same(left: &Cell, right: &Cell, near: f64) -> bool {
    match (left, right) {
        (Cell::Int(left), Cell::Int(right)) => left == right,
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => (left - right).abs() <= near * left.abs().max(right.abs()),
            _ => left == right,
        },
    }
}

/// Puts rows in the order of their values.
pub(crate) fn sort(rows: &mut [Row]) {
    rows.sort_by(|left, right| {
        let cells = left.iter().zip(right).map(|(left, right)| order(left, right));
        cells.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}

/// Says where two answers differ, if they do.
pub(crate) fn difference(left: &[Row], right: &[Row], near: f64) -> Option<String> {
    if left.len() != right.len() {
        let first = |rows: &[Row]| format!("{:?}", rows.iter().take(3).collect::<Vec<_>>());
        let (own, other) = (first(left), first(right));
        return Some(format!("{} rows and {}: {own} … {other} …", left.len(), right.len()));
    }
    let mut pairs = left.iter().zip(right).enumerate();
    pairs.find_map(|(at, (left, right))| {
        let equal =
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r, near));
        (!equal).then(|| format!("row {at}: {left:?} and {right:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(int: i64, float: f64, text: &str) -> Row {
        vec![Cell::Int(int), Cell::Float(float), Cell::Text(text.to_owned()), Cell::Unknown]
    }

    #[test]
    fn an_answer_that_is_off_is_told() {
        let right = [row(1, 2.5, "a"), row(-3, 1e9, "b")];
        let near = [row(1, 2.5 + 1e-10, "a"), row(-3, 1e9 + 0.5, "b")];
        assert_eq!(difference(&right, &near, NEAR), None);
        let wrong = [
            vec![row(2, 2.5, "a"), row(-3, 1e9, "b")],
            vec![row(1, 2.5 + 1e-7, "a"), row(-3, 1e9, "b")],
            vec![row(1, 2.5, "c"), row(-3, 1e9, "b")],
            vec![row(1, 2.5, "a")],
            vec![row(1, 2.5, "a"), row(-3, 1e9, "b")[..3].to_vec()],
            vec![
                row(1, 2.5, "a"),
                vec![Cell::Int(-3), Cell::Float(1e9), Cell::Unknown, Cell::Int(0)],
            ],
        ];
        for wrong in wrong {
            assert!(difference(&right, &wrong, NEAR).is_some(), "{wrong:?}");
        }
        let (large, off) = ([vec![Cell::Int(1 << 60)]], [vec![Cell::Int((1 << 60) + 1)]]);
        assert!(difference(&large, &off, NEAR).is_some());
    }

    #[test]
    fn rows_have_one_order_whatever_they_came_in() {
        let mut left = [row(2, 0.0, "a"), row(1, 0.5, "b"), row(1, 0.5, "a"), vec![Cell::Unknown]];
        let mut right = left.clone();
        right.reverse();
        sort(&mut left);
        sort(&mut right);
        assert_eq!(left, right);
        assert_eq!(left.last(), Some(&vec![Cell::Unknown]));
    }

    #[test]
    fn texts_that_stand_for_numbers_are_read() {
        assert_eq!(month("2026-10"), Some(2026 * 12 + 9));
        assert_eq!(["<18", "18\u{2013}59", "[18,60)", "\u{2265}80"].map(least), [-1, 18, 18, 80]);
        let said = serde_json::json!([[1, 1.5, null, true, "x"]]);
        let text = Cell::Text("x".to_owned());
        let cells = vec![Cell::Int(1), Cell::Float(1.5), Cell::Unknown, Cell::Int(1), text];
        assert_eq!(of_json(&said).ok(), Some(vec![cells]));
    }
}
