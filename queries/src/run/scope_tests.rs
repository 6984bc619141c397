//! A plan that is bound to a place sees nothing of any other, whatever its text says.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::tests::{House, column, snapshot_of};
use crate::{Answer, Error, Limits, Plan, Query};
use yiku::Snapshot;

/// Houses of street 1101 are poor and of one lease each, those of 1102 rich.
fn streets() -> (tempfile::TempDir, Snapshot) {
    let poor = [("rent", "100.00"), ("floors", "1"), ("a", "true")];
    let rich = [("rent", "900.00"), ("floors", "9"), ("a", "false")];
    // Of a house outside no sum may be tried: it is beyond 64 bits.
    let vast = [("rent", "92233720368547758.07"), ("floors", "9"), ("a", "false")];
    let houses: [House<'_>; 5] =
        [("1101", &poor), ("1101", &poor), ("1102", &rich), ("1201", &vast), ("1201", &vast)];
    let lease = [("2020-01-01", "")];
    snapshot_of(&houses, &[&[], &lease, &lease, &lease, &lease])
}

fn within(snapshot: &Snapshot, text: &str, scope: &str) -> Answer {
    let query = Query::parse(text).unwrap();
    let plan = Plan::within(&query, snapshot, scope).unwrap();
    assert_eq!(plan.scope(), Some(scope), "{text}");
    plan.run(snapshot, &Limits::default()).unwrap()
}

#[test]
fn rows_outside_are_in_no_answer() {
    let (_folder, snapshot) = streets();
    for (text, scope, expected) in [
        ("from house by id", "1101", "h0 h1"),
        ("from house by id", "11", "h0 h1 h2"),
        ("from house where place within 1102 by id", "1101", ""),
        ("from house where place within 11 by id", "1102", "h2"),
        ("from house where place within (1101, 1201) by id", "12", "h3 h4"),
        ("from house where not place within 1101 by id", "1101", ""),
        ("from house where a or not a or a is unknown by id", "1101", "h0 h1"),
        ("from house where place within 1101 or true by id", "1102", "h2"),
        ("from house where any(lease) by id", "1101", "h1"),
        ("from house where none(lease where house.place within 1102) by id", "1101", "h0 h1"),
        ("from house where all(lease where false) by id", "1101", "h0"),
        ("from lease by id", "1102", "l2_0"),
        ("from lease where house.rent > 1 by id", "1101", "l1_0"),
        ("from lease where not house.a or house.a by id", "11", "l1_0 l2_0"),
        ("from house by place", "12", "1201"),
        ("from house by place.next", "11", "1101 1102"),
        ("from lease by place.next", "11", "1101 1102"),
        ("from house where place within 11 by place.next", "1101", "1101"),
        ("from house by place.next", "1101", "1101"),
        ("from house by place.city", "1102", "11"),
        ("from house by id", "1301", ""),
        ("from house where rent + floors > 3 by id", "11", "h0 h1 h2"),
    ] {
        assert_eq!(
            column(&within(&snapshot, text, scope), 0).join(" "),
            expected,
            "{text} {scope}"
        );
    }
}

#[test]
fn totals_shares_and_measures_are_of_the_place() {
    let (_folder, snapshot) = streets();
    let text = "from house by a measure n = count(), s = share(count()), rent = sum(rent), \
                leases = sum(count(lease)), head = avg(per_capita(rent)) totals";
    let found = within(&snapshot, text, "11");
    assert_eq!(column(&found, 1), ["1", "2", "3"]);
    assert_eq!(column(&found, 2), ["0.3333333333333333", "0.6666666666666666", "1"]);
    assert_eq!(column(&found, 3), ["90000", "20000", "110000"]);
    assert_eq!(column(&found, 4), ["1", "1", "2"]);
    assert_eq!(column(&found, 5), ["90000", "10000", "50000"]);
    assert_eq!((found.matched, found.levels), (3, vec![0, 0, 1]));
    // A share is of the whole place, not of the registry.
    let text = "from house where floors = 9 by a measure s = share(count())";
    assert_eq!(column(&within(&snapshot, text, "1102"), 1), ["1"]);
    let distinct = "from lease measure n = count_distinct(house), r = max(house.rent)";
    assert_eq!(column(&within(&snapshot, distinct, "1101"), 0), ["1"]);
    assert_eq!(column(&within(&snapshot, distinct, "1101"), 1), ["10000"]);
    let nothing = within(&snapshot, "from house measure n = count(), m = max(rent)", "1301");
    assert_eq!((column(&nothing, 0), column(&nothing, 1)), (vec!["0".into()], vec!["?".into()]));
}

#[test]
fn the_steps_of_a_plan_count_the_place_only() {
    let (_folder, snapshot) = streets();
    let query = Query::parse("from lease where house.floors = 9").unwrap();
    let plan = Plan::within(&query, &snapshot, "11").unwrap();
    let told = plan.explain(&snapshot, &Limits::default(), &|| 0).unwrap();
    let rows: Vec<Option<u64>> = told.steps.iter().map(|s| s.rows).take(2).collect();
    assert_eq!((rows, told.matched), (vec![Some(2), Some(1)], 1));
    assert_eq!(told.steps.first().map(|s| s.clause.as_str()), Some("from lease within 11"));
}

#[test]
fn every_question_is_that_of_a_registry_of_the_place_alone() {
    let (_folder, snapshot) = streets();
    let poor = [("rent", "100.00"), ("floors", "1"), ("a", "true")];
    let alone: [House<'_>; 2] = [("1101", &poor), ("1101", &poor)];
    let (_other, alone) = snapshot_of(&alone, &[&[], &[("2020-01-01", "")]]);
    for text in [
        "from house by band(rent, 0, 100, 500) measure n = count(), s = share(count()) totals",
        "from house where per_capita(rent) >= 100 or count(lease) = 0 by a, place",
        "from lease where running by house.id measure n = count(), r = sum(house.rent) totals",
        "from house by place.street, coalesce(a, false) measure per(10, count(where a), count())",
        "from house where max(sum(lease.share), rent) > 1 measure n = count_distinct(floors)",
    ] {
        let query = Query::parse(text).unwrap();
        let own = Plan::new(&query, &alone).unwrap().run(&alone, &Limits::default()).unwrap();
        let found = within(&snapshot, text, "1101");
        assert_eq!((found.columns, found.levels), (own.columns, own.levels), "{text}");
    }
}

#[test]
fn a_scope_is_the_code_of_a_place() {
    let (_folder, snapshot) = streets();
    let query = Query::parse("from house").unwrap();
    for scope in ["", "1", "110", "11011", "11-1", "1101 ", "１１", "*", "11%"] {
        let found = Plan::within(&query, &snapshot, scope);
        assert!(matches!(found, Err(Error::Scope { .. })), "{scope:?}");
    }
    let error = Plan::within(&query, &snapshot, "110").unwrap_err();
    assert_eq!(error.code(), "query.scope");
    assert_eq!(error.to_string(), "`110` is no scope: write the code of a place, 2, 4 digits long");
}
