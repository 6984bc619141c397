//! What a load says of itself: file by file what was read, taken and refused, and why.

use std::fmt::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use yiku::Snapshot;

use crate::reject::Reject;

/// How far a load has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: &'static str,
    /// With what, if that can be said.
    pub detail: String,
    /// So much of it is done.
    pub done: u64,
    /// Of so much; 0 when nobody knows.
    pub total: u64,
}

/// What became of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its contract; none for a file that was named for a table.
    pub contract: Option<String>,
    /// What people call it.
    pub label: String,
    /// The months that it speaks of.
    pub period: Option<String>,
    /// Records in it.
    pub read: u64,
    /// Records that are in the database now.
    pub accepted: u64,
    /// Records that broke their contract.
    pub rejected: u64,
    /// Sound records about somebody who is not in the register.
    pub unmatched: u64,
    /// Rejected records by reason.
    pub reasons: Vec<(String, u64)>,
    /// Cells of accepted records that are unknown because they broke the contract, by reason.
    pub unknown_cells: Vec<(String, u64)>,
    /// Accepted records that were passed over and their persons tagged, by reason.
    pub tagged: Vec<(String, u64)>,
    /// The first rejects.
    pub samples: Vec<Reject>,
    /// Whether these bytes were loaded before; then nothing was read.
    pub unchanged: bool,
}

/// What became of a load.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// The files, by name.
    pub files: Vec<FileReport>,
    /// The tables, and how many rows were written into each.
    pub rows: Vec<(String, u64)>,
    /// Bundles that were removed because no file speaks of them any more.
    pub removed: u64,
    /// Tables that hold fewer rows than before, with how many before and now. A file that was cut
    /// short shows in nothing else.
    pub fewer: Vec<(String, u64, u64)>,
    /// The version of the database.
    pub version: u64,
    /// The day that the rows speak of, in days since 1970-01-01.
    pub as_of: Option<i64>,
    /// Whether nothing was new: then the version is the one before.
    pub unchanged: bool,
    /// The file with every reject of this load, if there are any.
    pub rejects: Option<PathBuf>,
}

/// The most samples that a text repeats of one file.
const SAMPLES_SHOWN_MAX: usize = 3;

impl LoadReport {
    /// The report as people read it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        let mut lines =
            vec![Line::of(["file", "read", "accepted", "rejected", "unmatched"], "why")];
        let mut sums = [0_u64; 4];
        for file in &self.files {
            let counts = [file.read, file.accepted, file.rejected, file.unmatched];
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            lines.push(file.line(counts));
        }
        let [read, accepted, rejected, unmatched] = sums.map(thousands);
        lines.push(Line::of(["total", &read, &accepted, &rejected, &unmatched], ""));
        write_lines(text, &lines)?;
        for file in self.files.iter().filter(|file| !file.samples.is_empty()) {
            for reject in file.samples.iter().take(SAMPLES_SHOWN_MAX) {
                writeln!(
                    text,
                    "  {}, line {}, {}: {} `{}` ({})",
                    name(&file.path),
                    reject.line,
                    if reject.column.is_empty() { "record" } else { &reject.column },
                    reject.reason,
                    reject.value,
                    reject.outcome.code(),
                )?;
            }
        }
        if let Some(path) = &self.rejects {
            writeln!(text, "every reject: {}", path.display())?;
        }
        if self.unchanged {
            return writeln!(text, "nothing new: version {} stands", self.version);
        }
        let rows = self.rows.iter().map(|(table, rows)| format!("{} {table}", thousands(*rows)));
        writeln!(text, "written: {}", rows.collect::<Vec<_>>().join(", "))?;
        if self.removed > 0 {
            writeln!(text, "removed: {} whom no file names any more", thousands(self.removed))?;
        }
        if !self.fewer.is_empty() {
            let fewer = self.fewer.iter().map(|(table, before, now)| {
                format!("{} {table}, before {}", thousands(*now), thousands(*before))
            });
            writeln!(text, "fewer than before: {}", fewer.collect::<Vec<_>>().join("; "))?;
        }
        match self.as_of {
            Some(day) => {
                let day = yiku::calendar::date_text(day);
                writeln!(text, "version {}, as of {day}", self.version)
            }
            None => writeln!(text, "version {}", self.version),
        }
    }
}

