//! Plans run over a few rows whose answers can be counted by hand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot};

use crate::{Answer, Context, Error, Limits, Plan, Query, Values};

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "city", digits = 2 }, { name = "street", digits = 4 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"]]
[[table]]
name = "house"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "a", kind = "flag", index = true }, { name = "b", kind = "flag" },
    { name = "rent", kind = "money" }, { name = "floors", kind = "int" },
    { name = "built", kind = "date" }, { name = "urban", kind = "flag" },
    { name = "name", kind = "text" }, { name = "owner", kind = "text" },
]
[[table]]
name = "lease"
parent = "house"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "share", kind = "int" },
    { name = "start", kind = "date" }, { name = "end", kind = "date" },
]
"#;

/// The day of the snapshot.
const DAY: &str = "2026-10-31";

pub(crate) fn database(folder: &Path) -> Database {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let places = [(1_100, 0), (1_101, 1), (1_102, 1), (1_200, 0), (1_201, 1)];
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
    Database::create(folder, schema, tree).unwrap()
}

/// Numbers that look drawn.
pub(crate) struct Drawn(pub(crate) u64);

impl Drawn {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    pub(crate) fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let at = self.below(list.len() as u64);
        list.get(usize::try_from(at).unwrap()).unwrap()
    }
}

pub(crate) type House<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// A snapshot of houses: a place, and the values of other columns as people write them. Leases
/// stand behind the house as (`start`, `end`).
pub(super) fn written(
    houses: &[House<'_>],
    leases: &[(&str, &str)],
) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    for (number, (place, values)) in houses.iter().enumerate() {
        let id = format!("h{number}");
        let mut row = batch.row("house").unwrap();
        row = row.set("id", id.as_str()).unwrap().set("place", *place).unwrap();
        for (column, value) in *values {
            row = row.set(column, *value).unwrap();
        }
    }
    for (number, (start, end)) in leases.iter().enumerate() {
        let id = format!("l{number}");
        let mut row = batch.row("lease").unwrap().set("id", id.as_str()).unwrap();
        for (column, value) in [("start", start), ("end", end)] {
            if !value.is_empty() {
                row = row.set(column, *value).unwrap();
            }
        }
    }
    writer.write(&batch).unwrap();
    let as_of = yiku::calendar::parse_date(DAY);
    let snapshot = writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    (folder, snapshot)
}

/// As [`written`], the leases of every house apart: that of house 2 are `l2_0`, `l2_1`.
pub(crate) fn snapshot_of(
    houses: &[House<'_>],
    leases: &[&[(&str, &str)]],
) -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    for (number, (place, values)) in houses.iter().enumerate() {
        let id = format!("h{number}");
        let mut row = batch.row("house").unwrap();
        row = row.set("id", id.as_str()).unwrap().set("place", *place).unwrap();
        for (column, value) in *values {
            row = row.set(column, *value).unwrap();
        }
        for (place, (start, end)) in
            leases.get(number).into_iter().flat_map(|l| l.iter()).enumerate()
        {
            let id = format!("l{number}_{place}");
            let mut row = batch.row("lease").unwrap().set("id", id.as_str()).unwrap();
            for (column, value) in [("start", start), ("end", end)] {
                if !value.is_empty() {
                    row = row.set(column, *value).unwrap();
                }
            }
        }
    }
    writer.write(&batch).unwrap();
    let as_of = yiku::calendar::parse_date(DAY);
    let snapshot = writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    (folder, snapshot)
}

fn run(snapshot: &Snapshot, text: &str, limits: &Limits) -> Result<Answer, Error> {
    Plan::new(&Query::parse(text)?, snapshot)?.run(snapshot, limits)
}

/// The rows of the answer to a question that may speak of more than the snapshot, or why not.
pub(super) fn lines_in(snapshot: &Snapshot, text: &str, context: &Context<'_>) -> Vec<String> {
    let found = Query::parse(text).and_then(|query| Plan::bind(&query, snapshot, context));
    match found.and_then(|plan| plan.run(snapshot, &Limits::default())) {
        Ok(answer) => rows(&answer),
        Err(error) => vec![error.to_string()],
    }
}

pub(super) fn answer(snapshot: &Snapshot, text: &str) -> Answer {
    match run(snapshot, text, &Limits::default()) {
        Ok(answer) => answer,
        Err(error) => panic!("{text}\n{error}"),
    }
}

