//! The nearest known name to one that was written.
//!
//! Two measures: the edits between the whole names (a typo), then the edits between the name and
//! the beginning of a longer one (a name half written). Ties go to the first in the alphabet.

/// The nearest of `known` to `name`, if any is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let written: Vec<char> = name.to_lowercase().chars().take(64).collect();
    let length = written.len();
    let mut best: Option<(usize, usize, &str)> = None;
    for candidate in known {
        let letters: Vec<char> = candidate.chars().take(64).collect();
        let row = edits(&written, &letters);
        let whole = row.last().copied().unwrap_or(length);
        // Of one letter nothing is left after an edit.
        let near = if length < 2 { 0 } else { (length / 3).max(1) };
        let half = (length / 5).max(1);
        let prefix = row.iter().copied().min().unwrap_or(length);
        let rank = if whole <= near {
            (0, whole, candidate)
        } else if length >= 3 && prefix <= half {
            (1, prefix, candidate)
        } else {
            continue;
        };
        if best.is_none_or(|b| rank < b) {
            best = Some(rank);
        }
    }
    best.map(|(_, _, name)| name.to_owned())
}

/// Edits from `a` to every beginning of `b`: insert, delete, replace, swap of neighbours.
fn edits(a: &[char], b: &[char]) -> Vec<usize> {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last: Option<char> = None;
    for (done, &x) in a.iter().enumerate() {
        let mut next = vec![done + 1];
        let mut left: Option<char> = None;
        for (j, &y) in b.iter().enumerate() {
            let at = |r: &[usize], i: usize| r.get(i).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&row, j) + usize::from(x != y)).min(at(&row, j + 1) + 1);
            cost = cost.min(at(&next, j) + 1);
            if last == Some(y) && left == Some(x) && j > 0 {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            next.push(cost);
            left = Some(y);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(x);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word() {
        let known = ["disability_type", "disability_grade", "disability_since", "sex", "employed"];
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(nearest(name, known).as_deref(), expected, "{name}");
        };
        check("disabilty", Some("disability_grade"));
        check("disability_typ", Some("disability_type"));
        check("emplyoed", Some("employed"));
        check("Sex", Some("sex"));
        check("sxe", Some("sex"));
        check("wealth", None);
        check("x", None);
    }
}
