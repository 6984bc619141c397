//! The built program: sets that are kept, and questions that name them, parameters and versions.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops where it fails, and writes a file of standards"
)]

mod program;
#[expect(clippy::cast_possible_truncation, reason = "a test's registry")]
mod small;

use program::{done, refused};
use serde_json::{Value, json};

/// A folder with the small registry in `db`.
fn registry() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    small::create(&db);
    (folder, db.to_str().unwrap().to_owned())
}

fn number(db: &str, question: &str) -> i64 {
    let csv = done(&["query", "--db", db, "--format", "csv", question]);
    csv.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_set_is_kept_joined_and_asked() {
    let (_folder, db) = registry();
    let ill = |h: i64| h % 4 == 0;
    let count = |of: &dyn Fn(i64) -> bool| (0..=small::HOUSEHOLDS).filter(|h| of(*h)).count();
    let keep = |name: &str, text: &str| done(&["set", "keep", name, "--db", &db, text]);
    let both = count(&|h| ill(h) && small::is_on_dibao(h));
    assert_eq!(
        keep("ill", "from person where severe_illness"),
        format!("ill: {} rows of person\n", count(&ill))
    );
    keep("aided", "from person where any(aid where running)");
    let joined = |how: &str, name: &str| done(&["set", how, name, "ill", "aided", "--db", &db]);
    assert_eq!(joined("intersect", "both"), format!("both: {both} rows of person\n"));
    let union = count(&|h| ill(h) || small::is_on_dibao(h));
    assert_eq!(joined("union", "either"), format!("either: {union} rows of person\n"));
    let left = count(&ill) - both;
    assert_eq!(joined("subtract", "unaided"), format!("unaided: {left} rows of person\n"));
    let listed = done(&["set", "list", "--db", &db]);
    assert_eq!(listed.lines().count(), 5, "{listed}");
    let shown: Value = serde_json::from_str(&done(&["set", "show", "both", "--db", &db])).unwrap();
    assert_eq!((&shown["rows"], &shown["table"]), (&json!(both), &json!("person")));
    assert_eq!(shown["origin"]["joined"]["how"], "intersection");
    let asked = &shown["origin"]["joined"]["of"][0][1]["asked"];
    assert_eq!(asked["question"], "from person where severe_illness");
    assert_eq!((&asked["version"], &asked["as_of"]), (&json!(2), &json!("2026-10-31")));
    let text = "from person where person in set unaided measure n = count()";
    assert_eq!(number(&db, text), left as i64);
    // The rows stay those of then.
    let mut writer = yiku::Database::open(db.as_ref()).unwrap().writer().unwrap();
    assert!(writer.remove("H004").unwrap());
    writer.commit(yiku::CommitInfo::default()).unwrap();
    assert_eq!(number(&db, text), left as i64 - 1);
    done(&["set", "drop", "unaided", "--db", &db]);
    refused(&["query", "--db", &db, text], 1, "no set `unaided`");
    refused(&["set", "keep", "ill", "--db", &db, "from person"], 1, "there already");
    refused(&["set", "keep", "x", "--db", &db, "from person by sex"], 1, "made of rows");
    refused(&["set", "union", "x", "ill", "nobody", "--db", &db], 1, "no set of this name");
    refused(&["set", "keep", "../x", "--db", &db, "from person"], 1, "a name of a set begins");
    done(&["set", "keep", "homes", "--db", &db, "from household"]);
    refused(&["set", "union", "x", "ill", "homes", "--db", &db], 1, "only sets of one table");
}

#[test]
fn parameters_and_versions_are_named() {
    let (folder, db) = registry();
    let file = folder.path().join("standards.toml");
    let standard = "[[standard]]\nname = \"age_line\"\nzh = \"年龄\"\nen = \"age\"\nregion = \"14\"\n\
                    from = \"2020-01-01\"\nvalue = \"60\"\nunit = \"number\"\ninvented = true\n";
    std::fs::write(&file, standard).unwrap();
    let file = file.to_str().unwrap();
    let text = "from person where age(birth_date) >= $age_line measure n = count() \
                with age_line = +10";
    let csv = done(&["query", "--db", &db, "--params", file, "--format", "csv", text]);
    // Of a household the persons were all born on 1 May of 1950 and so many.
    let old = |line: i64| -> i64 {
        (0..=small::HOUSEHOLDS).filter(|h| 76 - h >= line).map(small::size).sum()
    };
    let (now, then) = (old(60), old(70));
    let percent = (then - now) as f64 * 100.0 / now as f64;
    let expected = format!(
        "n,n.with_1,n.with_1_change,n.with_1_percent\n{now},{then},{},{percent:.4}\n",
        then - now
    );
    assert_eq!(csv, expected);
    refused(&["query", "--db", &db, text], 1, "no parameter `$age_line`");
    refused(&["query", "--db", &db, "--params", "/nowhere", text], 1, "cannot read /nowhere");
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, standard.replace("60", "many")).unwrap();
    let wrong = wrong.to_str().unwrap();
    refused(&["query", "--db", &db, "--params", wrong, text], 1, "is no value of its unit");

    done(&["snapshot", "keep", "before", "--db", &db]);
    let mut writer = yiku::Database::open(db.as_ref()).unwrap().writer().unwrap();
    assert!(writer.remove("H004").unwrap());
    writer.commit(yiku::CommitInfo::default()).unwrap();
    let text = "from household by region.city flow 'before' to 2026-10-31";
    let csv = done(&["query", "--db", &db, "--format", "csv", text]);
    assert!(csv.contains("left,1401,太原市,,,1\n"), "{csv}");
    assert!(csv.contains("stayed,1401,太原市,1401,太原市,35\n"), "{csv}");
    let text = "from household flow 'after' to 2026-10-31";
    refused(&["query", "--db", &db, text], 1, "no version is kept under the name `after`");
}

