//! The same question at several days: stocks by month, who came and went, change.

use super::tests::{answer, column, lines, refused, snapshot_of};
use yiku::Snapshot;

/// Three streets; spells of leases that begin, end and begin again.
fn leases() -> (tempfile::TempDir, Snapshot) {
    let houses: [(&str, &[(&str, &str)]); 4] = [
        ("1101", &[("rent", "10"), ("built", "1966-05-31")]),
        ("1101", &[("rent", "20"), ("built", "1966-07-15")]),
        ("1102", &[("rent", "40")]),
        ("1201", &[("rent", "5")]),
    ];
    snapshot_of(
        &houses,
        &[
            &[("2025-12-01", "2026-03-31"), ("2026-05-01", "")],
            &[("2026-02-10", "2026-02-20"), ("2026-04-01", "2026-04-29")],
            &[("2026-01-01", "2026-04-30")],
            &[("2026-04-30", "")],
        ],
    )
}

#[test]
fn a_question_is_asked_at_the_end_of_every_month() {
    let (_folder, snapshot) = leases();
    let rented = "from house where any(lease where running)";
    assert_eq!(
        lines(&snapshot, &format!("{rented} measure n = count() over month 2025-11 to 2026-05")),
        ["2025-11 0", "2025-12 1", "2026-01 2", "2026-02 2", "2026-03 2", "2026-04 2", "2026-05 2"]
    );
    assert_eq!(
        lines(
            &snapshot,
            &format!("{rented} by place.city measure n = count() over quarter 2025-12 to 2026-08")
        ),
        ["2025-12 11 1", "2026-03 11 2", "2026-06 11 1", "2026-06 12 1"]
    );
    assert_eq!(
        lines(
            &snapshot,
            "from house measure old = count(where age(built) >= 60) over month 2026-04 to 2026-07"
        ),
        ["2026-04 0", "2026-05 1", "2026-06 1", "2026-07 2"]
    );
    // The order, the best of each month, and what is cut.
    assert_eq!(
        lines(
            &snapshot,
            &format!(
                "{rented} by place.street measure n = count() order -month, place.street limit 2 \
                      over month 2026-01 to 2026-04"
            )
        ),
        ["2026-04 1102 1", "2026-04 1201 1"]
    );
    assert_eq!(
        lines(
            &snapshot,
            "from house by place.street measure r = sum(rent) top 1 within month by -r \
             over month 2026-01 to 2026-02"
        ),
        ["2026-01 1102 4000", "2026-02 1102 4000"]
    );
    let found =
        answer(&snapshot, &format!("{rented} by place.city over month 2026-04 to 2026-05 totals"));
    assert_eq!(column(&found, 2), ["1", "1", "2", "1", "1", "2"]);
    assert_eq!(found.levels, [0, 0, 1, 0, 0, 1]);
}

#[test]
fn what_came_and_went_adds_up_to_the_stocks() {
    let (_folder, snapshot) = leases();
    let moves = "measure n = count(), came = inflow(), went = outflow()";
    assert_eq!(
        lines(
            &snapshot,
            &format!(
                "from house where any(lease where running) {moves} over month 2025-11 to 2026-05"
            )
        ),
        [
            "2025-11 0 0 0",
            "2025-12 1 1 0",
            "2026-01 2 1 0",
            "2026-02 2 0 0",
            "2026-03 2 0 0",
            "2026-04 2 1 1",
            "2026-05 2 1 1",
        ]
    );
    assert_eq!(
        lines(
            &snapshot,
            &format!(
                "from lease where running by place.street {moves} over month 2026-04 to 2026-05"
            )
        ),
        [
            "2026-04 1101 0 0 1",
            "2026-04 1102 1 0 0",
            "2026-04 1201 1 1 0",
            "2026-05 1101 1 1 0",
            "2026-05 1102 0 0 1",
            "2026-05 1201 1 0 0",
        ]
    );
    // Of whoever left, what was so before it left; two conditions stay apart.
    assert_eq!(
        lines(
            &snapshot,
            "from house where any(lease where running) measure outflow(where rent > 15), \
             outflow(where rent < 15), inflow(where rent < 15), outflow() over month 2026-04 to \
                 2026-05"
        ),
        ["2026-04 0 1 1 1", "2026-05 1 0 1 1"]
    );
    let found = answer(
        &snapshot,
        &format!(
            "from lease where running by place.city, place.street {moves} totals over month \
                2025-11 to 2026-06"
        ),
    );
    let numbers = |at: usize| -> Vec<i64> {
        column(&found, at).iter().map(|n| n.parse().unwrap_or(0)).collect()
    };
    let (keys, stock, came, went) = (
        (0..3).map(|at| column(&found, at)).collect::<Vec<_>>(),
        numbers(3),
        numbers(4),
        numbers(5),
    );
    let key = |row: usize| (keys[1][row].clone(), keys[2][row].clone());
    let mut before = std::collections::BTreeMap::new();
    for row in 0..found.rows {
        let was = before.insert(key(row), (keys[0][row].clone(), stock[row]));
        let was = was.map_or(0, |(_, n)| n);
        assert_eq!(stock[row] - was, came[row] - went[row], "{:?}", key(row));
    }
}

