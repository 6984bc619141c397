//! Conditions on measures, and the best groups within groups.

use super::tests::{answer, column, refused, written};
use yiku::Snapshot;

fn houses() -> (tempfile::TempDir, Snapshot) {
    let rent = |rent| vec![("rent", rent), ("built", "2001-02-03")];
    let rows = [
        ("1101", rent("10")),
        ("1101", rent("20")),
        ("1101", rent("30")),
        ("1102", rent("5")),
        ("1102", vec![]),
        ("1201", rent("100")),
    ];
    let rows: Vec<_> = rows.iter().map(|(place, row)| (*place, row.as_slice())).collect();
    written(&rows, &[])
}

#[test]
fn having_keeps_the_groups_for_which_it_is_true() {
    let (_folder, snapshot) = houses();
    for (having, expected) in [
        ("n > 1", "1101 1102"),
        ("n > 1 and r < 60", "1102"),
        ("not (n > 1 and r < 60)", "1101 1201"),
        ("r / n = 20", "1101"),
        ("sum(rent) between 5 and 60", "1101 1102"),
        ("count(rent) in (1, 7) or r is unknown", "1102 1201"),
        ("max(rent where floors > 3) is known", ""),
        ("max(rent where floors > 3) > 0 or n > 2", "1101"),
        ("-n <= -2 and 'r' >= 60", "1101"),
        ("max(built) < as_of and n = 1", "1201"),
        ("max(built) = 2001-02-03 and share(n) > 0.4", "1101"),
        ("true", "1101 1102 1201"),
    ] {
        let text = format!(
            "from house by place.street measure n = count(), r = sum(rent) having {having}"
        );
        let found = answer(&snapshot, &text);
        assert_eq!(column(&found, 0).join(" "), expected, "{having}");
        assert_eq!(found.total_rows, found.rows, "{having}");
    }
    // What is counted without a name has one, and totals speak of all rows.
    let found = answer(&snapshot, "from house by place.street having count > 2 totals");
    assert_eq!(column(&found, 1), ["3", "6"]);
    for (having, said) in [
        ("n", "expected a condition on measures"),
        ("m > 3", "did you mean `n`?"),
        ("n > 2026-01-01", "a number is not compared with a day"),
        ("histogram(rent, 0, 9, 3) = 3", "a list of numbers is not compared with a number"),
        ("rent > 3", "the answer has no column"),
    ] {
        let text = format!("from house by place.street measure n = count() having {having}");
        let error = refused(&snapshot, &text);
        assert!(error.contains(said), "{having}: {error}");
    }
}

#[test]
fn the_best_are_kept_within_each_group() {
    let (_folder, snapshot) = houses();
    let by = "from house by place.city, place.street measure r = sum(rent), n = count()";
    for (rest, expected) in [
        ("top 1 within place.city by -r", "1101 1201"),
        ("top 1 within place.city by r", "1102 1201"),
        ("top 2 by -r", "1101 1201"),
        ("top 2 by -r order -r", "1201 1101"),
        ("top 2 by -r order -r limit 1", "1201"),
        ("top 2 by -n, place.street having r > 5", "1101 1201"),
        ("top 0 by r", ""),
        ("top 9 within place.city, place.street by r", "1101 1102 1201"),
    ] {
        let found = answer(&snapshot, &format!("{by} {rest}"));
        assert_eq!(column(&found, 1).join(" "), expected, "{rest}");
    }
    let found = answer(&snapshot, &format!("{by} top 1 within place.city by -r totals"));
    assert_eq!(column(&found, 2), ["6000", "6500", "10000", "10000", "16500"]);
    for (rest, said) in
        [("top 1 within place by r", "did you mean"), ("top 1 by x", "the answer has no column")]
    {
        let error = refused(&snapshot, &format!("{by} {rest}"));
        assert!(error.contains(said), "{rest}: {error}");
    }
}
