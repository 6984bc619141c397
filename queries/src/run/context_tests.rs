//! Questions that speak of parameters, of sets and of assumptions.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::tests::{House, lines, lines_in, refused, written};
use crate::household::Standards;
use crate::{Context, Query};

/// A line that differs by place, by kind of house and by day; a share that does not.
fn standards() -> Standards {
    let entry = |name: &str, region: &str, rest: &str| {
        format!(
            "[[standard]]\nname = \"{name}\"\nzh = \"z\"\nen = \"e\"\nregion = \"{region}\"\n\
             invented = true\n{rest}\n"
        )
    };
    let yuan = |value: &str, from: &str, more: &str| {
        format!("value = \"{value}\"\nfrom = \"{from}\"\nunit = \"yuan\"\n{more}")
    };
    let number = "value = \"0.5\"\nfrom = \"2020-01-01\"\nunit = \"number\"";
    let month = "value = \"1.00\"\nfrom = \"2020-01-01\"\nunit = \"yuan/month\"";
    Standards::read(
        &[
            entry("line", "11", &yuan("10.00", "2020-01-01", "")),
            entry("line", "11", &yuan("20.00", "2026-06-01", "")),
            entry("line", "1102", &yuan("30.00", "2020-01-01", "")),
            entry("kind", "11", &yuan("10.00", "2020-01-01", "urban = true")),
            entry("kind", "11", &yuan("40.00", "2020-01-01", "urban = false")),
            entry("share", "11", number),
            entry("monthly", "11", month),
        ]
        .join(""),
    )
    .unwrap()
}

const HOUSES: [House<'_>; 5] = [
    ("1101", &[("rent", "15"), ("urban", "true")]),
    ("1101", &[("rent", "20"), ("urban", "false")]),
    ("1102", &[("rent", "25")]),
    ("1201", &[("rent", "5"), ("urban", "true")]),
    ("1101", &[]),
];

#[test]
fn a_parameter_is_that_of_the_place_and_the_day() {
    let (_folder, snapshot) = written(&HOUSES, &[]);
    let standards = standards();
    let context = Context::default().parameters(&standards);
    let ask = |text: &str| lines_in(&snapshot, text, &context);
    // Where none is in force it is unknown, and so is the comparison.
    assert_eq!(
        ask("from house by rent < $line as_of 2026-10-31"),
        ["false 1", "true 2", "? 2"],
        "15 and 20 against 20, 25 against 30"
    );
    assert_eq!(ask("from house by rent < $line as_of 2026-05-31"), ["false 2", "true 1", "? 2"]);
    assert_eq!(ask("from house by rent < $line as_of 2019-05-31"), ["? 5"]);
    assert_eq!(
        ask("from house select id, $line where rent is known"),
        ["h0 2000", "h1 2000", "h2 3000", "h3 ?"]
    );
    // At each moment its own.
    assert_eq!(
        ask("from house where rent < $line over month 2026-05 to 2026-06"),
        ["2026-05 1", "2026-06 2"]
    );
    // By the kind of house; of a house of no known kind only what holds of both.
    assert_eq!(ask("from house where rent > $kind select id"), ["h0"]);
    assert_eq!(ask("from house where $kind is unknown select id"), ["h4", "h2", "h3"]);
    // Numbers and amounts of a month.
    assert_eq!(ask("from house measure s = sum(rent * $share)"), ["3000"]);
    assert_eq!(ask("from house where rent > $monthly select id"), ["h0", "h1", "h2"]);
    assert!(ask("from house where rent > $lime")[0].contains("did you mean `line`?"));
    assert!(refused(&snapshot, "from house where rent > $line").contains("no parameter `$line`"));
    assert!(ask("from house where a = $line")[0].contains("no `=` of a flag and money"));
}

