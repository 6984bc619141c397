//! The columns of a list of rows.

use super::{Checker, GroupKind, Type, What};
use crate::ast::Definition;
use crate::bound::Value;
use crate::error::Result;
use crate::numbers::Number;

/// One column of a list of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) kind: ListedKind,
}

/// What stands in a column of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ListedKind {
    /// What rows could be grouped by as well.
    Group(GroupKind),
    /// A number with a fraction.
    Number(Number, Value),
    /// The codes of a set.
    Codes { table: usize, column: usize, list: usize },
}

impl Checker<'_> {
    /// One column of a list. `next` is the level that `region.next` stands for.
    pub(crate) fn listed(&self, definition: &Definition, next: usize) -> Result<Listed> {
        let name = definition.name.clone();
        let expr = &definition.clause.expr;
        // A level alone is checked with the groups.
        if let Ok(typed) = self.check(expr) {
            let kind = match (typed.kind, typed.what) {
                (Type::Number(number), What::Value(value)) if number.float || number.scale > 0 => {
                    Some(ListedKind::Number(number, value.at(self.table)))
                }
                (Type::Codes(list), What::Column { table, column }) => {
                    Some(ListedKind::Codes { table, column, list })
                }
                _ => None,
            };
            if let Some(kind) = kind {
                return Ok(Listed { name, kind });
            }
        }
        let group = self.group(&definition.clause, next)?;
        Ok(Listed { name, kind: ListedKind::Group(group.kind) })
    }
}
