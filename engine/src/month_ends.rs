//! The rule of month ends: when the day that the rows speak of passes into another month, the last
//! version of the month before is kept under the name of that month, `2026-10`.

use std::sync::Arc;

use crate::calendar;
use crate::checkpoint;
use crate::commit::Tail;
use crate::database::Shared;
use crate::error::Result;
use crate::manifest::NameRecord;
use crate::version::Version;

/// The month of a day, as a column of months stores it.
fn month(day: i64) -> i64 {
    calendar::month_of(day)
}

/// Whether a commit that makes the rows speak of `as_of` makes the version before it a month end
/// that is to be kept.
pub(crate) fn crosses(before: &Version, as_of: Option<i64>) -> bool {
    match (before.month_ends, before.as_of, as_of) {
        (Some(most), Some(old), Some(new)) => most > 0 && month(new) > month(old),
        _ => false,
    }
}

/// The version to be committed, with the one before it among its named versions where the rule says
/// so.
pub(crate) fn keep(shared: &Shared, tail: &Tail, mut next: Version) -> Result<Version> {
    if !crosses(&tail.version, next.as_of) {
        return Ok(next);
    }
    let mut before = Arc::clone(&tail.version);
    if before.manifest.log_bytes.is_some() {
        // A named version has a manifest of its own and no log.
        before = checkpoint::write(shared, &before, false)?.version;
        next.manifest = Arc::clone(&before.manifest);
    }
    let name = calendar::month_text(month(before.as_of.unwrap_or(0)));
    let mut names = next.names.to_vec();
    if !names.iter().any(|record| record.name == name && !record.by_rule) {
        names.retain(|record| record.name != name);
        names.push(NameRecord {
            name,
            manifest: before.current,
            version: before.manifest.version,
            as_of: before.as_of,
            by_rule: true,
        });
    }
    let most = usize::try_from(next.month_ends.unwrap_or(0)).unwrap_or(usize::MAX);
    trim(&mut names, most);
    next.names = Arc::new(names);
    Ok(next)
}

/// Drops the oldest month ends that the rule made beyond so many, and sorts by name.
pub(crate) fn trim(names: &mut Vec<NameRecord>, most: usize) {
    names.sort_by(|a, b| a.name.cmp(&b.name));
    let mut by_rule: Vec<(Option<i64>, u64)> =
        names.iter().filter(|r| r.by_rule).map(|r| (r.as_of, r.version)).collect();
    by_rule.sort_unstable();
    let over = by_rule.len().saturating_sub(most);
    let dropped: Vec<(Option<i64>, u64)> = by_rule.into_iter().take(over).collect();
    names.retain(|r| !r.by_rule || !dropped.contains(&(r.as_of, r.version)));
}
