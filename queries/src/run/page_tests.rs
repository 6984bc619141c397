//! Lists, moves and matrices over segments that lie across each other, beside answers counted row
//! by row.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::cmp::Ordering;

use super::tests::{Drawn, answer, column, database, lines, lines_in};
use crate::{Answer, Context, Limits, Plan, Query};
use yiku::{CommitInfo, Snapshot};

/// A house as it was last written.
#[derive(Debug, Clone, PartialEq)]
struct House {
    id: String,
    place: u32,
    rent: Option<i64>,
    floors: Option<i64>,
    owner: Option<String>,
    leases: Vec<i64>,
}

impl Drawn {
    fn house(&mut self, keys: u64) -> House {
        let (rent, floors) = (self.below(4) * 100, self.below(3));
        let owner = (*self.one_of(&["", "a", "a b", "aa", "王"])).to_owned();
        House {
            id: format!("h{}", self.below(keys)),
            place: *self.one_of(&[1_101, 1_102, 1_201]),
            rent: (self.below(5) > 0).then_some(rent.cast_signed()),
            floors: (self.below(5) > 0).then_some(floors.cast_signed()),
            owner: (self.below(5) > 0).then_some(owner),
            leases: (0..self.below(4)).map(|_| self.below(3).cast_signed()).collect(),
        }
    }
}

/// Writes houses and takes others out in one commit; the model does the same.
fn commit(
    database: &yiku::Database,
    model: &mut Vec<House>,
    houses: &[House],
    gone: &[String],
) -> Snapshot {
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    for house in houses {
        let row = batch.row("house").unwrap().set("id", house.id.as_str()).unwrap();
        let mut row = row.set("place", house.place.to_string().as_str()).unwrap();
        if let Some(rent) = house.rent {
            row = row.set("rent", format!("{}.{:02}", rent / 100, rent % 100).as_str()).unwrap();
        }
        if let Some(floors) = house.floors {
            row = row.set("floors", floors.to_string().as_str()).unwrap();
        }
        if let Some(owner) = &house.owner {
            row.set("owner", owner.as_str()).unwrap();
        }
        for (number, share) in house.leases.iter().enumerate() {
            let id = format!("{}_{number}", house.id);
            let row = batch.row("lease").unwrap().set("id", id.as_str()).unwrap();
            row.set("share", share.to_string().as_str()).unwrap();
        }
    }
    writer.write(&batch).unwrap();
    for key in gone {
        writer.remove(key).unwrap();
    }
    model.retain(|old| houses.iter().all(|new| new.id != old.id) && !gone.contains(&old.id));
    model.extend(houses.iter().cloned());
    model.sort_by(|a, b| (a.place, &a.id).cmp(&(b.place, &b.id)));
    let as_of = yiku::calendar::parse_date("2026-10-31");
    writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap()
}

/// Several commits that lie across each other in places.
fn towns(seed: u64, commits: usize) -> (tempfile::TempDir, Vec<House>, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    let (mut drawn, mut model) = (Drawn(seed), Vec::new());
    let mut snapshot = None;
    for _ in 0..commits {
        let mut houses: Vec<House> = (0..drawn.below(12) + 3).map(|_| drawn.house(60)).collect();
        houses.sort_by(|a, b| a.id.cmp(&b.id));
        houses.dedup_by(|a, b| a.id == b.id);
        snapshot = Some(commit(&database, &mut model, &houses, &[]));
    }
    (folder, model, snapshot.unwrap())
}

