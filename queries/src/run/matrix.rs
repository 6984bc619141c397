//! How often conditions hold together: each with each.

use yiku::{RowSet, Snapshot};

use super::scan::Scan;
use super::tell;
use crate::answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
use crate::bound::Condition;
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::plan::{Plan, Within};

/// The conditions of a matrix, by their names.
pub(crate) type Matrix = Vec<(String, Condition)>;

/// How many rows two sets share.
fn shared(a: &RowSet, b: &RowSet) -> u64 {
    a.words().iter().zip(b.words()).map(|(a, b)| u64::from((a & b).count_ones())).sum()
}

impl Plan {
    /// The answer to a question for a matrix: a row and a column for each condition, and where
    /// they meet how many rows satisfy both.
    pub(super) fn matrix_counted(
        &self,
        matrix: &Matrix,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Answer> {
        let size = matrix.len();
        let parts = super::segments(snapshot, within, |_, segment| {
            let scan = Scan::new(segment, &self.schema, within);
            let rows = self.matching(&scan)?;
            let mut counts = vec![0u64; size * size];
            if rows.is_empty() {
                return Ok((0, counts));
            }
            let mut sets = Vec::with_capacity(size);
            for (_, condition) in matrix {
                scan.keep(super::scan::set_bytes(rows.len_rows()))?;
                sets.push(scan.rows(condition, true, &rows)?);
            }
            let open = within.open(About::Count, self);
            let pairs = sets.iter().flat_map(|a| sets.iter().map(move |b| (a, b)));
            counts.iter_mut().zip(pairs).for_each(|(count, (a, b))| *count = shared(a, b));
            tell(open, rows.count(), rows.count());
            Ok((rows.count(), counts))
        })?;
        let matched = parts.iter().map(|(matched, _)| matched).sum();
        let mut counts = vec![0u64; size * size];
        for (_, part) in &parts {
            counts.iter_mut().zip(part).for_each(|(count, part)| *count += part);
        }
        let count = |row: usize, column: usize| {
            let count = counts.get(row * size + column).copied().unwrap_or(0);
            i64::try_from(count).map(Some)
        };
        let names = matrix.iter().map(|(name, _)| Some(name.clone())).collect();
        let column = |name: String, kind, role, values| AnswerColumn {
            name,
            kind,
            unit: None,
            role,
            values,
            labels: None,
            hidden: Vec::new(),
        };
        let name = "condition".to_owned();
        let mut columns = vec![column(name, AnswerKind::Text, Role::Group, Values::Text(names))];
        for (at, (name, _)) in matrix.iter().enumerate() {
            let values = (0..size).map(|row| count(row, at)).collect::<std::result::Result<_, _>>();
            let beyond = |_| Error::Overflow { what: "a count of the matrix".to_owned() };
            let values = Values::Int(values.map_err(beyond)?);
            columns.push(column(name.clone(), AnswerKind::Int, Role::Measure, values));
        }
        Ok(self.whole_answer(columns, size, matched))
    }
}
