//! Outcomes in words, in both languages: what decides, by how much, or what has to be told.

use super::Text;
use super::amount::Amount;
use super::clause::{Assessable, Outcome};
use super::policy::Policy;

/// Names of missing fields that are told before the rest is counted.
const NAMED: usize = 4;

/// Whom an outcome is about.
pub(super) enum Who<'a> {
    Household,
    /// Members by their places: who meets the policy, or else who is nearest to it.
    Members(&'a [usize]),
}

impl Who<'_> {
    fn names(&self) -> (String, String) {
        match self {
            Self::Household => ("您家".to_owned(), "your household".to_owned()),
            Self::Members(places) => {
                let numbers: Vec<String> = places.iter().map(|p| (p + 1).to_string()).collect();
                let zh = format!("第{}位成员", numbers.join("、"));
                (zh, format!("member {}", numbers.join(", ")))
            }
        }
    }
}

/// How the outcome of a policy begins.
fn headline(policy: &Policy, outcome: Outcome, who: &Who<'_>) -> Text {
    let (zh, en) = (&policy.label.zh, &policy.label.en);
    let (who_zh, who_en) = who.names();
    let persons = matches!(who, Who::Members(_));
    match outcome {
        Outcome::Met => Text::new(
            format!("{who_zh}符合{zh}的条件。"),
            format!("Conditions of {en} are met by {who_en}."),
        ),
        Outcome::NotMet if persons => Text::new(
            format!("没有成员符合{zh}的条件。{who_zh}最接近:"),
            format!("Conditions of {en} are met by nobody; nearest is {who_en}."),
        ),
        Outcome::NotMet => Text::new(
            format!("{who_zh}不符合{zh}的条件。"),
            format!("Conditions of {en} are not met by {who_en}."),
        ),
        Outcome::Unknown => Text::new(
            format!("还不能判断是否符合{zh}的条件。"),
            format!("Whether {en} applies cannot be told yet."),
        ),
    }
}

/// The outcome of a policy in words.
pub(super) fn told(
    policy: &Policy,
    outcome: Outcome,
    clauses: &[Assessable],
    amount: Option<&Amount>,
    who: &Who<'_>,
) -> Text {
    let mut text = headline(policy, outcome, who);
    if let (Outcome::Met, Some(amount)) = (outcome, amount) {
        let sum = yuan(amount.cents);
        let (zh, en) = match amount.period.as_str() {
            "once" => (format!("预计一次性{sum}元。"), format!(" About {sum} yuan, once.")),
            _ => (format!("预计每月{sum}元。"), format!(" About {sum} yuan a month.")),
        };
        text.zh += &zh;
        text.en += &en;
    }
    if outcome == Outcome::NotMet {
        for clause in clauses.iter().filter(|c| c.outcome == Outcome::NotMet) {
            let said = missed(clause);
            text.zh += &said.zh;
            text.en = format!("{} {}", text.en, said.en);
        }
    }
    if outcome == Outcome::Unknown {
        let said = lacking(clauses);
        text.zh += &said.zh;
        text.en = format!("{} {}", text.en, said.en);
    }
    text
}

/// A clause that is not met, with by how much.
fn missed(clause: &Assessable) -> Text {
    let (zh, en) = (&clause.label.zh, &clause.label.en);
    let numbers = clause.value.zip(clause.threshold).zip(clause.op);
    let Some(((value, threshold), op)) = numbers else {
        return Text::new(format!("未满足:{zh}。"), format!("Not satisfied: {en}."));
    };
    let (unit_zh, unit_en) = unit(&clause.unit);
    let (op_zh, op_en) = operator(op);
    let money = clause.unit.starts_with("yuan");
    let (value, threshold) = (number(value, money), number(threshold, money));
    let mut text = Text::new(
        format!("{zh}:现为{value}{unit_zh},要求{op_zh}{threshold}{unit_zh}"),
        format!("{en}: {value}{unit_en}, required {op_en} {threshold}{unit_en}"),
    );
    if let Some(nearest) = clause.nearest {
        let gap = number(nearest.change.abs(), money);
        let (zh, en) = if nearest.change < 0.0 {
            (format!(",须减少{gap}{unit_zh}"), format!(", {gap}{unit_en} too much"))
        } else {
            (format!(",还差{gap}{unit_zh}"), format!(", {gap}{unit_en} too little"))
        };
        text.zh += &zh;
        text.en += &en;
    }
    text.zh.push('。');
    text.en.push('.');
    text
}

/// What has to be told.
fn lacking(clauses: &[Assessable]) -> Text {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    let unknown = clauses.iter().filter(|c| c.outcome == Outcome::Unknown);
    for field in unknown.flat_map(|clause| &clause.missing) {
        if !fields.contains(&(field.zh.as_str(), field.en.as_str())) {
            fields.push((&field.zh, &field.en));
        }
    }
    let rest = fields.len().saturating_sub(NAMED);
    let named = fields.iter().take(NAMED);
    let zh: Vec<&str> = named.clone().map(|(zh, _)| *zh).collect();
    let en: Vec<&str> = named.map(|(_, en)| *en).collect();
    if rest == 0 {
        return Text::new(
            format!("还缺:{}。", zh.join("、")),
            format!("Missing: {}.", en.join(", ")),
        );
    }
    Text::new(
        format!("还缺:{}等{}项。", zh.join("、"), fields.len()),
        format!("Missing: {} and {rest} more.", en.join(", ")),
    )
}

fn unit(unit: &str) -> (&'static str, &'static str) {
    match unit {
        "yuan/month" => ("元/月", " yuan/month"),
        "yuan/year" => ("元/年", " yuan/year"),
        "yuan" => ("元", " yuan"),
        "persons" => ("人", " persons"),
        "houses" => ("套", " houses"),
        "years" => ("岁", " years"),
        "items" => ("项", " items"),
        _ => ("", ""),
    }
}

fn operator(op: &str) -> (&'static str, &'static str) {
    match op {
        "<" => ("低于", "below"),
        "<=" => ("不超过", "at most"),
        ">" => ("高于", "above"),
        ">=" => ("不低于", "at least"),
        "=" => ("等于", "equal to"),
        _ => ("不等于", "other than"),
    }
}

fn number(value: f64, money: bool) -> String {
    if money {
        return format!("{value:.2}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn yuan(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents.rem_euclid(100))
}