#[test]
fn a_measure_stands_beside_what_it_was() {
    let (_folder, snapshot) = leases();
    let text = "from house where any(lease where running) by place.street measure n = count(), \
                r = sum(rent) compare month, year as_of 2026-04-30";
    let found = answer(&snapshot, text);
    let names: Vec<&str> = found.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "place.street",
            "n",
            "r",
            "n.month_before",
            "n.month_change",
            "n.month_percent",
            "r.month_before",
            "r.month_change",
            "r.month_percent",
            "n.year_before",
            "n.year_change",
            "n.year_percent",
            "r.year_before",
            "r.year_change",
            "r.year_percent",
        ]
    );
    assert_eq!(
        lines(&snapshot, text),
        [
            // What is gone stands there with what it was.
            "1101 0 0 1 -1 -100 1000 -1000 -100 0 0 ? 0 0 ?",
            "1102 1 4000 1 0 0 4000 0 0 0 1 ? 0 4000 ?",
            "1201 1 500 0 1 ? 0 500 ? 0 1 ? 0 500 ?",
        ]
    );
    assert_eq!(
        lines(
            &snapshot,
            "from lease where running measure n = count(), d = min(start) compare quarter \
             order -n.quarter_change over month 2026-02 to 2026-03"
        ),
        ["2026-02 2 2025-12-01 0 2 ?", "2026-03 2 2025-12-01 1 1 100"]
    );
    // The end of a month is compared with the end of the month before, another day with itself.
    for (day, expected) in [
        ("2026-02-28", "2026-01-31"),
        ("2026-03-28", "2026-02-28"),
        ("2026-03-31", "2026-02-28"),
        ("2026-04-30", "2026-03-31"),
    ] {
        let text = format!(
            "from house where place within 1201 measure m = max(as_of - 2026-01-01) compare month \
             as_of {day}"
        );
        let first = lines(&snapshot, &text);
        let days: Vec<i64> = first[0].split(' ').take(2).map(|n| n.parse().unwrap_or(0)).collect();
        let before =
            yiku::calendar::date_text(yiku::calendar::days(2026, 1, 1).unwrap_or(0) + days[1]);
        assert_eq!(before, expected, "{day}");
    }
    let shares = "from lease where running by place.street measure s = share(count()) compare \
        month as_of 2026-04-30";
    assert_eq!(lines(&snapshot, shares)[1], "1102 0.5 0.5 0 0");
    let totals = "from lease where running by place.street measure n = count() totals compare \
        month as_of 2026-05-31";
    assert_eq!(lines(&snapshot, totals).last().map(String::as_str), Some("? 2 2 0 0"));
}

#[test]
fn what_has_no_moment_before_is_refused() {
    let (_folder, snapshot) = leases();
    for (text, said) in [
        ("from lease measure inflow()", "speaks of two moments"),
        ("from lease measure outflow(where share > 1) compare month", "speaks of two moments"),
        ("from lease measure inflow(share) over month 2026-01", "takes no argument"),
        ("from lease over quarter 2026-02 to 2026-02", "no whole quarter ends"),
        ("from lease over year 2026-01 to 2026-11", "no whole year ends"),
        ("from lease select id over month 2026-01", "goes without `over`"),
        ("from lease select id compare month", "goes without `compare`"),
        ("from lease over month 2026-01 order mnth", "did you mean `month`?"),
    ] {
        let error = refused(&snapshot, text);
        assert!(error.contains(said), "{text}: {error}");
    }
}

/// A change from one end of 64 bits to the other is no number of 64 bits, and not unknown either.
#[test]
fn a_change_beyond_64_bits_stops_the_question() {
    let houses: [(&str, &[(&str, &str)]); 2] = [
        ("1101", &[("floors", "-9223372036854775808"), ("built", "1966-05-31")]),
        ("1101", &[("floors", "9223372036854775807"), ("built", "2026-10-15")]),
    ];
    let (_folder, snapshot) = snapshot_of(&houses, &[&[], &[]]);
    let text = "from house where built <= as_of measure m = max(floors) compare month";
    assert!(refused(&snapshot, text).contains("measure `m` is beyond 64 bits"), "{text}");
}