/// Why a question is refused.
pub(super) fn refused(snapshot: &Snapshot, text: &str) -> String {
    run(snapshot, text, &Limits::default())
        .map_or_else(|error| error.to_string(), |_| String::new())
}

/// The rows of an answer, each as one text.
pub(super) fn lines(snapshot: &Snapshot, text: &str) -> Vec<String> {
    rows(&answer(snapshot, text))
}

pub(super) fn rows(found: &Answer) -> Vec<String> {
    let columns: Vec<Vec<String>> = (0..found.columns.len()).map(|at| column(found, at)).collect();
    let cells = |row: usize| columns.iter().map(move |column| column[row].as_str());
    (0..found.rows).map(|row| cells(row).collect::<Vec<_>>().join(" ")).collect()
}

/// The values of a column as text, unknown as `?`.
pub(super) fn column(answer: &Answer, place: usize) -> Vec<String> {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    match &answer.columns[place].values {
        Values::Int(v) => v.iter().map(|v| shown(v.map(|v| v.to_string()))).collect(),
        Values::Float(v) => v.iter().map(|v| shown(v.map(|v| v.to_string()))).collect(),
        Values::Text(v) => v.iter().map(|v| shown(v.clone().map(String::from))).collect(),
        Values::IntLists(v) => {
            v.iter().map(|v| shown(v.as_ref().map(|v| format!("{v:?}")))).collect()
        }
        Values::TextLists(v) => v.iter().map(|v| shown(v.as_ref().map(|v| v.join("+")))).collect(),
        Values::FloatLists(v) => {
            v.iter().map(|v| shown(v.as_ref().map(|v| format!("{v:?}")))).collect()
        }
    }
}

#[test]
fn logic_is_that_of_sql() {
    let values = ["true", "false", "?"];
    let mut houses: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    for a in values {
        for b in values {
            let known = [("a", a), ("b", b)].into_iter().filter(|(_, v)| *v != "?");
            houses.push(("1101", known.collect()));
        }
    }
    let houses: Vec<House<'_>> = houses.iter().map(|(p, v)| (*p, v.as_slice())).collect();
    let (_folder, snapshot) = written(&houses, &[]);
    // Of a and b in turn: tt tf tu, ft ff fu, ut uf uu.
    for (condition, expected) in [
        ("a", "ttt fff uuu"),
        ("not a", "fff ttt uuu"),
        ("a and b", "tfu fff ufu"),
        ("a or b", "ttt tfu tuu"),
        ("a = b", "tfu ftu uuu"),
        ("a != b", "ftu tfu uuu"),
        ("a = true", "ttt fff uuu"),
        ("a != true", "fff ttt uuu"),
        ("a is known", "ttt ttt fff"),
        ("a is unknown", "fff fff ttt"),
        ("(a and b) is unknown", "fft fff tft"),
        ("(a is known) is known", "ttt ttt ttt"),
        ("coalesce(a, b)", "ttt fff tfu"),
        ("coalesce(a, false)", "ttt fff fff"),
        ("if(a, b, true)", "tfu ttt ttt"),
        ("if(a, true, b)", "ttt tfu tfu"),
        ("not (a and not b)", "tfu ttt tuu"),
        ("a and a is known and b", "tfu fff fff"),
        ("true or a", "ttt ttt ttt"),
        ("false and a", "fff fff fff"),
        ("any(lease) or a", "ttt fff uuu"),
        ("all(lease where start is known)", "ttt ttt ttt"),
    ] {
        let places: Vec<char> = expected.chars().filter(|c| *c != ' ').collect();
        for (asked, letter) in [
            (condition.to_owned(), 't'),
            (format!("not ({condition})"), 'f'),
            (format!("({condition}) is unknown"), 'u'),
        ] {
            let found = answer(&snapshot, &format!("from house where {asked} by id"));
            let wanted = places.iter().enumerate().filter(|(_, c)| **c == letter);
            let wanted: Vec<String> = wanted.map(|(n, _)| format!("h{n}")).collect();
            assert_eq!(column(&found, 0), wanted, "{asked}");
        }
        // As a group: each row is in the one that its value names.
        let found = answer(&snapshot, &format!("from house by id, {condition}"));
        let named = |c: &char| match c {
            't' => "true",
            'f' => "false",
            _ => "?",
        };
        let wanted: Vec<&str> = places.iter().map(named).collect();
        assert_eq!(column(&found, 1), wanted, "by {condition}");
    }
}

