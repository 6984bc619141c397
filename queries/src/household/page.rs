//! The page that prints policies and standards, as they are.

use std::fmt::Write;

use super::policy::{Policy, PolicyBook, Subject};
use super::standards::{Standard, Unit};

/// One line of a table's cell.
pub(crate) fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// A text as code in a table's cell.
pub(crate) fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

impl PolicyBook {
    /// Policies and standards as tables in Markdown.
    #[must_use]
    pub fn to_page(&self) -> String {
        let mut page = String::new();
        for policy in &self.policies {
            write_policy(&mut page, policy);
        }
        page.push_str("## Standards\n\nAmounts stand in the unit they are kept in.\n\n");
        page.push_str("| name | what | place | kind | from | value | unit | source |\n");
        page.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for standard in self.all_standards() {
            write_standard(&mut page, standard);
        }
        page
    }
}

fn write_policy(page: &mut String, policy: &Policy) {
    let subject = match policy.subject {
        Subject::Household => "the household",
        Subject::Person => "each counted member",
    };
    let _ = write!(
        page,
        "## {} ({})\n\n`{}`, of {subject}. {}.",
        policy.label.zh, policy.label.en, policy.id, policy.basis
    );
    let listed = |ids: &[String]| ids.iter().map(|id| code(id)).collect::<Vec<_>>().join(", ");
    if !policy.requires.is_empty() {
        let _ = write!(page, " Needs {}.", listed(&policy.requires));
    }
    if !policy.excluded_by.is_empty() {
        let _ = write!(page, " Gives way to {}.", listed(&policy.excluded_by));
    }
    page.push_str("\n\n| clause | asks | expression | rule |\n| --- | --- | --- | --- |\n");
    for (id, label, expression, source) in policy.clauses() {
        let (asks, expression) = (cell(&label.zh), code(expression));
        let _ = writeln!(page, "| {} | {asks} | {expression} | {} |", code(id), cell(source));
    }
    if let Some((formula, total, over)) = policy.formula() {
        let total = code(total);
        let _ = write!(page, "\nAmount: {}: {total}, divided by {over}.\n", formula.zh);
    }
    page.push('\n');
}

fn write_standard(page: &mut String, standard: &Standard) {
    let kind = match standard.urban {
        Some(true) => "urban",
        Some(false) => "rural",
        None => "",
    };
    let unit = match standard.unit {
        Unit::YuanMonth => "yuan/month",
        Unit::YuanYear => "yuan/year",
        Unit::Yuan => "yuan",
        Unit::Number => "number",
        Unit::Rounding => "rounding",
    };
    let source = standard.source.as_deref().unwrap_or("invented");
    let _ = writeln!(
        page,
        "| {} | {} | {} | {kind} | {} | {} | {unit} | {} |",
        code(&standard.name),
        cell(&standard.zh),
        standard.region,
        standard.from,
        standard.value,
        cell(source)
    );
}