#[test]
fn words_are_found_with_and_without_an_index() {
    let (folder, db) = registry();
    // An address is the name of a road, of which all have the same, with a number.
    let road = small::SECRET.chars().skip(1).collect::<String>();
    let asked = [
        (format!("matches(address, '{road}路')"), small::HOUSEHOLDS + 1),
        ("matches(address, '7号')".to_owned(), 1),
        (format!("matches(address, '{road} 12')"), 1),
        ("matches(address, '号7')".to_owned(), 0),
    ];
    let check = |gone: i64| {
        for (condition, count) in &asked {
            let text = format!("from household where {condition} measure n = count()");
            let expected = if *count > 1 { count - gone } else { *count };
            assert_eq!(number(&db, &text), expected, "{text}");
        }
    };
    check(0);
    let plan =
        |db: &str| done(&["explain", "--db", db, "from household where matches(address, '7号')"]);
    let served = |db: &str| {
        let plan = plan(db);
        let line = plan.lines().find(|line| line.starts_with("where matches")).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).nth(1).unwrap().to_owned()
    };
    assert_eq!(served(&db), "scan");
    let rows: i64 = (0..=small::HOUSEHOLDS).map(small::size).sum::<i64>() + small::HOUSEHOLDS + 1;
    let made: Value = serde_json::from_str(&done(&["index", "--db", &db, "--json"])).unwrap();
    assert_eq!((&made["version"], &made["rows"]), (&json!(2), &json!(rows)));
    assert_eq!(served(&db), "words");
    check(0);
    // A later version: what was written since is found too, what is gone is not.
    let database = yiku::Database::open(db.as_ref()).unwrap();
    small::change(&database);
    let mut writer = database.writer().unwrap();
    assert!(writer.remove("H004").unwrap());
    writer.commit(yiku::CommitInfo::default()).unwrap();
    check(1);
    done(&["index", "--db", &db]);
    let made = std::fs::read_dir(folder.path().join("db/words")).unwrap().count();
    assert_eq!(made, 1, "the earlier one is taken away");
    check(1);
    // One that is damaged says so.
    let words = std::fs::read_dir(folder.path().join("db/words")).unwrap().next().unwrap();
    std::fs::write(words.unwrap().path().join("meta.json"), "{}").unwrap();
    let text = "from household where matches(address, '7号')";
    refused(&["query", "--db", &db, text], 1, "make it anew with `yiku index`");
    done(&["index", "--db", &db]);
    check(1);
}
