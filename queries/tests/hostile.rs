//! Questions that are meant to do harm: too deep, too long, at the ends of what numbers and days
//! can say. Each has the right answer or an error that names the limit, and none takes long.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

mod small;

use yiku_queries::household::{Asking, ask};
use yiku_queries::{Answer, Context, Error, Limits, Plan, Query, Values};

/// What comes of a question in either form.
fn asked(ground: &small::Ground, question: &str) -> Result<Answer, Error> {
    let query = if question.starts_with('{') {
        Query::from_json(question)?
    } else {
        Query::parse(question)?
    };
    let context = Context::default().parameters(&ground.standards).versions(&ground.database);
    let plan = Plan::bind(&query, &ground.snapshot, &context)?;
    let limits = Limits { groups: 10_000, memory: 1 << 28, ..Limits::default() };
    plan.run(&ground.snapshot, &limits)
}

/// The first cell of a column of an answer.
fn cell(answer: &Answer, column: usize) -> String {
    match &answer.columns[column].values {
        Values::Int(values) => format!("{:?}", values[0]),
        Values::Float(values) => format!("{:?}", values[0]),
        Values::Text(values) => format!("{:?}", values[0]),
        Values::TextLists(values) => format!("{:?}", values[0]),
        Values::IntLists(values) => format!("{:?}", values[0]),
        Values::FloatLists(values) => format!("{:?}", values[0]),
    }
}

/// Each question is refused with a code and with some words.
fn refused(cases: &[(String, &str, &str)]) {
    let ground = small::Ground::new();
    for (question, code, words) in cases {
        let start: String = question.chars().take(100).collect();
        let error = asked(&ground, question).map(|a| a.rows).expect_err(&start);
        let told = error.to_string();
        assert_eq!(error.code(), *code, "{start}: {told:.300}");
        assert!(told.contains(words), "{start}: {told:.300}");
        assert!(told.len() < 2_000, "{start}: the error has {} bytes", told.len());
    }
}

/// Each question has an answer whose first row and column is this.
fn answered(cases: &[(String, &str)]) {
    let ground = small::Ground::new();
    for (question, expected) in cases {
        let start: String = question.chars().take(200).collect();
        let answer = asked(&ground, question);
        let answer = answer.map_err(|error| format!("{start}: {error:.300}")).unwrap();
        assert_eq!(cell(&answer, 0), *expected, "{start}");
    }
}

fn filter(text: &str) -> String {
    format!("from person where {text}")
}

