//! What is told of a run, counted by hand over two segments.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::sync::atomic::{AtomicU64, Ordering};

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot};

use super::{Blocks, Explained, Step};
use crate::{Limits, Plan, Query};

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "city", digits = 2 }, { name = "street", digits = 4 }]
[[list]]
name = "colour"
codes = [["1", "red", "红"], ["2", "blue", "蓝"]]
[[table]]
name = "house"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "colour", kind = "code", list = "colour", index = true },
    { name = "b", kind = "flag" }, { name = "rent", kind = "money" },
    { name = "built", kind = "date" },
]
[[table]]
name = "lease"
parent = "house"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "who", kind = "text" },
    { name = "start", kind = "date" }, { name = "end", kind = "date" },
]
"#;

/// A house: place, colour, flag, rent in yuan, leases.
type House = (&'static str, &'static str, &'static str, &'static str, usize);

/// Ten houses of two segments. The rents of the first lie from 10 to 50, those of the second from
/// 100 to 500.
const HOUSES: [&[House]; 2] = [
    &[
        ("1101", "red", "true", "10", 1),
        ("1101", "red", "false", "20", 0),
        ("1102", "blue", "", "30", 2),
        ("1102", "red", "true", "40", 0),
        ("1102", "", "true", "50", 3),
    ],
    &[
        ("1201", "red", "true", "100", 1),
        ("1201", "blue", "false", "200", 1),
        ("1201", "blue", "true", "300", 0),
        ("1201", "blue", "", "400", 0),
        ("1201", "", "true", "500", 2),
    ],
];

/// Each list of houses in a segment of its own.
fn town() -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let places = [(1_100, 0), (1_101, 1), (1_102, 1), (1_200, 0), (1_201, 1)];
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
    let database = Database::create(&folder.path().join("d"), schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    for (part, houses) in HOUSES.iter().enumerate() {
        let mut batch = writer.batch();
        for (number, (place, colour, b, rent, leases)) in houses.iter().enumerate() {
            let id = format!("h{part}{number}");
            let row = batch.row("house").unwrap().set("id", id.as_str()).unwrap();
            let mut row = row.set("place", *place).unwrap().set("rent", *rent).unwrap();
            for (column, value) in [("colour", colour), ("b", b)] {
                if !value.is_empty() {
                    row = row.set(column, *value).unwrap();
                }
            }
            for lease in 0..*leases {
                let key = format!("l{part}{number}{lease}");
                let row = batch.row("lease").unwrap().set("id", key.as_str()).unwrap();
                let row = row.set("who", if lease == 0 { "王" } else { "李" }).unwrap();
                let row = row.set("start", "2026-01-01").unwrap();
                if lease > 1 {
                    row.set("end", "2026-02-01").unwrap();
                }
            }
        }
        writer.write(&batch).unwrap();
        let as_of = yiku::calendar::parse_date("2026-10-31");
        writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    }
    drop(writer);
    let snapshot = database.snapshot().unwrap();
    assert_eq!(snapshot.segments().len(), 2);
    (folder, snapshot)
}

fn plan(snapshot: &Snapshot, text: &str) -> Plan {
    Plan::new(&Query::parse(text).unwrap(), snapshot).unwrap()
}

fn explained(snapshot: &Snapshot, text: &str) -> Explained {
    plan(snapshot, text).explain(snapshot, &Limits::default(), &|| 0).unwrap()
}

/// A line a step: clause, what serves it, rows in, expected and left.
fn lines(steps: &[Step], depth: usize) -> Vec<String> {
    let number = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let mut found = Vec::new();
    for step in steps {
        found.push(format!(
            "{}{}: {} {} ~{} {}",
            "  ".repeat(depth),
            step.clause,
            step.by,
            number(step.rows_in),
            number(step.estimated),
            number(step.rows)
        ));
        found.extend(lines(&step.parts, depth + 1));
    }
    found
}

fn told(snapshot: &Snapshot, text: &str) -> Vec<String> {
    lines(&explained(snapshot, text).steps, 0)
}