/// Unknown last in both directions.
fn by<T: Ord>(a: Option<T>, b: Option<T>, falls: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if falls => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

type Order = fn(&House, &House) -> Ordering;

const ORDERS: [(&str, Order); 7] = [
    ("", |_, _| Ordering::Equal),
    ("order -rent", |a, b| by(a.rent, b.rent, true)),
    ("order rent", |a, b| by(a.rent, b.rent, false)),
    ("order floors, -rent", |a, b| {
        by(a.floors, b.floors, false).then_with(|| by(a.rent, b.rent, true))
    }),
    ("order -owner", |a, b| by(a.owner.as_ref(), b.owner.as_ref(), true)),
    ("order owner, -floors, rent", |a, b| {
        by(a.owner.as_ref(), b.owner.as_ref(), false)
            .then_with(|| by(a.floors, b.floors, true))
            .then_with(|| by(a.rent, b.rent, false))
    }),
    ("order -place, half", |a, b| {
        by(Some(a.place), Some(b.place), true).then_with(|| by(a.rent, b.rent, false))
    }),
];

fn asked(snapshot: &Snapshot, text: &str, threads: usize, indexes: bool) -> Answer {
    let limits = Limits { threads, indexes, ..Limits::default() };
    Plan::new(&Query::parse(text).unwrap(), snapshot).unwrap().run(snapshot, &limits).unwrap()
}

#[test]
fn pages_of_segments_that_lie_across_each_other_are_those_of_all_rows() {
    for seed in 1..6 {
        let (_folder, model, snapshot) = towns(seed, 7);
        assert!(snapshot.segments().len() > 1, "seed {seed}");
        for (order, compare) in ORDERS {
            let mut expected = model.clone();
            expected.sort_by(compare);
            let ids: Vec<String> = expected.iter().map(|house| house.id.clone()).collect();
            let text = format!(
                "from house select id, rent, floors, owner, place, half = rent * 0.5 {order}"
            );
            for (offset, limit) in [(0, 1), (0, 5), (3, 4), (10, 100), (200, 5), (0, 0)] {
                let page = format!("{text} limit {limit} offset {offset}");
                for (threads, indexes) in [(1, true), (3, true), (2, false)] {
                    let found = asked(&snapshot, &page, threads, indexes);
                    let own = ids.iter().skip(offset).take(limit);
                    assert_eq!(column(&found, 0), own.cloned().collect::<Vec<_>>(), "{page}");
                    assert_eq!(found.total_rows, ids.len());
                    assert_eq!(found.truncated, ids.len().saturating_sub(offset) > limit, "{page}");
                }
            }
            let (mut paged, mut after) = (Vec::new(), String::new());
            loop {
                let found = asked(&snapshot, &format!("{text} limit 4 {after}"), 2, true);
                paged.extend(column(&found, 0));
                let Some(next) = found.next else { break };
                after = format!("after '{next}'");
            }
            assert_eq!(paged, ids, "seed {seed}, {order}");
        }
    }
}

#[test]
fn rows_beneath_stand_by_their_roots() {
    for seed in 6..10 {
        let (_folder, model, snapshot) = towns(seed, 6);
        let rows = model.iter().flat_map(|house| {
            let own = house.leases.iter().enumerate();
            own.map(move |(number, share)| (*share, format!("{}_{number}", house.id)))
        });
        let mut rows: Vec<(i64, String)> = rows.collect();
        for order in ["", "order -share", "order share"] {
            match order {
                "" => {}
                "order -share" => rows.sort_by_key(|(share, _)| -share),
                _ => rows.sort_by_key(|(share, _)| *share),
            }
            if order == "order share" {
                // Rows that are equal have kept the places that they had before.
                let place = |id: &String| {
                    let house = model.iter().position(|h| id.split('_').next() == Some(&h.id));
                    (house, id.clone())
                };
                rows.sort_by_key(|(share, id)| (*share, place(id)));
            }
            let ids: Vec<String> = rows.iter().map(|(_, id)| id.clone()).collect();
            let text = format!("from lease select id, share, house.owner {order}");
            assert_eq!(column(&asked(&snapshot, &text, 2, true), 0), ids, "{order}");
            let (mut paged, mut after) = (Vec::new(), String::new());
            loop {
                let found = asked(&snapshot, &format!("{text} limit 3 {after}"), 2, true);
                paged.extend(column(&found, 0));
                let Some(next) = found.next else { break };
                after = format!("after '{next}'");
            }
            assert_eq!(paged, ids, "seed {seed}, {order}");
        }
    }
}

#[test]
fn the_greatest_numbers_stand_before_unknown_ones() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    let mut model = Vec::new();
    let floors = [Some(i64::MAX), None, Some(i64::MIN), Some(0), Some(i64::MAX), None];
    let houses: Vec<House> = (0..)
        .zip(floors)
        .map(|(number, floors)| {
            let (id, leases) = (format!("h{number}"), Vec::new());
            House { id, place: 1_101, rent: None, floors, owner: None, leases }
        })
        .collect();
    let snapshot = commit(&database, &mut model, &houses, &[]);
    let list = |order: &str| {
        column(&answer(&snapshot, &format!("from house select id, floors order {order}")), 0)
            .join(" ")
    };
    assert_eq!(list("floors"), "h2 h3 h0 h4 h1 h5");
    assert_eq!(list("-floors"), "h0 h4 h3 h2 h1 h5");
    let page = "from house select id, floors order floors limit 1 offset 3";
    let found = answer(&snapshot, page);
    assert_eq!(column(&found, 0), ["h4"]);
    let next = format!(
        "from house select id, floors order floors limit 9 after '{}'",
        found.next.unwrap()
    );
    assert_eq!(column(&answer(&snapshot, &next), 0), ["h1", "h5"]);
}

