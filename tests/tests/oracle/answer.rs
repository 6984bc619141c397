//! Answers of both sides as rows of cells that can be compared.

use yiku_queries::{Answer, Role, Values};

/// One cell of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shown {
    Unknown,
    Int(i64),
    Float(f64),
    Text(String),
}

/// The rows of an answer, each with its level first; groups as texts.
pub(crate) fn rows(answer: &Answer) -> Vec<Vec<Shown>> {
    let level = |row: usize| answer.levels.get(row).copied().unwrap_or(0);
    let cell = |values: &Values, row: usize| match values {
        Values::Int(values) => values[row].map_or(Shown::Unknown, Shown::Int),
        Values::Float(values) => values[row].map_or(Shown::Unknown, Shown::Float),
        Values::Text(values) => {
            values[row].as_ref().map_or(Shown::Unknown, |text| Shown::Text(text.to_string()))
        }
        Values::TextLists(values) => {
            values[row].as_ref().map_or(Shown::Unknown, |list| Shown::Text(list.join(" ")))
        }
        Values::IntLists(values) => {
            values[row].as_ref().map_or(Shown::Unknown, |list| Shown::Text(format!("{list:?}")))
        }
        Values::FloatLists(values) => {
            values[row].as_ref().map_or(Shown::Unknown, |list| Shown::Text(format!("{list:?}")))
        }
    };
    let row = |row: usize| {
        let cells = answer.columns.iter().map(|column| match cell(&column.values, row) {
            Shown::Int(value) if column.role == Role::Group => Shown::Text(value.to_string()),
            other => other,
        });
        std::iter::once(Shown::Int(level(row).into())).chain(cells).collect()
    };
    (0..answer.rows).map(row).collect()
}

/// What a row is sorted and found by: its level and its groups.
fn key(row: &[Shown], groups: usize) -> String {
    format!("{:?}", row.get(..=groups).unwrap_or_default())
}

/// Whether two cells are equal: integers exactly, floats but for the order of additions. Half a
/// yuan is an integer in fen, where SQL made it a float.
fn same(a: &Shown, b: &Shown) -> bool {
    match (a, b) {
        (Shown::Int(a), Shown::Float(b)) => *a as f64 == *b,
        (Shown::Float(a), Shown::Float(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        _ => a == b,
    }
}

/// The first difference between two answers whose rows may stand in any order.
pub(crate) fn difference(
    ours: &[Vec<Shown>],
    theirs: &[Vec<Shown>],
    groups: usize,
) -> Option<String> {
    let sorted = |rows: &[Vec<Shown>]| {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|row| key(row, groups));
        rows
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    for place in 0..ours.len().max(theirs.len()) {
        let (a, b) = (ours.get(place), theirs.get(place));
        let equal = match (a, b) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            _ => false,
        };
        if !equal {
            let count = (ours.len(), theirs.len());
            return Some(format!("rows {count:?}, row {place}\n  ours   {a:?}\n  theirs {b:?}"));
        }
    }
    None
}

#[test]
fn a_difference_is_found() {
    let row = |n| vec![Shown::Int(0), Shown::Text("a".to_owned()), Shown::Float(n)];
    assert_eq!(difference(&[row(1.0)], &[row(1.0)], 1), None);
    assert!(difference(&[row(1.0)], &[row(1.1)], 1).is_some());
    assert!(difference(&[row(1.0)], &[], 1).is_some());
    let other = vec![Shown::Int(0), Shown::Unknown, Shown::Float(1.0)];
    assert_eq!(difference(&[row(1.0), other.clone()], &[other.clone(), row(1.0)], 1), None);
    assert!(difference(&[row(1.0)], &[other], 1).is_some());
}