/// All steps, one behind the other.
fn all(steps: &[Step]) -> Vec<&Step> {
    steps.iter().flat_map(|step| std::iter::once(step).chain(all(&step.parts))).collect()
}

#[test]
fn rows_are_those_of_the_run() {
    let (_folder, snapshot) = town();
    assert_eq!(
        told(&snapshot, "from house where colour = red and b by place.city measure n = count()"),
        [
            "from house: live set 10 ~10 10",
            "where colour = red: index 10 ~4 4",
            // Eight of ten are known; of them a half is expected to be yes.
            "where b: scan 4 ~2 3",
            "by place.city: path runs 3 ~- 3",
            "measure count(): counted 3 ~2 3",
            "groups: join 2 ~- 2",
            "measures: computed 2 ~- 2",
            "order of keys: sorted 2 ~- 2",
        ]
    );
}

#[test]
fn parts_of_a_clause_are_told_with_their_own_tables() {
    let (_folder, snapshot) = town();
    let found = told(&snapshot, "from house where any(lease where running) or not b totals");
    assert_eq!(
        found,
        [
            "from house: live set 10 ~10 10",
            "where any(lease where running) or not b: one of 10 ~9 7",
            "  any(lease where start <= 2026-10-31 and (end is unknown or end >= 2026-10-31)): \
             lift lease 10 ~9 6",
            "    start <= 2026-10-31 and (end is unknown or end >= 2026-10-31): all of 10 ~9 9",
            "      start <= 2026-10-31: zone map 10 ~10 10",
            "      end is unknown or end >= 2026-10-31: one of 10 ~9 9",
            "        end is unknown: scan 10 ~9 9",
            "        end >= 2026-10-31: zone map 1 ~0 0",
            "  not b: scan 4 ~0 1",
            "measure count(): counted 7 ~9 7",
            "groups: join 2 ~- 1",
            "measures: computed 1 ~- 1",
            "order of keys: sorted 1 ~- 1",
        ]
    );
}

#[test]
fn what_an_index_or_the_path_answers_is_estimated_exactly() {
    let (_folder, snapshot) = town();
    for (clause, rows) in [
        ("from house where colour = blue", 4),
        ("from house where colour = red", 4),
        ("from house where colour != red", 4),
        ("from house where colour in (red, blue)", 8),
        ("from house where place within 12", 5),
        ("from house where not place within (1101, 12)", 3),
        ("from house where id in ('h00', 'h14', 'x')", 2),
        ("from lease where house.colour = red", 2),
        ("from lease where place within 1102", 5),
        ("from lease where id = 'l000'", 1),
    ] {
        let found = explained(&snapshot, clause);
        let step = found.steps.get(1).unwrap();
        assert_eq!((step.estimated, step.rows), (Some(rows), Some(rows)), "{clause}");
        assert_eq!(found.matched, rows, "{clause}");
    }
}