#[test]
fn what_is_asked_of_keys_is_found_as_without_an_index() {
    let (_folder, model, snapshot) = towns(11, 6);
    let id = |at: usize| model[at % model.len()].id.clone();
    let lease = model.iter().find(|house| !house.leases.is_empty()).unwrap().id.clone();
    let many: Vec<String> = (0..70).map(|key| format!("'h{key}'")).collect();
    for filter in [
        format!("id = '{}'", id(3)),
        format!("id in ('{}', 'none', '{}', '{}')", id(9), id(1), id(20)),
        format!("id in ({})", many.join(", ")),
        format!("id = '{}' and place within 12", id(5)),
        format!("id = '{}' and not id = '{}'", id(5), id(5)),
        format!("not id = '{}'", id(5)),
        format!("any(lease where id = '{lease}_0')"),
        format!("id = '{}' or rent > 1", id(2)),
        "id = 'nobody'".to_owned(),
    ] {
        for text in [
            format!("from house where {filter} select id, rent, owner, n = count(lease)"),
            format!("from house where {filter} by place measure n = count(), s = sum(rent)"),
        ] {
            let (found, plain) =
                (asked(&snapshot, &text, 2, true), asked(&snapshot, &text, 1, false));
            assert_eq!(found.columns, plain.columns, "{text}");
            assert_eq!(found.matched, plain.matched, "{text}");
        }
    }
    let of_house = format!("from lease where house.id = '{lease}' select id, share");
    assert_eq!(
        asked(&snapshot, &of_house, 1, true).columns,
        asked(&snapshot, &of_house, 1, false).columns
    );
    assert!(asked(&snapshot, &of_house, 1, true).rows > 0);
}

/// Moves counted key by key: the move, the groups before and after, how many.
fn moves(before: &[House], after: &[House], keep: &dyn Fn(&House) -> bool) -> Vec<String> {
    let city = |house: &House| (house.place / 100).to_string();
    let mut counts = std::collections::BTreeMap::new();
    let find = |list: &[House], id: &String| list.iter().find(|h| h.id == *id && keep(h)).map(city);
    let mut ids: Vec<&String> = before.iter().chain(after).map(|house| &house.id).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let told = |group: Option<String>| group.unwrap_or_else(|| "?".to_owned());
        let (from, to) = (find(before, id), find(after, id));
        let fate = match (&from, &to) {
            (None, None) => continue,
            (None, _) => (0, "entered"),
            (_, None) => (1, "left"),
            (from, to) if from == to => (2, "stayed"),
            _ => (3, "moved"),
        };
        *counts.entry((fate, told(from), told(to))).or_insert(0) += 1;
    }
    let line = |(((_, word), from, to), count): (((i32, &str), String, String), i32)| {
        format!("{word} {from} {to} {count}")
    };
    counts.into_iter().map(line).collect()
}

#[test]
fn versions_that_share_files_move_as_key_by_key() {
    for seed in 20..26 {
        let folder = tempfile::tempdir().unwrap();
        let database = database(&folder.path().join("d"));
        let (mut drawn, mut model) = (Drawn(seed), Vec::new());
        let mut versions: Vec<Vec<House>> = Vec::new();
        let mut now = None;
        for round in 0..4 {
            let count = if round == 0 { 60 } else { 7 };
            let mut houses: Vec<House> = (0..count).map(|_| drawn.house(80)).collect();
            houses.sort_by(|a, b| a.id.cmp(&b.id));
            houses.dedup_by(|a, b| a.id == b.id);
            let gone: Vec<String> = (0..3).map(|_| format!("h{}", drawn.below(80))).collect();
            houses.retain(|house| !gone.contains(&house.id));
            now = Some(commit(&database, &mut model, &houses, &gone));
            database.keep(&format!("v{round}")).unwrap();
            versions.push(model.clone());
        }
        let (now, context) = (now.unwrap(), Context::default().versions(&database));
        let pairs = (0..4).flat_map(|a| (0..4).map(move |b| (a, b)));
        for (a, b) in pairs {
            let flow = format!("by place.city flow 'v{a}' to 'v{b}'");
            let of =
                |filter: &str| lines_in(&now, &format!("from house {filter} {flow}"), &context);
            let expected = |keep: &dyn Fn(&House) -> bool| moves(&versions[a], &versions[b], keep);
            assert_eq!(of(""), expected(&|_| true), "seed {seed}, {flow}");
            let dear = expected(&|house| house.rent >= Some(200));
            assert_eq!(of("where rent >= 2.00"), dear, "seed {seed}, {flow}");
        }
        // A version beside a day of the newest one: the filters differ, the files do not.
        let flow = "by place.city flow 'v3' to 2020-01-01";
        let text = format!("from house where rent >= 2.00 and as_of >= 2026-01-01 {flow}");
        let left = moves(&versions[3], &[], &|house| house.rent >= Some(200));
        assert_eq!(lines_in(&now, &text, &context), left, "seed {seed}");
    }
}

#[test]
fn moves_by_the_same_groups_are_those_of_groups_that_could_differ() {
    let (_folder, _, snapshot) = towns(31, 6);
    let days = "flow 2026-01-31 to 2026-06-30";
    let text =
        |by: &str| format!("from house where (rent >= 2.00) = (as_of > 2026-03-01) by {by} {days}");
    // The second key says the same in words that depend on the day.
    let same = lines(&snapshot, &text("place.city"));
    let other = lines(&snapshot, &text("place.city, as_of < 1990-01-01"));
    let told: Vec<String> = other.iter().map(|line| line.replace(" false", "")).collect();
    let told: Vec<String> =
        told.iter().map(|line| line.replace("? ? ", "? ").replace(" ? ?", " ?")).collect();
    assert_eq!(same, told);
    assert!(same.len() > 2);
}
