//! Answers as people read them: an aligned table, or CSV for a spreadsheet.
//!
//! Invariant: columns are aligned by the width a terminal gives to characters, Chinese ones
//! included; money is in yuan with two decimals.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use yiku_queries::{Answer, AnswerColumn, AnswerKind, Role, Values};

use crate::error::Error;

/// What a table shows for an unknown figure.
const UNKNOWN: &str = "-";
/// What stands for a figure that is not told.
const HIDDEN: &str = "*";
/// What a table shows for the group of rows whose value is unknown.
const UNKNOWN_GROUP: &str = "unknown";

/// An answer as a table, with what it is of beneath.
pub(super) fn text(answer: &Answer) -> String {
    let mut table = plain();
    table.set_header(answer.columns.iter().map(heading));
    for row in 0..answer.rows {
        table.add_row(answer.columns.iter().map(|column| shown(column, row)));
    }
    for (place, column) in answer.columns.iter().enumerate() {
        if is_number(column)
            && let Some(column) = table.column_mut(place)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}\n{}\n", trimmed(&table), footer(answer))
}

/// Texts as a table; columns of numbers stand to the right.
pub(super) fn grid(
    header: &[String],
    rows: &[Vec<String>],
    numbers: impl Fn(usize) -> bool,
) -> String {
    let mut table = plain();
    table.set_header(header.iter().map(|name| plain_line(name)));
    for row in rows {
        table.add_row(row.iter().map(|cell| plain_line(cell)));
    }
    for place in (0..header.len()).filter(|place| numbers(*place)) {
        if let Some(column) = table.column_mut(place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    trimmed(&table)
}

/// Texts as CSV.
pub(super) fn records(header: &[String], rows: &[Vec<String>]) -> Result<String, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(failed)?;
    rows.iter().try_for_each(|row| writer.write_record(row)).map_err(failed)?;
    written(writer)
}

fn failed(source: csv::Error) -> Error {
    Error::Express { form: "CSV", source: Box::new(source) }
}

fn written(writer: csv::Writer<Vec<u8>>) -> Result<String, Error> {
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
    String::from_utf8(bytes)
        .map_err(|source| Error::Express { form: "CSV", source: Box::new(source) })
}

/// An answer as CSV. A column whose values have names has a second one with them.
pub(super) fn csv(answer: &Answer) -> Result<String, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = Vec::new();
    for column in &answer.columns {
        header.push(heading(column));
        if is_named(column) {
            header.push(format!("{} label", column.name));
        }
    }
    writer.write_record(&header).map_err(failed)?;
    for row in 0..answer.rows {
        let mut cells = Vec::with_capacity(header.len());
        for column in &answer.columns {
            let label = label(column, row).unwrap_or_default();
            let value = value(column, row);
            if is_named(column) {
                cells.push(value.unwrap_or_default());
                cells.push(label.to_owned());
            } else {
                cells.push(value.unwrap_or_else(|| label.to_owned()));
            }
        }
        writer.write_record(&cells).map_err(failed)?;
    }
    written(writer)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn trimmed(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn is_number(column: &AnswerColumn) -> bool {
    matches!(column.kind, AnswerKind::Int | AnswerKind::Money | AnswerKind::Float)
}

/// Whether its values have names of their own, not only its totals.
fn is_named(column: &AnswerColumn) -> bool {
    let kinds = [AnswerKind::Code, AnswerKind::Path, AnswerKind::Band];
    column.labels.is_some() && kinds.contains(&column.kind)
}

/// A name with its unit: money is shown in yuan whatever it is kept in.
fn heading(column: &AnswerColumn) -> String {
    let unit = column.unit.as_deref();
    let money = (column.kind == AnswerKind::Money).then_some("元");
    match unit.or(money) {
        Some(unit) => format!("{} ({unit})", column.name),
        None => column.name.clone(),
    }
}

fn label(column: &AnswerColumn, row: usize) -> Option<&str> {
    column.labels.as_ref()?.get(row)?.as_deref()
}

/// A cell for people: names rather than codes; places have both, for names are not unique.
fn shown(column: &AnswerColumn, row: usize) -> String {
    let (label, value) = (label(column, row), value(column, row));
    let unknown = if column.role == Role::Group { UNKNOWN_GROUP } else { UNKNOWN };
    match (label, value) {
        (Some(label), Some(code)) if column.kind == AnswerKind::Path => format!("{code} {label}"),
        (Some(label), _) => label.to_owned(),
        (None, Some(value)) => plain_line(&value),
        (None, None) => unknown.to_owned(),
    }
}

/// A text of the registry must not break or colour the table.
fn plain_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A value as text; none where it is unknown.
fn value(column: &AnswerColumn, row: usize) -> Option<String> {
    if column.hidden.get(row) == Some(&true) {
        return Some(HIDDEN.to_owned());
    }
    let money = column.kind == AnswerKind::Money;
    match &column.values {
        Values::Int(values) => {
            let value = values.get(row).copied().flatten()?;
            Some(if money { yuan(value) } else { value.to_string() })
        }
        Values::Float(values) => {
            let value = values.get(row).copied().flatten()?;
            Some(if money { format!("{:.2}", value / 100.0) } else { float(value) })
        }
        Values::Text(values) => values.get(row).cloned().flatten().map(String::from),
        Values::TextLists(values) => values.get(row).cloned().flatten().map(|list| list.join(" ")),
        Values::IntLists(values) => {
            let list = values.get(row)?.as_ref()?;
            Some(list.iter().map(i64::to_string).collect::<Vec<_>>().join(" "))
        }
        Values::FloatLists(values) => {
            let list = values.get(row)?.as_ref()?;
            Some(list.iter().map(|value| float(*value)).collect::<Vec<_>>().join(" "))
        }
    }
}

/// Whole fen in yuan.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// A floating-point number with four decimals, which are more than a rate has meaning.
fn float(value: f64) -> String {
    format!("{value:.4}")
}

fn footer(answer: &Answer) -> String {
    let mut parts = Vec::new();
    let totals = answer.levels.iter().filter(|level| **level > 0).count();
    let rows = answer.rows.saturating_sub(totals);
    parts.push(if answer.truncated {
        format!("{rows} of {} rows", answer.total_rows)
    } else {
        format!("{rows} rows")
    });
    if totals > 0 {
        parts.push(format!("{totals} of totals"));
    }
    parts.push(format!("{} matched", answer.matched));
    parts.push(format!("version {}", answer.version));
    if !answer.as_of.is_empty() {
        parts.push(format!("as of {}", answer.as_of));
    }
    let more = answer.next.as_ref().map(|next| format!("\ngo on with: after '{next}'"));
    parts.join(", ") + &more.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use yiku_queries::Text;

    use super::*;

    fn column(name: &str, kind: AnswerKind, role: Role, values: Values) -> AnswerColumn {
        AnswerColumn {
            name: name.to_owned(),
            kind,
            unit: None,
            role,
            values,
            labels: None,
            hidden: Vec::new(),
        }
    }

    fn answer() -> Answer {
        let texts = |texts: &[Option<&str>]| texts.iter().map(|t| t.map(Text::from)).collect();
        let codes = Values::Text(texts(&[Some("1401"), Some("1402"), None]));
        let mut place = column("region.city", AnswerKind::Path, Role::Group, codes);
        place.labels = Some(texts(&[Some("太原市"), Some("大同, 市"), Some("合计")]));
        let sex = Values::Text(texts(&[Some("true"), None, None]));
        let mut flag = column("urban", AnswerKind::Flag, Role::Group, sex);
        flag.labels = Some(texts(&[None, None, Some("合计")]));
        let int = |values: [Option<i64>; 3]| Values::Int(values.to_vec());
        Answer {
            columns: vec![
                place,
                flag,
                column("n", AnswerKind::Int, Role::Measure, int([Some(5), Some(0), Some(5)])),
                column("paid", AnswerKind::Money, Role::Measure, int([Some(-1205), None, Some(7)])),
            ],
            rows: 3,
            total_rows: 9,
            matched: 5,
            version: 4,
            as_of: "2026-10-31".to_owned(),
            truncated: true,
            limit: Some(2),
            levels: vec![0, 0, 2],
            next: None,
        }
    }

    #[test]
    fn a_table_is_aligned_by_what_a_terminal_shows() {
        let expected = "\
┌───────────────┬─────────┬───┬───────────┐
│ region.city   ┆ urban   ┆ n ┆ paid (元) │
╞═══════════════╪═════════╪═══╪═══════════╡
│ 1401 太原市   ┆ true    ┆ 5 ┆    -12.05 │
│ 1402 大同, 市 ┆ unknown ┆ 0 ┆         - │
│ 合计          ┆ 合计    ┆ 5 ┆      0.07 │
└───────────────┴─────────┴───┴───────────┘
2 of 9 rows, 1 of totals, 5 matched, version 4, as of 2026-10-31
";
        assert_eq!(text(&answer()), expected);
    }

    #[test]
    fn csv_has_codes_and_names() {
        let expected = "\
region.city,region.city label,urban,n,paid (元)
1401,太原市,true,5,-12.05
1402,\"大同, 市\",,0,
,合计,合计,5,0.07
";
        assert_eq!(csv(&answer()).ok().as_deref(), Some(expected));
    }

    #[test]
    fn money_is_exact() {
        assert_eq!(yuan(i64::MIN), "-92233720368547758.08");
        assert_eq!(yuan(-5), "-0.05");
        assert_eq!(yuan(100), "1.00");
    }
}