/// The tables that hold fewer rows in one snapshot than in the one before, with both numbers.
pub(crate) fn fewer(before: Option<&Snapshot>, now: &Snapshot) -> Vec<(String, u64, u64)> {
    let Some(before) = before else { return Vec::new() };
    let tables = now.schema().tables.iter().enumerate();
    let counted = tables.map(|(nth, table)| (table.name.clone(), before.rows(nth), now.rows(nth)));
    counted.filter(|(_, before, now)| now < before).collect()
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl FileReport {
    fn line(&self, counts: [u64; 4]) -> Line {
        if self.unchanged {
            return Line::of([&name(&self.path), "", "", "", ""], "loaded before");
        }
        let say = |counts: &[(String, u64)], what: &str| {
            let each = counts.iter().map(|(reason, n)| format!("{what}{reason} {}", thousands(*n)));
            each.collect::<Vec<_>>()
        };
        let mut why = say(&self.reasons, "");
        why.extend(say(&self.unknown_cells, "unknown cell: "));
        why.extend(say(&self.tagged, "tagged: "));
        let [read, accepted, rejected, unmatched] = counts.map(thousands);
        Line::of([&name(&self.path), &read, &accepted, &rejected, &unmatched], &why.join(", "))
    }
}

fn name(path: &std::path::Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A line of the table: a name, four figures, and words.
struct Line {
    cells: [String; 5],
    why: String,
}

impl Line {
    fn of(cells: [&str; 5], why: &str) -> Line {
        Line { cells: cells.map(str::to_owned), why: why.to_owned() }
    }
}

fn write_lines(text: &mut String, lines: &[Line]) -> fmt::Result {
    let mut widths = [0; 5];
    for line in lines {
        for (most, cell) in widths.iter_mut().zip(&line.cells) {
            *most = width(cell).max(*most);
        }
    }
    for line in lines {
        let mut whole = String::new();
        for (nth, (cell, most)) in line.cells.iter().zip(widths).enumerate() {
            let gap = " ".repeat(most - width(cell));
            let gap_between = if nth == 0 { "" } else { "  " };
            match nth {
                0 => write!(whole, "{cell}{gap}")?,
                _ => write!(whole, "{gap_between}{gap}{cell}")?,
            }
        }
        writeln!(text, "{}", format!("{whole}  {}", line.why).trim_end())?;
    }
    Ok(())
}

/// How many columns of a terminal a text takes: Chinese characters take two.
fn width(text: &str) -> usize {
    let wide = |c: char| {
        matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3
            | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6
            | 0x20000..=0x3fffd)
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_under_each_other_beneath_chinese_names() {
        let file = |path: &str, read, unchanged| FileReport {
            path: path.into(),
            read,
            accepted: read - 1,
            rejected: 1,
            reasons: vec![("duplicate".to_owned(), 1)],
            unchanged,
            ..FileReport::default()
        };
        let report = LoadReport {
            files: vec![file("a/民政_家庭成员.csv", 1_234_567, false), file("b.csv", 7, true)],
            rows: vec![("person".to_owned(), 1_234_566)],
            fewer: vec![("aid".to_owned(), 1_450, 20)],
            version: 2,
            as_of: Some(20_757),
            ..LoadReport::default()
        };
        let text = report.to_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "file                    read   accepted  rejected  unmatched  why");
        assert_eq!(
            lines[1],
            "民政_家庭成员.csv  1,234,567  1,234,566         1          0  duplicate 1"
        );
        assert!(lines[2].starts_with("b.csv ") && lines[2].ends_with("loaded before"));
        assert_eq!(lines[4], "written: 1,234,566 person");
        assert_eq!(lines[5], "fewer than before: 20 aid, before 1,450");
        assert_eq!(lines[6], "version 2, as of 2026-10-31");
        assert_eq!(thousands(0), "0");
    }
}