#[test]
fn a_spell_runs_from_its_first_day_to_its_last() {
    let leases = [
        ("2026-10-31", ""),
        ("2026-11-01", ""),
        ("2020-01-01", "2026-10-31"),
        ("2020-01-01", "2026-10-30"),
        ("", ""),
        ("", "2027-01-01"),
        ("2026-12-01", "2026-01-01"),
    ];
    let (_folder, snapshot) = written(&[("1101", &[])], &leases);
    let running = |as_of: &str| {
        let found = answer(&snapshot, &format!("from lease where running by id{as_of}"));
        column(&found, 0).join(" ")
    };
    assert_eq!(running(""), "l0 l2");
    assert_eq!(running(" as_of 2026-11-01"), "l0 l1");
    assert_eq!(running(" as_of 2026-10-30"), "l2 l3");
    // Where a day is missing, it is unknown whether the spell runs, unless it has ended.
    let unknown = answer(&snapshot, "from lease where running is unknown by id");
    assert_eq!(column(&unknown, 0), ["l4", "l5"]);
}

#[test]
fn what_depends_on_the_day_needs_one() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = database(&folder.path().join("d")).snapshot().unwrap();
    for (text, needs) in [
        ("from house where age(built) > 3", true),
        ("from lease where running", true),
        ("from lease where start < as_of", true),
        ("from house where year(built) = 2026", false),
    ] {
        let found = run(&snapshot, text, &Limits::default());
        assert_eq!(matches!(found, Err(Error::MissingAsOf)), needs, "{text}");
        assert!(run(&snapshot, &format!("{text} as_of {DAY}"), &Limits::default()).is_ok());
    }
}

#[test]
fn of_no_rows_there_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = database(&folder.path().join("d")).snapshot().unwrap();
    let measures = "measure n = count(), s = sum(rent), m = avg(rent), l = min(built), \
                    r = per(100, count(where a), count()), d = count_distinct(rent)";
    let found = answer(&snapshot, &format!("from house {measures}"));
    let row: Vec<String> = (0..6).flat_map(|place| column(&found, place)).collect();
    assert_eq!(row, ["0", "0", "?", "?", "?", "0"]);
    assert_eq!(answer(&snapshot, &format!("from house by a {measures}")).rows, 0);
    let totals = answer(&snapshot, &format!("from house by a, b {measures} totals"));
    assert_eq!((totals.rows, totals.levels), (1, vec![2]));
}

#[test]
fn ages_are_completed_years() {
    let built = |day: &'static str| [("built", day)];
    let days = ["2008-10-31", "2008-11-01", "2024-02-29", "2027-01-01"].map(built);
    let houses = days.each_ref().map(|values| ("1101", values.as_slice()));
    let (_folder, snapshot) = written(&houses, &[]);
    let ages = |as_of: &str| {
        let text = format!("from house by id, age(built) as_of {as_of}");
        column(&answer(&snapshot, &text), 1).join(" ")
    };
    assert_eq!(ages("2026-10-31"), "18 17 2 -1");
    assert_eq!(ages("2026-02-28"), "17 17 1 -1");
    assert_eq!(ages("2026-03-01"), "17 17 2 -1");
    let bands = answer(&snapshot, "from house by band(age(built), 0, 18) as_of 2026-10-31");
    assert_eq!(column(&bands, 0), ["(,0)", "[0,18)", "[18,)"]);
    let labels = bands.columns[0].labels.clone().unwrap();
    let labels: Vec<_> = labels.into_iter().flatten().collect();
    assert_eq!(labels, ["<0", "0–17", "≥18"]);
}

#[test]
fn bands_hold_their_lower_bound() {
    let values = ["0.99", "1.00", "2.99", "3.00"].map(|rent| [("rent", rent), ("floors", "2")]);
    let mut houses: Vec<House<'_>> = values.iter().map(|v| ("1101", v.as_slice())).collect();
    houses.push(("1101", &[]));
    let (_folder, snapshot) = written(&houses, &[]);
    for (value, expected) in [
        ("rent, 1, 3", "(,1) [1,3) [1,3) [3,) ?"),
        ("rent, 1.5, 2.99", "(,1.5) (,1.5) [2.99,) [2.99,) ?"),
        ("rent, 0.995, 2.995", "(,0.995) [0.995,2.995) [0.995,2.995) [2.995,) ?"),
        ("rent / 2, 0.5, 1.5", "(,0.5) [0.5,1.5) [0.5,1.5) [1.5,) ?"),
        ("rent * 0.5, 0.5, 1.5", "(,0.5) [0.5,1.5) [0.5,1.5) [1.5,) ?"),
        ("floors, 2", "[2,) [2,) [2,) [2,) ?"),
        ("floors, 3", "(,3) (,3) (,3) (,3) ?"),
        ("3, 0, 3, 5", "[3,5) [3,5) [3,5) [3,5) [3,5)"),
    ] {
        let found = answer(&snapshot, &format!("from house by id, band({value})"));
        assert_eq!(column(&found, 1).join(" "), expected, "{value}");
    }
}

