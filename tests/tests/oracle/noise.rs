//! Texts without sense: most are refused, some mean something; none may end the program.

use yiku_queries::{Limits, Plan, Query};
use yiku_tests::Random;
use yiku_tests::registry;

const WORDS: &str = "and or not in between has within is any all none true false as_of unknown \
    known starts where count sum avg min max if coalesce abs age year month quarter band per share \
    per_capita count_distinct running household person aid observation urban income region \
    region.county region.next birth_date monthly_income employed sex male tags orphan start end \
    kind amount value indicator name days years months set ( ) ( ) , . + - * / = != < > <= >= 1 2 \
    0.5 18 60 100000 9223372036854775807 99999999999999999999 0.000000001 14 1401 '王' 'x' \
    2026-10-31 0000-01-01 9999-12-31 2026-10 0000-01 household.urban person.employed aid.amount";

/// What may stand alone in an expression on households.
const ENDS: [&str; 22] = [
    "income",
    "income",
    "disaster_loss",
    "urban",
    "relapse_since",
    "disaster_on",
    "as_of",
    "cause",
    "count(person)",
    "sum(aid.amount)",
    "max(person.birth_date)",
    "any(aid where running)",
    "2",
    "0.5",
    "9223372036854775807",
    "0.000000001",
    "0000-01-01",
    "9999-12-31",
    "100000 years",
    "9 days",
    "illness",
    "2026-10",
];

/// A condition, a group or a measure of so many words at most.
fn text(random: &mut Random, words: &[&str], most: usize) -> String {
    let count = 1 + random.below(most);
    (0..count).map(|_| *random.pick(words)).collect::<Vec<_>>().join(" ")
}

/// An expression that is one by its shape, whatever its names and numbers are.
fn shaped(random: &mut Random, words: &[&str], depth: usize) -> String {
    if depth == 0 {
        return (*random.pick(words)).to_owned();
    }
    let mut part = || shaped(random, words, depth - 1);
    let (a, b, c) = (part(), part(), part());
    let sign = *random.pick(&["+", "-", "*", "/", "=", "<", "and", "or", "-", "*"]);
    match random.below(9) {
        0 => format!("({a}) {sign} ({b}) {sign} ({c})"),
        1 => format!("-({a} {sign} {b})"),
        2 => format!("not ({a}) between {b} and {c}"),
        3 => format!("{}({a}, {b}, {c})", random.pick(&["if", "coalesce", "min", "max", "band"])),
        4 => format!("{}({a} where {b})", random.pick(&["any", "all", "none", "count", "sum"])),
        5 => format!("{}({a})", random.pick(&["age", "year", "quarter", "abs", "per_capita"])),
        6 => format!("({a}) in ({b}, {c})"),
        7 => format!("({a}) is unknown"),
        _ => format!("({a}) {sign} ({b})"),
    }
}

#[test]
fn noise_is_refused_or_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (snapshot, _) = registry::grown(&folder.path().join("grown"), 9, 60);
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut random = Random::new(11);
    let (mut read, mut planned, mut answered) = (0, 0, 0);
    for round in 0..60_000 {
        let text = match round % 4 {
            0 => format!("from person where {}", text(&mut random, &words, 12)),
            1 => format!("from household by {}", shaped(&mut random, &ENDS, 1)),
            2 => format!("from household measure n = sum({})", shaped(&mut random, &ENDS, 1)),
            _ => format!("from household where {}", shaped(&mut random, &ENDS, 2)),
        };
        let Ok(query) = Query::parse(&text) else { continue };
        read += 1;
        assert_eq!(Query::parse(&query.to_text()).unwrap(), query, "{text}");
        let Ok(plan) = Plan::new(&query, &snapshot) else { continue };
        planned += 1;
        answered += u32::from(plan.run(&snapshot, &Limits::default()).is_ok());
    }
    println!("{read} read, {planned} planned, {answered} answered");
    assert!(read > 10_000 && planned > 300 && answered > 200, "{read} {planned} {answered}");
}
