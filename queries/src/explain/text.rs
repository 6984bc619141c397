//! How a question was answered, as people read it: a line a step, its parts beneath it.
//!
//! Invariant: no line is wider than [`WIDTH`] columns of a terminal, in which a Chinese character
//! takes two; what does not fit is cut and ends in `…`.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Explained, Step};

/// Columns of a terminal that everybody has.
const WIDTH: usize = 100;
/// The least that is left of the text of a step.
const CLAUSE_MIN: usize = 24;
/// Between two columns.
const GAP: usize = 2;
/// Columns of the time: of the longest that is written.
const TIME: usize = 7;
const HEAD: [&str; 7] = ["step", "by", "expected", "rows", "bytes", "blocks", "time"];
/// Columns whose texts begin at the same place; of the others they end there.
const LEFT: usize = 2;

impl Step {
    fn is_moment(&self) -> bool {
        self.clause.starts_with("over ")
    }
}

/// A line of the table.
type Line = [String; HEAD.len()];

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![HEAD.map(str::to_owned)];
        let next = self.steps.iter().skip(1).map(Some).chain([None]);
        for (step, next) in self.steps.iter().zip(next) {
            // Moments are alike: of them all the last is told whole.
            let folded = [Some(step), next].iter().all(|s| s.is_some_and(|s| s.is_moment()));
            let parts = if folded { &[][..] } else { &step.parts };
            add(&mut lines, step, parts, "", "");
        }
        // Nobody measured, or nothing may be told: no column.
        let empty =
            |at: usize| lines.iter().skip(1).all(|line| line.get(at).is_none_or(String::is_empty));
        let hidden: Vec<bool> = (0..HEAD.len()).map(|at| at >= LEFT && empty(at)).collect();
        let mut widths: Vec<usize> = (0..HEAD.len())
            .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|t| t.width()).max())
            .zip(&hidden)
            .map(|(width, hidden)| if *hidden { 0 } else { width.unwrap_or(0) })
            .collect();
        // Two runs of one question look alike.
        if let Some(time) = widths.last_mut().filter(|time| **time > 0) {
            *time = TIME.max(*time);
        }
        let others = widths.iter().skip(1).filter(|width| **width > 0).map(|width| width + GAP);
        let left = WIDTH.saturating_sub(others.sum()).max(CLAUSE_MIN);
        for line in &lines {
            let mut text = String::new();
            for (at, ((cell, width), hidden)) in line.iter().zip(&widths).zip(&hidden).enumerate() {
                if *hidden {
                    continue;
                }
                let width = if at == 0 { left.min(*width) } else { *width };
                let cell = cut(cell, width);
                let pad = " ".repeat(width.saturating_sub(cell.width()));
                let gap = if at == 0 { "" } else { "  " };
                text += &if at < LEFT {
                    format!("{gap}{cell}{pad}")
                } else {
                    format!("{gap}{pad}{cell}")
                };
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        let Self { matched, rows, segments, bytes, bytes_again, nanoseconds, .. } = self;
        write!(f, "{matched} rows matched, {rows} in the answer; {segments} segments")?;
        if let (Some(bytes), Some(again)) = (bytes, bytes_again) {
            write!(f, "; {} read", size(*bytes))?;
            if *again > 0 {
                write!(f, ", {} of them again", size(*again))?;
            }
        }
        let time = Some(time(*nanoseconds)).filter(|time| !time.is_empty());
        writeln!(f, "{}", time.map_or_else(String::new, |time| format!("; {time}")))
    }
}

/// Adds the line of a step and those of its parts; `lead` stands before it, `rest` before them.
fn add(lines: &mut Vec<Line>, step: &Step, parts: &[Step], lead: &str, rest: &str) {
    let number = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
    let blocks = step.blocks.map(|blocks| format!("{}/{}", blocks.read, blocks.of));
    let clause: String =
        step.clause.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    lines.push([
        format!("{lead}{clause}"),
        step.by.clone(),
        number(step.estimated),
        // What was never asked of is told by nothing.
        number(step.rows),
        step.bytes.filter(|bytes| *bytes > 0).map_or_else(String::new, size),
        blocks.unwrap_or_default(),
        time(step.nanoseconds),
    ]);
    for (place, part) in parts.iter().enumerate() {
        let last = place + 1 == parts.len();
        let (own, beneath) = if last { ("└ ", "  ") } else { ("├ ", "│ ") };
        add(lines, part, &part.parts, &format!("{rest}{own}"), &format!("{rest}{beneath}"));
    }
}

/// A text in so many columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut cut, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

/// Three figures and a unit.
fn scaled(number: u64, units: [&str; 4]) -> String {
    let mut value = number as f64;
    let mut units = units.into_iter().peekable();
    while let Some(unit) = units.next() {
        if value < 999.5 || units.peek().is_none() {
            let digits = if value >= 99.95 || value.fract() == 0.0 { 0 } else { 1 };
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    String::new()
}

fn size(bytes: u64) -> String {
    scaled(bytes, ["B", "kB", "MB", "GB"])
}

/// A time; nothing where no time was measured.
fn time(nanoseconds: u64) -> String {
    if nanoseconds == 0 { String::new() } else { scaled(nanoseconds, ["ns", "µs", "ms", "s"]) }
}