#[test]
fn the_next_level_is_one_below_the_filter() {
    let houses: [House<'_>; 4] = [("1101", &[]), ("1102", &[]), ("1201", &[]), ("11", &[])];
    let (_folder, snapshot) = written(&houses, &[]);
    for (filter, expected) in [
        ("", "11 12"),
        ("where place within 11", "1101 1102 ?"),
        ("where a is unknown and place within 12", "1201"),
        ("where place within (11, 12)", "1101 1102 1201 ?"),
        ("where place within 1101", "1101"),
    ] {
        let found = answer(&snapshot, &format!("from house {filter} by place.next"));
        assert_eq!(column(&found, 0).join(" "), expected, "{filter}");
    }
}

#[test]
fn numbers_beyond_64_bits_stop_the_question() {
    let most = "92233720368547758.07";
    let rich = [("rent", most), ("floors", "3"), ("a", "true")];
    let (_folder, snapshot) = written(&[("1101", &rich), ("1102", &rich)], &[]);
    for text in [
        "from house measure n = sum(rent)",
        "from house measure n = max(rent) + max(rent)",
        "from house measure n = max(rent * floors)",
        "from house where rent + floors > 3",
        "from house by rent * 2",
    ] {
        let found = run(&snapshot, text, &Limits::default());
        assert!(matches!(found, Err(Error::Overflow { .. })), "{text}: {found:?}");
    }
    // What is not asked for is not computed.
    assert_eq!(column(&answer(&snapshot, "from house measure n = avg(rent)"), 0).len(), 1);
    assert_eq!(answer(&snapshot, "from house where not a and rent * floors > 3").matched, 0);
    let halves = answer(&snapshot, "from house by place measure n = sum(rent)");
    assert_eq!(column(&halves, 1)[0], i64::MAX.to_string());
}

#[test]
fn limits_are_kept() {
    let houses: [House<'_>; 3] = [("1101", &[]), ("1102", &[]), ("1201", &[])];
    let (_folder, snapshot) = written(&houses, &[]);
    let limits = Limits { groups: 2, ..Limits::default() };
    for (text, cut) in [
        ("from house by place", true),
        ("from house by id", true),
        ("from house where place within 11 by place", false),
        ("from house by place.city", false),
    ] {
        let found = run(&snapshot, text, &limits);
        assert_eq!(matches!(found, Err(Error::Limit { .. })), cut, "{text}");
    }
    let stop = Some(Arc::new(AtomicBool::new(true)));
    let stopped = run(&snapshot, "from house", &Limits { stop, ..Limits::default() });
    assert!(matches!(stopped, Err(Error::Stopped)));
    let mut refused = 0;
    let text = "from house by place.city, id";
    let answer = (0..).map(|step: u64| {
        let found = run(&snapshot, text, &Limits { memory: step * 8, ..Limits::default() });
        refused += u64::from(found.is_err());
        found
    });
    let mut answer = answer.skip_while(|found| {
        let memory = "the memory of the question in bytes";
        matches!(found, Err(Error::Limit { what, .. }) if *what == memory)
    });
    assert_eq!(answer.next().unwrap().unwrap().rows, 3);
    assert!(refused > 5, "refused {refused} times");
}

#[test]
fn a_plan_serves_its_own_version_only() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    let before = database.snapshot().unwrap();
    let plan = Plan::new(&Query::parse("from house").unwrap(), &before).unwrap();
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    batch.row("house").unwrap().set("id", "x").unwrap().set("place", "1101").unwrap();
    writer.write(&batch).unwrap();
    let after = writer.commit(CommitInfo::default()).unwrap();
    assert!(matches!(plan.run(&after, &Limits::default()), Err(Error::Stale)));
    assert_eq!(column(&plan.run(&before, &Limits::default()).unwrap(), 0), ["0"]);
}
