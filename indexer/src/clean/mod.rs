//! Cells become values: the one place where the text of a department gets a meaning.
//!
//! Invariants: an empty cell is unknown, never wrong; money never passes through a float; a cell
//! that is not plainly right is wrong: nothing is guessed.

mod date;
mod id_number;
mod money;

use std::borrow::Cow;

use yiku::PathTree;

use crate::contract::{CellKind, ColumnContract};
use crate::reject::Reason;
pub(crate) use id_number::id_text;

/// The value of a cell: none for an empty one.
///
/// # Errors
/// Why the cell is wrong.
pub(crate) fn value(
    column: &ColumnContract,
    tree: &PathTree,
    cell: &str,
) -> Result<Option<i64>, Reason> {
    let cell = trimmed(cell);
    if cell.is_empty() {
        return Ok(None);
    }
    if let Some(value) = column.words.get(cell) {
        return Ok(Some(*value));
    }
    let cell = narrow(cell);
    let found = match column.kind {
        CellKind::IdNumber => return id_number::parse(&cell).map(Some),
        CellKind::Code => column.words.get(&*cell).copied().ok_or(Reason::UnknownCode),
        CellKind::Flag => column.words.get(&*cell).copied().ok_or(Reason::BadFlag),
        CellKind::Path => {
            let node = tree.find(&cell).and_then(|node| i64::try_from(node.code).ok());
            node.ok_or(Reason::UnknownCode)
        }
        CellKind::Date => date::day(&cell).ok_or(Reason::ImpossibleDate),
        CellKind::Month => date::month(&cell).ok_or(Reason::ImpossibleDate),
        CellKind::Money => money::parse(&cell, 2).ok_or(Reason::BadAmount),
        CellKind::MoneyWan => money::parse(&cell, 6).ok_or(Reason::BadAmount),
        CellKind::Int => cell.parse().map_err(|_| Reason::BadNumber),
        CellKind::Text | CellKind::Ignored => return Ok(None),
    };
    found.map(Some)
}

/// The first seventeen digits of an ID number, if it is one.
pub(crate) fn parse_id(text: &str) -> Option<i64> {
    id_number::parse(&narrow(trimmed(text))).ok()
}

/// The cell without the spaces around it, narrow or wide.
pub(crate) fn trimmed(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// The cell with full-width digits, letters and signs as plain ones.
fn narrow(cell: &str) -> Cow<'_, str> {
    if cell.is_ascii() {
        return Cow::Borrowed(cell);
    }
    let plain = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    };
    Cow::Owned(cell.chars().map(plain).collect())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use crate::contract::Contracts;

    #[test]
    fn cells_are_read_as_departments_write_them() {
        let schema = crate::registry_schema().unwrap();
        let contracts = Contracts::embedded(&schema).unwrap();
        let tree = crate::parse_tree("code,name\n14,山西省\n", "t".as_ref(), &schema.path).unwrap();
        let check = |contract: &str, column: &str, cell: &str| {
            let contract = contracts.get(contract).unwrap();
            let column = &contract.columns[contract.column(column).unwrap()];
            value(column, &tree, cell)
        };
        for (contract, column, cell, expected) in [
            ("civil_affairs.members", "sex", "男", Ok(Some(1))),
            ("civil_affairs.members", "sex", "2", Ok(Some(2))),
            ("civil_affairs.members", "sex", "2", Ok(Some(2))),
            ("civil_affairs.members", "sex", " 女\u{3000}", Ok(Some(2))),
            ("civil_affairs.members", "sex", "雄", Err(Reason::UnknownCode)),
            ("civil_affairs.members", "sex", "  ", Ok(None)),
            ("civil_affairs.members", "ethnicity", "汉族", Ok(Some(0))),
            ("civil_affairs.households", "region", "140000000000", Ok(Some(140_000_000_000))),
            ("civil_affairs.households", "region", "149900000000", Err(Reason::UnknownCode)),
            ("civil_affairs.households", "urban", "城镇", Ok(Some(1))),
            ("civil_affairs.households", "urban", "海", Err(Reason::BadFlag)),
            ("civil_affairs.households", "size", "3", Ok(Some(3))),
            ("civil_affairs.households", "size", "三", Err(Reason::BadNumber)),
            ("disabled_federation.cards", "disability_grade", "贰级", Ok(Some(1))),
            ("emergency.disasters", "loss", "1.2", Ok(Some(1_200_000))),
            ("medical_insurance.settlements", "month", "2026-10", Ok(Some(2026 * 12 + 9))),
            ("education.students", "grant", "true", Ok(Some(1))),
        ] {
            assert_eq!(check(contract, column, cell), expected, "{column} {cell}");
        }
    }
}
