//! The page that prints the rules of warnings, as they are.

use std::fmt::Write;

use super::rule::{Rule, Rules};
use crate::household::page::{cell, code};

/// The groups of the catalogue.
const GROUPS: [(&str, &str); 8] = [
    ("A", "家庭支出骤增 (spending that rises)"),
    ("B", "家庭收入骤减 (income that falls)"),
    ("C", "人口变化 (births, deaths, custody, ages)"),
    ("D", "突发灾害和事故 (disasters and accidents)"),
    ("E", "群众反映与转介 (what people and departments tell)"),
    ("F", "主动发现 (several weak signs together)"),
    ("G", "动态管理 (aid that should not go on)"),
    ("H", "政策落实 (aid that somebody should have)"),
];

/// The head of a group's table.
const HEAD: &str = "\
| rule | name | level | of | condition | parameters | sources | silence | ground |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

impl Rules {
    /// The rules as tables in Markdown, group by group.
    #[must_use]
    pub fn to_page(&self) -> String {
        let mut page = String::new();
        for (group, label) in GROUPS {
            let _ = write!(page, "## {group} {label}\n\n{HEAD}");
            for rule in self.all().iter().filter(|rule| rule.group == group) {
                write_rule(&mut page, rule);
            }
            page.push('\n');
        }
        page
    }
}

fn write_rule(page: &mut String, rule: &Rule) {
    let parameters = rule.parameters.iter().map(|(name, p)| format!("{name} = {}", p.value));
    let days = |source: &String| format!("{source} ({} days)", rule.freshness_of(source));
    let sources: Vec<String> = rule.sources.iter().map(days).collect();
    let trial = if rule.trial { " (trial)" } else { "" };
    let _ = writeln!(
        page,
        "| {}{trial} | {} | {} | {} | {} | {} | {} | {} days | {} |",
        rule.id,
        cell(&rule.name.zh),
        rule.level.word(),
        rule.table,
        code(&rule.expression),
        cell(&parameters.collect::<Vec<_>>().join(", ")),
        if sources.is_empty() { "the platform's own cases".to_owned() } else { sources.join(", ") },
        rule.silence_days,
        cell(&rule.legal)
    );
}