#[test]
fn blocks_that_are_not_read_say_why() {
    let (_folder, snapshot) = town();
    let step = |text: &str, clause: &str| {
        let found = explained(&snapshot, text);
        let steps = all(&found.steps);
        (*steps.iter().find(|step| step.clause == clause).unwrap()).clone()
    };
    let nothing = Blocks { of: 2, ..Blocks::default() };
    // All rents of the first segment are below, all of the second above.
    let found = step("from house where rent >= 100", "where rent >= 100");
    assert_eq!((found.by.as_str(), found.bytes), ("zone map", Some(0)));
    assert_eq!(found.blocks, Some(Blocks { by_zone_map: 2, ..nothing }));
    assert_eq!(found.segments.map(|s| (s.asked, s.left)), Some((2, 1)));
    let found = step("from house where rent >= 200", "where rent >= 200");
    assert_eq!(found.by, "scan");
    assert_eq!(found.blocks, Some(Blocks { by_zone_map: 1, read: 1, ..nothing }));
    assert!(found.bytes > Some(0));
    // The place leaves nothing of the first segment: nobody looks at its rents.
    let text = "from house where place within 12 and rent >= 200 measure s = sum(rent)";
    assert_eq!(step(text, "where place within 12").blocks, Some(Blocks { by_path: 2, ..nothing }));
    let scanned = step(text, "where rent >= 200");
    assert_eq!(scanned.blocks, Some(Blocks { without_rows: 1, read: 1, ..nothing }));
    let summed = step(text, "measure sum(rent)");
    assert_eq!(summed.blocks, Some(Blocks { without_rows: 1, read: 1, ..nothing }));
    assert_eq!((summed.bytes, summed.bytes_again), (scanned.bytes, scanned.bytes));
    // What was found out once is kept.
    let text = "from house where colour = red measure n = count(where colour = red)";
    let kept = step(text, "measure count(where colour = red)");
    assert_eq!(kept.bytes, Some(0));
    assert_eq!(kept.parts.first().unwrap().blocks, Some(Blocks { kept: 2, ..nothing }));
}

/// Questions of every kind.
const QUESTIONS: [&str; 12] = [
    "from house",
    "from house where colour = red and b by place.city, band(rent, 0, 100) totals",
    "from lease where running and house.colour = red and place within 1101 by who",
    "from house where not (b or rent > 200) measure d = count_distinct(rent), m = median(rent)",
    "from house where count(lease where running) >= 1 by colour measure a = avg(rent) \
     having a > 3 order -a limit 1",
    "from lease measure h = count_distinct(house), w = count_distinct(who), s = share(count())",
    "from house by place.city, colour measure n = count() top 1 within place.city by -n",
    "from house where colour = red select id, rent, place order -rent limit 2",
    "from house matrix b, (colour = red), any(lease)",
    "from house where any(lease where running) by place.city flow 2026-01-15 to 2026-03-31",
    "from house where any(lease where running) by place.city \
     measure n = count(), i = inflow(), o = outflow() over month 2025-12 to 2026-03",
    "from lease where running measure n = count() compare month, year as_of 2026-03-31",
];

#[test]
fn a_question_that_is_looked_at_is_answered_alike_and_twice_the_same() {
    let (_folder, snapshot) = town();
    let ticks = AtomicU64::new(0);
    let clock = || ticks.fetch_add(1, Ordering::Relaxed);
    for text in QUESTIONS {
        let plan = plan(&snapshot, text);
        let answer = plan.run(&snapshot, &Limits::default()).unwrap();
        let found = plan.explain(&snapshot, &Limits { threads: 4, ..Limits::default() }, &clock);
        let found = found.unwrap();
        assert_eq!((found.matched, found.rows), (answer.matched, answer.rows), "{text}");
        let again = explained(&snapshot, text);
        assert!(again.nanoseconds == 0 && found.nanoseconds > 0, "{text}");
        for (step, again) in all(&found.steps).into_iter().zip(all(&again.steps)) {
            let parts: u64 = step.parts.iter().map(|part| part.nanoseconds).sum();
            assert!(step.nanoseconds >= parts, "{text}\n{step:?}");
            let timeless = lines(std::slice::from_ref(step), 0);
            assert_eq!(timeless, lines(std::slice::from_ref(again), 0), "{text}");
            assert_eq!((step.bytes, step.blocks), (again.bytes, again.blocks), "{text}");
            assert!(step.bytes_again <= step.bytes, "{text}");
            let sum = |b: Blocks| b.read + b.by_zone_map + b.by_path + b.without_rows + b.kept;
            assert!(step.blocks.is_none_or(|b| sum(b) == b.of), "{text}\n{step:?}");
            assert!(step.table.is_none() || step.rows <= step.rows_in, "{text}\n{step:?}");
        }
        let sum: u64 = found.steps.iter().map(|step| step.nanoseconds).sum();
        assert!(sum <= found.nanoseconds, "{text}");
        assert_eq!(found.bytes, found.steps.iter().map(|step| step.bytes).sum(), "{text}");
        for line in found.to_string().lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 100, "{line}");
        }
    }
}