#[test]
fn an_assumption_stands_beside_the_present() {
    let (_folder, snapshot) = written(&HOUSES, &[]);
    let standards = standards();
    let context = Context::default().parameters(&standards);
    let ask = |text: &str| lines_in(&snapshot, text, &context);
    let poor = "from house where rent < $line";
    // 15 and 25 are below 20 and 30; with 5 less still, below 14 and 24 not; below 22 all.
    assert_eq!(
        ask(&format!("{poor} measure n = count() with line = -5, line = -6, line = 22")),
        ["2 0 -2 -100 0 -2 -100 2 0 0"]
    );
    assert_eq!(
        ask(&format!("{poor} by place.street measure n = count() with line = +0.01")),
        ["1101 1 2 1 100", "1102 1 1 0 0"]
    );
    // Groups that are only in one; several parameters at once; beside an earlier day.
    assert_eq!(
        ask(&format!("{poor} by place.street with line = -6, (line = +1, kind = 0)")),
        ["1101 1 0 -1 -100 2 1 100", "1102 1 0 -1 -100 1 0 0"]
    );
    assert_eq!(
        ask(&format!("{poor} measure n = count() compare month with line = +1 as_of 2026-06-30")),
        ["2 1 1 100 3 1 50"]
    );
    // Of a month, of a parameter that is one of a year: 1.00 a month is 12.00, and 20.00 then.
    let dear = "from house where rent < $monthly measure n = count() with";
    assert_eq!(ask(&format!("{dear} monthly = +0.7/month")), ["0 2 2 ?"]);
    assert_eq!(ask(&format!("{dear} monthly = 2/month")), ["0 2 2 ?"]);
    assert!(ask(&format!("{poor} with line = 2/month"))[0].contains("no amount of a month"));
    assert!(ask(&format!("{poor} with lime = 2"))[0].contains("did you mean `line`?"));
    assert!(ask(&format!("{poor} with line = 0.001"))[0].contains("more decimals"));
    let text = format!("{poor} with line = +0.7/month, (line = 1, share = -0.5)");
    assert_eq!(Query::parse(&text).unwrap().to_text(), text);
    let json = Query::from_json(
        r#"{"from": "house", "where": "rent < $line", "with": [{"line": "+0.7/month"},
            {"line": 1, "share": "-0.5"}]}"#,
    );
    assert_eq!(json.unwrap(), Query::parse(&text).unwrap());
}

#[test]
fn a_set_of_the_question_is_named() {
    let spells = [("2026-01-01", ""), ("2025-01-01", "2025-06-30")];
    let (_folder, snapshot) = written(&HOUSES, &spells);
    let ask = |text: &str| lines(&snapshot, text);
    let sets = "sets dear = rent >= 20, far = place within 12, odd = in set dear or in set far";
    assert_eq!(
        ask(&format!("from house where house in set odd select id {sets}")),
        ["h1", "h2", "h3"]
    );
    assert_eq!(ask(&format!("from house where id in set dear select id {sets}")), ["h1", "h2"]);
    // A row is in a set or it is not: nothing is unknown.
    assert_eq!(ask(&format!("from house by in set dear {sets}")), ["false 3", "true 2"]);
    assert_eq!(
        ask(&format!("from house where in set odd and not in set far select id {sets}")),
        ["h1", "h2"]
    );
    assert_eq!(
        ask(&format!("from house matrix in set dear, in set odd {sets}")),
        ["in set dear 2 2", "in set odd 2 3"]
    );
    // Of another table, above and beneath.
    let sets = "sets open of lease = running, full of house = any(lease where in set open)";
    assert_eq!(ask(&format!("from house where in set full {sets}")), ["1"]);
    assert_eq!(ask(&format!("from lease where house in set full select id {sets}")), ["l0", "l1"]);
    assert_eq!(
        ask(&format!("from lease where lease in set open and house.id in set full {sets}")),
        ["1"]
    );
    for (text, says) in [
        ("where in set dead", "no set `dead`; did you mean `dear`?"),
        ("where lease in set dear", "is a set of rows of house, not of lease"),
        ("where a in set dear", "write the name of their table, or its key"),
        ("where in set open", "write `any(lease where in set open)`"),
        ("where in set later", "no set `later`"),
        ("where rent in set dear", "write the name of their table, or its key"),
    ] {
        let text = format!("from house {text} sets dear = rent > 2, open of lease = running");
        let found = refused(&snapshot, &text);
        assert!(found.contains(says), "{text}\n{found}");
    }
    for (sets, says) in [
        ("a = in set b, b = a", "no set `b`"),
        ("x = a, x = b", "two sets are called `x`"),
        ("x of leash = a", "did you mean `lease`?"),
        ("x = rent", "expected a condition"),
    ] {
        let found = refused(&snapshot, &format!("from house sets {sets}"));
        assert!(found.contains(says), "{sets}\n{found}");
    }
}
