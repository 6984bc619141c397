//! Lists of rows: their columns, their order, page after page.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::tests::{answer, lines, refused, written};
use yiku::Snapshot;

fn houses() -> (tempfile::TempDir, Snapshot) {
    let rows: [(&str, &[(&str, &str)]); 6] = [
        ("1102", &[("rent", "10"), ("floors", "2"), ("built", "2001-02-03"), ("a", "true")]),
        ("1101", &[("rent", "20.50"), ("floors", "1")]),
        ("1201", &[("floors", "2"), ("a", "false")]),
        ("1101", &[("rent", "10"), ("floors", "3")]),
        ("1201", &[("rent", "7"), ("floors", "2")]),
        ("1102", &[("rent", "10"), ("floors", "2")]),
    ];
    written(&rows, &[("2020-01-01", "2020-12-31"), ("2021-01-01", ""), ("2019-05-05", "")])
}

#[test]
fn rows_stand_by_place_and_key_or_as_ordered() {
    let (_folder, snapshot) = houses();
    let list = |rest: &str| lines(&snapshot, &format!("from house {rest}")).join(", ");
    assert_eq!(list("select id"), "h1, h3, h0, h5, h2, h4");
    assert_eq!(list("select id limit 2 offset 1"), "h3, h0");
    assert_eq!(list("where floors = 2 select id, rent"), "h0 1000, h5 1000, h2 ?, h4 700");
    assert_eq!(list("select id, floors order -floors"), "h3 3, h0 2, h5 2, h2 2, h4 2, h1 1");
    // Unknown stands last either way.
    assert_eq!(
        list("select id, rent order rent, -id"),
        "h4 700, h5 1000, h3 1000, h0 1000, h1 2050, h2 ?"
    );
    assert_eq!(
        list("select id, rent order -rent, id"),
        "h1 2050, h0 1000, h3 1000, h5 1000, h4 700, h2 ?"
    );
    assert_eq!(
        list(
            "where a is known select id, place, place.city, built, a, half = floors / 4, \
             big = floors > 2"
        ),
        "h0 1102 11 2001-02-03 true 0.5 false, h2 1201 12 ? false 0.5 false"
    );
    assert_eq!(list("select n = count(lease), id order -n limit 1"), "3 h5");
    assert_eq!(
        lines(&snapshot, "from lease select id, start, house.rent, running order -start")
            .join(", "),
        "l1 2021-01-01 1000 true, l0 2020-01-01 1000 false, l2 2019-05-05 1000 true"
    );
    assert_eq!(list("where floors > 9 select id"), "");
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let (_folder, snapshot) = houses();
    for order in
        ["", "order -floors", "order rent", "order -rent, floors", "order half", "order id"]
    {
        let text = format!("from house select id, rent, floors, half = floors * 0.5 {order}");
        let whole = lines(&snapshot, &text);
        for size in 1..7 {
            let mut paged = Vec::new();
            let mut after = String::new();
            loop {
                let page = format!("{text} limit {size} {after}");
                paged.extend(lines(&snapshot, &page));
                let found = answer(&snapshot, &page);
                assert_eq!(found.total_rows, 6);
                assert_eq!(found.truncated, found.next.is_some());
                let Some(next) = found.next else { break };
                after = format!("after '{next}'");
            }
            assert_eq!(paged, whole, "{order} by {size}");
        }
    }
    let text = "from lease select id order id limit 2";
    let next = answer(&snapshot, text).next.unwrap();
    assert_eq!(lines(&snapshot, &format!("{text} after '{next}'")), ["l2"]);
    // A cursor belongs to its question.
    for other in ["from lease select id limit 2", "from lease select id where running order id"] {
        let error = refused(&snapshot, &format!("{other} after '{next}'"));
        assert!(error.contains("the same question ended with"), "{error}");
    }
    for cursor in ["", "zz", "é", "00", "7b7d"] {
        let error = refused(&snapshot, &format!("{text} after '{cursor}'"));
        assert!(error.contains("the same question ended with"), "{cursor}: {error}");
    }
}

#[test]
fn what_is_no_list_is_refused() {
    let (_folder, snapshot) = houses();
    for (rest, said) in [
        ("select id by place", "goes without `by`"),
        ("select id measure count()", "goes without `measure`"),
        ("select id totals", "goes without `totals`"),
        ("select id having n > 3", "goes without `having`"),
        ("select id order rent", "the answer has no column `rent`"),
        ("select idd", "did you mean `id`?"),
        ("select count()", "takes a table"),
        ("select id, id", "two columns of the list"),
        ("after 'x'", "it stands with `select`"),
    ] {
        let error = refused(&snapshot, &format!("from house {rest}"));
        assert!(error.contains(said), "{rest}: {error}");
    }
}