#[test]
fn the_last_clause_leaves_the_rows_that_matched() {
    let (_folder, snapshot) = town();
    for text in QUESTIONS {
        let found = explained(&snapshot, text);
        let last = found.steps.iter().rev().find(|step| step.clause.starts_with("where "));
        if let Some(last) = last {
            assert_eq!(last.rows, Some(found.matched), "{text}");
        }
    }
}

#[test]
fn within_a_place_nothing_is_told_of_other_places() {
    let (_folder, snapshot) = town();
    let query = Query::parse("from house where rent >= 20 and colour = red").unwrap();
    let plan = Plan::within(&query, &snapshot, "1101").unwrap();
    let found = plan.explain(&snapshot, &Limits::default(), &|| 0).unwrap();
    assert_eq!(
        lines(&found.steps, 0).get(..3),
        Some(
            &[
                "from house within 1101: live set 2 ~2 2".to_owned(),
                // Where the rents of the block lie is known of all places together: no estimate,
                // and not whether the zone maps sufficed.
                "where rent >= 20: scan 2 ~- 1".to_owned(),
                "where colour = red: index 1 ~- 1".to_owned(),
            ][..]
        )
    );
    assert_eq!((found.bytes, found.bytes_again), (None, None));
    assert!(all(&found.steps).iter().all(|step| step.bytes.is_none() && step.blocks.is_none()));
    // What the index knows of the place alone may be told.
    let query = Query::parse("from house where colour = red").unwrap();
    let plan = Plan::within(&query, &snapshot, "1102").unwrap();
    let found = plan.explain(&snapshot, &Limits::default(), &|| 0).unwrap();
    assert_eq!(lines(&found.steps, 0).get(1).unwrap(), "where colour = red: index 3 ~1 1");
}

#[test]
fn a_plan_is_read_in_a_terminal() {
    let (_folder, snapshot) = town();
    let text = "from lease where who in ('王', '李小红李小红李小红李小红李小红李小红李小红李小红') \
                and house.colour = red";
    let ticks = AtomicU64::new(0);
    let clock = || ticks.fetch_add(1_500_000, Ordering::Relaxed);
    let found = plan(&snapshot, text).explain(&snapshot, &Limits::default(), &clock).unwrap();
    let expected = "\
step                                             by            expected  rows  bytes  blocks    time
from lease                                       live set            10    10                   3 ms
where who in ('王', '李小红李小红李小红李小红…   scan                 1     6   66 B     2/2    3 ms
where house.colour = red                         spread house         0     2   45 B            9 ms
└ colour = red                                   index                0     2   25 B     2/2    3 ms
measure count()                                  counted              0     2                   3 ms
groups                                           join                       1                 1.5 ms
measures                                         computed                   1                 1.5 ms
order of keys                                    sorted                     1                 1.5 ms
2 rows matched, 1 in the answer; 2 segments; 111 B read; 40.5 ms
";
    assert_eq!(found.to_string(), expected);
}

#[test]
fn a_plan_as_json_has_stable_names() {
    let (_folder, snapshot) = town();
    let found = explained(&snapshot, "from house where rent >= 200");
    let json = serde_json::to_value(&found).unwrap();
    let step = json.pointer("/steps/1").unwrap();
    let expected = serde_json::json!({
        "clause": "where rent >= 200", "by": "scan", "table": "house",
        "rows_in": 10, "estimated": 4, "rows": 4,
        "bytes": step["bytes"], "bytes_again": 0,
        "blocks": {
            "of": 2, "read": 1, "by_zone_map": 1, "by_path": 0, "without_rows": 0, "kept": 0
        },
        "segments": { "asked": 2, "left": 1 },
        "nanoseconds": 0, "parts": [],
    });
    assert_eq!(step, &expected);
    assert_eq!(json["matched"], 4);
    assert_eq!(json["segments"], 2);
}