#[test]
fn what_is_too_deep_is_refused() {
    let mut cases = Vec::new();
    for many in [65, 10_000, 10_000_000] {
        let all = [
            ("(", "employed", ")"),
            ("not ", "employed", ""),
            ("-", "1", " > 0"),
            ("abs(", "monthly_income", ")"),
            ("if(true, ", "1", ", 2)"),
            ("coalesce(employed, ", "employed", ")"),
            ("any(person where ", "true", ")"),
            ("1 + ", "1", ""),
            ("1 in (", "1", ")"),
            ("region within (", "14", ")"),
            ("employed = (", "employed", ")"),
        ];
        for (open, inner, close) in all {
            let text = format!("{}{inner}{}", open.repeat(many), close.repeat(many));
            let what = if text.len() > 60_000 { "bytes of the question" } else { "depth" };
            let limit = if text.len() > 60_000 { "the limit is 65536" } else { "the limit is 64" };
            cases.push((filter(&text), "query.limit", what));
            cases.push((format!("from household measure sum({text})"), "query.limit", limit));
            let json = format!(r#"{{"from": "person", "where": "{text}"}}"#);
            cases.push((json, "query.limit", what));
        }
    }
    refused(&cases);
}

#[test]
fn json_that_is_too_deep_or_says_a_thing_twice_is_refused() {
    let deep = |open: &str, close: &str, many| {
        format!(r#"{{"from": {}{}"#, open.repeat(many), close.repeat(many))
    };
    let field = |text: &str| format!(r#"{{"from": "person", {text}}}"#);
    refused(&[
        (deep("[", "]", 100_000), "query.json", "expected a text in quotes"),
        (deep(r#"{"a":"#, "}", 100_000), "query.json", "expected a text in quotes"),
        (field(r#""from": "aid""#), "query.json", "duplicate field `from`"),
        (field(r#""where": "true", "where": "false""#), "query.json", "duplicate field `where`"),
        (field(r#""top": {"k": 1, "k": 2, "by": "n"}"#), "query.json", "duplicate field `k`"),
        (field(r#""measures": {"n": "count()", "n": "3"}"#), "query.type", "two measures"),
        (field(r#""where": "\ud800""#), "query.json", "hex escape"),
        (field(r#""where": "\udc00\ud800""#), "query.json", "surrogate"),
        (field("\"where\": \"\u{0}\""), "query.json", "control character"),
        (field(r#""where": "\u0000""#), "query.syntax", "expected a word"),
        ("{\"from\": \"per\u{feff}son\"}".to_owned(), "query.unknown_table", "no table"),
        (format!("\u{feff}{}", field("\"limit\": 1")), "query.syntax", "expected"),
    ]);
}

#[test]
fn what_is_too_long_is_refused() {
    let list = |many: usize| {
        let all: Vec<String> = (0..many).map(|n| n.to_string()).collect();
        filter(&format!("age(birth_date) in ({})", all.join(",")))
    };
    let measures: Vec<String> = (0..1_000).map(|n| format!("m{n} = count()")).collect();
    let measures = measures.join(", ");
    let named: Vec<String> = (0..1_000).map(|n| format!(r#""m{n}": "count()""#)).collect();
    let named = format!(r#"{{"from": "person", "measures": {{{}}}}}"#, named.join(", "));
    let ones = |many: usize| format!("age(birth_date) in ({})", vec!["1"; many].join(","));
    let bytes = "the limit is 65536";
    refused(&[
        (list(1_000_000), "query.limit", bytes),
        (filter(&ones(10_001)), "query.limit", "elements of a list is 10001; the limit is 10000"),
        (filter(&"x".repeat(10 << 20)), "query.limit", bytes),
        (filter(&format!("name starts '{}'", "王".repeat(4 << 20))), "query.limit", bytes),
        (filter(&format!("name = '{}", "a".repeat(10 << 20))), "query.limit", bytes),
        (format!("from person measure {measures}"), "query.limit", "is 65; the limit is 64"),
        (named, "query.json", "more than 64 named parts"),
        (filter(&vec!["n"; 10_001].join(" or ")), "query.limit", "is 10001; the limit is 10000"),
        (format!("from person by {}", vec!["sex"; 5_000].join(",")), "query.limit", "`by`"),
        (format!("from person order {}", vec!["sex"; 5_000].join(",")), "query.limit", "`order`"),
        (format!("from person select {}", vec!["sex"; 65].join(",")), "query.limit", "is 65"),
        (format!("from person matrix {}", vec!["true"; 65].join(",")), "query.limit", "is 65"),
        (filter(&format!("coalesce({})", vec!["1"; 65].join(","))), "query.limit", "arguments"),
        (filter(&"a.".repeat(20_000)), "query.limit", "parts of a name"),
    ]);
    // As long as is taken.
    answered(&[(filter(&ones(10_000)), "Some(0)"), (filter(&ones(1)), "Some(0)")]);
}

#[test]
fn numbers_at_the_ends_are_right_or_refused() {
    let sum = |text: &str| format!("from household measure {text}");
    let rows = |text: &str| format!("from household where {text}");
    let bits = "beyond 64 bits";
    refused(&[
        (sum("sum(income * 3)"), "query.overflow", bits),
        (sum("sum(income) * 9223372036854775807"), "query.overflow", bits),
        (sum("max(income) + max(income)"), "query.overflow", bits),
        (sum("-min(income)"), "query.overflow", bits),
        (sum("sum(-income)"), "query.overflow", bits),
        (sum("sum(abs(income))"), "query.overflow", bits),
        (rows("abs(income) > 0"), "query.overflow", bits),
        (rows("-income > 0"), "query.overflow", bits),
        (rows("income - 1 > 0"), "query.overflow", bits),
        (rows("income > 99999999999999999999"), "query.type", "at most 18 digits"),
        (rows("income > 0.0000000001"), "query.type", "9 of them decimals"),
        (rows("income > 9223372036854775807"), "query.type", bits),
        (rows("1 > -9223372036854775807 - 2"), "query.type", bits),
    ]);
    let (max, min) = ("Some(9223372036854775807)", "Some(-9223372036854775808)");
    answered(&[
        (sum("max(income)"), max),
        (sum("min(income)"), min),
        // MAX + MIN + 680.00 - 0.01 in fen.
        (sum("sum(income)"), "Some(67998)"),
        (sum("sum(sum(observation.value))"), "Some(48620)"),
        (rows("income > 92233720368547758.06"), "Some(1)"),
        // A constant goes to the other side: nothing is beyond 64 bits.
        (rows("sum(observation.value) + 1 > 0"), "Some(3)"),
        (rows("income + 1 > 0"), "Some(3)"),
        (rows("income / 0 is unknown"), "Some(4)"),
        (rows("1 / 0 is unknown and 0 / 0 is unknown"), "Some(4)"),
        (rows("0.5 / 0 > 1 or 0 / 0 = 0"), "Some(0)"),
        (sum("sum(income) / count(where income > 99999999999)"), "Some(67998.0)"),
        (sum("sum(income) / count(where false)"), "None"),
        (sum("per(9223372036854775807, count(where false), count(where false))"), "None"),
        (sum("stddev(income where income < 0 and income > 0)"), "None"),
        (sum("quantile(income, 0)"), "Some(-9.223372036854776e18)"),
        (sum("quantile(income, 1)"), "Some(9.223372036854776e18)"),
        (sum("avg(income)"), "Some(16999.5)"),
    ]);
}

#[test]
fn days_at_the_ends_are_right_or_refused() {
    let rows = |text: &str| filter(text);
    refused(&[
        (rows("birth_date = 0000-00-00"), "query.syntax", "day or month of the calendar"),
        (rows("birth_date = 10000-01-01"), "query.type", "no `=` of a date and an int"),
        (rows("birth_date > as_of - 100001 years"), "query.type", "up to 100000"),
        (rows("birth_date > as_of - 99999999999999999999 days"), "query.type", "up to 100000"),
        ("from person as_of 9999-99-99".to_owned(), "query.syntax", "of the calendar"),
        ("from person over month 0000-01 to 9999-12".to_owned(), "query.limit", "is 120000"),
        ("from person over month 9999-12 to 0000-01".to_owned(), "query.type", "earlier one"),
    ]);
    answered(&[
        (rows("birth_date = 0000-01-01 or birth_date = 9999-12-31"), "Some(2)"),
        (rows("age(birth_date) = 2026"), "Some(1)"),
        (rows("age(birth_date) = -7974"), "Some(1)"),
        (rows("birth_date + 100000 years > birth_date"), "Some(4)"),
        (rows("birth_date - 100000 years < birth_date - 99999 years"), "Some(4)"),
        (rows("birth_date + 100000 days - 100000 days = birth_date"), "Some(4)"),
        (rows("year(birth_date - 100000 years) = -100000"), "Some(1)"),
        (rows("year(birth_date + 1 day) = 10000"), "Some(1)"),
        (rows("birth_date + 1 year = 2025-02-28"), "Some(1)"),
        ("from person by birth_date + 1 day".to_owned(), "Some(\"0000-01-02\")"),
        ("from person measure min(birth_date - 1 day)".to_owned(), "Some(\"-001-12-31\")"),
        ("from person where age(birth_date) < 0 as_of 0000-01-01".to_owned(), "Some(3)"),
        ("from person where age(birth_date) > 7972 as_of 9999-12-31".to_owned(), "Some(3)"),
        ("from person over month 9999-12 to 9999-12".to_owned(), "Some(\"9999-12\")"),
        ("from person compare year, month as_of 0000-01-31".to_owned(), "Some(4)"),
        ("from person flow 0000-01-01 to 9999-12-31".to_owned(), "Some(\"entered\")"),
    ]);
}

#[test]
fn arguments_at_the_ends_are_right_or_refused() {
    let measure = |text: &str| format!("from person measure {text}");
    refused(&[
        (measure("histogram(monthly_income, 0, 1, 4294967295)"), "query.type", "from 1 to 1000"),
        (measure("histogram(monthly_income, 0, 1, 4294967297)"), "query.type", "from 1 to 1000"),
        (measure("lorenz(monthly_income, 4294967295)"), "query.type", "from 1 to 1000"),
        (measure("quantile(monthly_income, 2)"), "query.type", "a share from 0 to 1"),
        (measure("quantile(monthly_income, -1)"), "query.type", "a share from 0 to 1"),
        (measure("histogram(monthly_income, -1, -1, 5)"), "query.type", "above the least"),
        ("from person limit 18446744073709551616".to_owned(), "query.syntax", "whole number"),
        ("from person publish min_cell 18446744073709551615".to_owned(), "query.type", "1000000"),
    ]);
    let most = u64::MAX;
    answered(&[
        (format!("from person limit {most} offset 0"), "Some(4)"),
        (format!("from person by name limit {most} offset 0"), "Some(\"王\")"),
        (format!(r#"{{"from": "person", "limit": {most}}}"#), "Some(4)"),
        (format!("from person by name top {most} by -count"), "Some(\"王\")"),
    ]);
    let ground = small::Ground::new();
    for cut in [
        format!("from person by name offset {most}"),
        format!("from person by name limit {most} offset {most}"),
        "from person by name limit 0".to_owned(),
        "from person by name top 0 by -count".to_owned(),
        format!("from person select name limit {most} offset {most}"),
        "from person select name limit 0".to_owned(),
        format!("from person flow 2026-01-01 to 2026-02-01 limit {most} offset {most}"),
    ] {
        assert_eq!(asked(&ground, &cut).map(|answer| answer.rows).unwrap(), 0, "{cut}");
    }
}

#[test]
fn letters_that_hide_are_no_part_of_a_word() {
    let word = "expected a word";
    refused(&[
        (filter("emplo\u{0}yed"), "query.syntax", word),
        (filter("\u{feff}employed"), "query.syntax", word),
        (filter("emplo\u{202e}yed"), "query.syntax", word),
        (filter("employed\u{2066}"), "query.syntax", word),
        (filter("employed\u{200b}"), "query.syntax", word),
        (filter("еmployed"), "query.unknown_column", "no column"),
        (format!("\u{feff}{}", filter("employed")), "query.syntax", "expected"),
    ]);
    // Within a text they are what they are; an error does not repeat what steers a terminal.
    answered(&[
        (filter("name = 'a\u{202e}b\u{0}'"), "Some(0)"),
        (filter("employed\u{3000}is\u{a0}unknown\r\n"), "Some(4)"),
    ]);
    let error = Query::parse(&filter("name = '\u{1b}[2J\u{0}' and")).unwrap_err().to_string();
    assert!(!error.contains(['\u{1b}', '\u{0}']), "{error:?}");
}

#[test]
fn a_household_is_asked_within_bounds() {
    let schema = yiku::Schema::from_toml(include_str!("../../indexer/registry.toml")).unwrap();
    let person = r#"{"monthly_income": 1, "aid": [{"amount": 1}]}"#;
    let family = format!(r#"{{"income": 1, "person": [{}]}}"#, vec![person; 2_000].join(","));
    let asking = Asking::of(&schema);
    // Every part over every row, and what would turn each: refused or told, in bounded steps.
    let part = "sum(aid.amount) > 1 and any(person where any(aid where amount > 1))";
    let told = ask(&asking, &family, &vec![part; 700].join(" and ")).map(|told| told.rows.len());
    let error = told.unwrap_err().to_string();
    assert!(error.contains("the number of steps over the household"), "{error}");
    let told = ask(&asking, &family, part).unwrap();
    assert!(told.rows[0].clause.parts.iter().all(|part| part.read.len() <= 64));
    let on_persons = Asking { table: Some("person"), ..asking };
    let wide = vec!["employed"; 100].join(" and ");
    let error = ask(&on_persons, &family, &wide).unwrap_err().to_string();
    assert!(error.contains("clauses times rows is 202000; the limit is 20000"), "{error}");
    let ends = r#"{"income": "92233720368547758.07", "disaster_on": "9999-12-31"}"#;
    let told = ask(&asking, ends, "income > 1 and disaster_on + 1 day > 2026-01-01").unwrap();
    assert_eq!(told.rows[0].clause.changes[0].to, ["1.00"]);
    let error = ask(&asking, ends, "income * 2 > 1").unwrap_err().to_string();
    assert!(error.contains("beyond 64 bits"), "{error}");
}
