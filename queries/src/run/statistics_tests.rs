//! Statistics of groups whose values can be counted by hand.

use super::tests::{answer, column, refused, written};

#[test]
fn statistics_are_those_of_the_textbook() {
    let rents = ["10", "20", "30.50", "", "1000", "20"];
    let rows: Vec<Vec<(&str, &str)>> = rents
        .iter()
        .zip(["1", "2", "3", "4", "5", ""])
        .map(|(rent, floors)| {
            let cells = [("rent", *rent), ("floors", floors)];
            cells.into_iter().filter(|(_, value)| !value.is_empty()).collect()
        })
        .collect();
    let places = ["1101", "1101", "1101", "1102", "1102", "1201"];
    let houses: Vec<_> = places.iter().zip(&rows).map(|(p, row)| (*p, row.as_slice())).collect();
    let (_folder, snapshot) = written(&houses, &[]);
    for (measure, expected) in [
        // Money is told in its smallest unit.
        ("median(rent)", "2000 100000 2000 2000"),
        ("median(rent where floors is known)", "2000 100000 ? 2525"),
        ("quantile(rent, 0.25)", "1500 100000 2000 2000"),
        ("quantile(floors, 1)", "3 5 ? 5"),
        ("quantile(floors / 2, 0.5)", "1 2.25 ? 1.5"),
        ("stddev(floors)", "1 0.7071067811865476 ? 1.5811388300841898"),
        ("stddev(floors * 0.5)", "0.5 0.3535533905932738 ? 0.7905694150420948"),
        ("stddev(floors / 2)", "0.5 0.3535533905932738 ? 0.7905694150420949"),
        ("gini(floors)", "0.2222222222222222 0.05555555555555555 ? 0.26666666666666666"),
        (
            "lorenz(floors, 2)",
            "[0.0, 0.3333333333333333, 1.0] [0.0, 0.4444444444444444, 1.0] ? \
          [0.0, 0.3, 1.0]",
        ),
        ("histogram(rent, 10, 30.5, 2)", "[2, 1] [0, 0] [1, 0] [3, 1]"),
        ("histogram(floors, 0, 6, 3)", "[1, 2, 0] [0, 0, 2] [0, 0, 0] [1, 2, 2]"),
        ("histogram(floors / 2, 0, 3, 3)", "[1, 2, 0] [0, 0, 2] [0, 0, 0] [1, 2, 2]"),
        ("poverty_rate(rent, 25)", "0.6666666666666666 0 1 0.6"),
        ("poverty_gap(rent, 25)", "0.26666666666666666 0 0.2 0.2"),
        ("poverty_severity(rent, 25)", "0.13333333333333333 0 0.04000000000000001 0.088"),
        ("poverty_rate(rent, 25 where floors > 1)", "0.5 0 ? 0.3333333333333333"),
        ("median(rent) / 2 + 1", "1100 50100 1100 1100"),
    ] {
        let text = format!("from house by place.street measure m = {measure} totals");
        let found = answer(&snapshot, &text);
        assert_eq!(column(&found, 1).join(" "), expected, "{measure}");
    }
}

#[test]
fn what_is_no_statistic_is_refused() {
    let (_folder, snapshot) = written(&[("1101", &[])], &[]);
    for (measure, said) in [
        ("median()", "takes one number"),
        ("median(built)", "expected a number, found a date"),
        ("quantile(rent, 90)", "a share from 0 to 1"),
        ("quantile(rent, floors)", "a share from 0 to 1"),
        ("quantile(rent)", "takes a number and a share"),
        ("histogram(rent, 10, 0, 4)", "must be above the least"),
        ("histogram(rent, 0, 10, 0)", "a whole number from 1 to 1000"),
        ("histogram(rent, 0, 10, 4000)", "a whole number from 1 to 1000"),
        ("histogram(floors, 0.5, 10, 4)", "no more decimals than the value"),
        ("lorenz(rent, 4) * 2", "found a list of numbers"),
        ("gini(rent, 2)", "takes one number"),
        ("poverty_gap(rent)", "and the line"),
        ("medain(rent)", "did you mean `median`?"),
    ] {
        let error = refused(&snapshot, &format!("from house measure m = {measure}"));
        assert!(error.contains(said), "{measure}: {error}");
    }
    let error = refused(&snapshot, "from house where median(rent) > 3");
    assert!(error.contains("stands only in a measure"), "{error}");
}
