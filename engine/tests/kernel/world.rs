//! Boxes with balls with bounces: drawn, written in several commits, and kept as plain rows.

use std::collections::BTreeMap;
use std::path::Path;

use yiku::kernel::Pool;
use yiku::rows::Cell;
use yiku::schema::PathNode;
use yiku::{Bundle, CommitInfo, Database, PathTree, Predicate, Schema, Snapshot};

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "district", digits = 2 }, { name = "ward", digits = 4 },
    { name = "street", digits = 7 }]
[[list]]
name = "colour"
codes = [["1", "red", "R"], ["2", "blue", "B"], ["3", "green", "G"], ["4", "grey", "Y"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "side", kind = "code", list = "colour", index = true },
    { name = "lid", kind = "flag" }, { name = "price", kind = "money" }]
[[table]]
name = "ball"
parent = "box"
key = "ball_id"
columns = [{ name = "ball_id", kind = "id" }, { name = "weight", kind = "int" },
    { name = "colour", kind = "code", list = "colour", index = true },
    { name = "size", kind = "int" }, { name = "marks", kind = "codes", list = "colour" },
    { name = "note", kind = "text" }, { name = "inner", kind = "code", list = "colour" }]
[[table]]
name = "bounce"
parent = "ball"
key = "bounce_id"
columns = [{ name = "bounce_id", kind = "id" }, { name = "height", kind = "int" }]
"#;

pub(crate) const BOX: usize = 0;
pub(crate) const BALL: usize = 1;
pub(crate) const BOUNCE: usize = 2;

/// Numbers of a seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: i64) -> i64 {
        (self.next() % end.unsigned_abs()).cast_signed()
    }

    /// A number, or unknown in every fifth case.
    fn maybe(&mut self, draw: impl FnOnce(&mut Self) -> i64) -> Option<i64> {
        (self.below(5) > 0).then(|| draw(self))
    }
}

/// A row as it was drawn: its numbers by column, and the rows beneath it.
#[derive(Clone, Default)]
pub(crate) struct Row {
    pub(crate) numbers: Vec<Option<i64>>,
    pub(crate) note: Option<String>,
    pub(crate) beneath: Vec<Row>,
}

impl Row {
    pub(crate) fn number(&self, column: usize) -> Option<i64> {
        self.numbers[column]
    }
}

/// How many boxes there are, and how much they differ.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) boxes: i64,
    pub(crate) commits: i64,
    /// Of a thousand boxes, how many are written again or removed by a commit.
    pub(crate) changed: i64,
    /// Whether weights go to the ends of what 64 bits hold.
    pub(crate) wide: bool,
}

fn draw_ball(random: &mut Random, shape: Shape) -> Row {
    let wide = [i64::MIN, i64::MAX, i64::MAX - 1, 0, -1];
    let weight = random.maybe(|r| match r.below(20) {
        0 if shape.wide => wide[r.below(5) as usize],
        n if n < 5 => r.below(10) - 5,
        _ => r.below(2_000_000) - 1_000_000,
    });
    let colour = random.maybe(|r| r.below(4));
    let size = random.maybe(|r| r.below(9));
    let marks = random.maybe(|r| r.below(16));
    let inner = random.maybe(|r| r.below(4) * r.below(2));
    let notes = ["round", "rough", "flat", ""];
    let note = (random.below(5) > 0).then(|| notes[random.below(4) as usize].to_owned());
    let bounces = (0..random.below(3))
        .map(|_| Row { numbers: vec![None, random.maybe(|r| r.below(1_000))], ..Row::default() });
    let beneath = bounces.collect();
    Row { numbers: vec![None, weight, colour, size, marks, None, inner], note, beneath }
}

fn draw_box(random: &mut Random, shape: Shape) -> Row {
    let ward = 1101 + random.below(6);
    // Some boxes stand in a place of a level above the lowest.
    let place = match random.below(10) {
        0 => 1_100_000 + random.below(2) * 100_000,
        1 => ward * 1_000,
        _ => ward * 1_000 + 1 + random.below(30),
    };
    let side = random.maybe(|r| r.below(4));
    let lid = random.maybe(|r| r.below(2));
    let price = random.maybe(|r| r.below(100_000));
    let beneath = (0..random.below(6)).map(|_| draw_ball(random, shape)).collect();
    Row { numbers: vec![None, Some(place), side, lid, price], note: None, beneath }
}

fn bundle(row: &Row, table: usize, key: &str) -> Bundle {
    let mut cells: Vec<Cell> =
        row.numbers.iter().map(|n| n.map_or(Cell::Unknown, Cell::Int)).collect();
    cells[0] = Cell::Text(key.to_owned());
    if let (BALL, Some(note)) = (table, &row.note) {
        cells[5] = Cell::Text(note.clone());
    }
    let beneath = row.beneath.iter().enumerate();
    let beneath = beneath.map(|(nth, row)| bundle(row, table + 1, &format!("{key}.{nth}")));
    Bundle { table, cells, beneath: beneath.collect() }
}

fn create(folder: &Path) -> Database {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = |code, level| PathNode { code, level, name: code.to_string() };
    let mut nodes = vec![node(1_100_000, 0), node(1_200_000, 0)];
    for ward in 1101..1107 {
        nodes.push(node(ward * 1_000, 1));
        nodes.extend((1..=30).map(|street| node(ward * 1_000 + street, 2)));
    }
    let tree = PathTree::new(&schema.path, nodes).unwrap();
    Database::create(folder, schema, tree).unwrap()
}

/// A database of drawn boxes, and the boxes that are live in it.
pub(crate) fn world(folder: &Path, seed: u64, shape: Shape) -> (Snapshot, Vec<Row>) {
    let database = create(folder);
    let mut random = Random(seed);
    let mut live: BTreeMap<i64, Row> = BTreeMap::new();
    for commit in 0..shape.commits {
        let mut writer = database.writer().unwrap();
        let mut batch = writer.batch();
        let each = shape.boxes / shape.commits;
        let new = commit * each..(commit + 1) * each;
        let again: Vec<i64> =
            live.keys().copied().filter(|_| random.below(1_000) < shape.changed).collect();
        for id in again.into_iter().chain(new) {
            if live.contains_key(&id) && random.below(2) == 0 {
                writer.remove(&format!("B{id}")).unwrap();
                live.remove(&id);
                continue;
            }
            let row = draw_box(&mut random, shape);
            batch.put(&bundle(&row, BOX, &format!("B{id}"))).unwrap();
            live.insert(id, row);
        }
        writer.write(&batch).unwrap();
        writer.commit(CommitInfo::default()).unwrap();
    }
    (database.snapshot().unwrap(), live.into_values().collect())
}

/// The rows of a table, with the box that each is in.
pub(crate) fn rows(boxes: &[Row], table: usize) -> Vec<(&Row, &Row)> {
    let mut found: Vec<(&Row, &Row)> = boxes.iter().map(|row| (row, row)).collect();
    for _ in 0..table {
        found = found.iter().flat_map(|(b, row)| row.beneath.iter().map(|r| (*b, r))).collect();
    }
    found
}

/// Whether a drawn row satisfies a predicate, said as simply as can be.
pub(crate) fn holds(row: &Row, column: usize, predicate: &Predicate) -> bool {
    let number = row.number(column);
    let set = number.map(i64::cast_unsigned);
    match predicate {
        Predicate::Range { min, max } => number.is_some_and(|n| *min <= n && n <= *max),
        Predicate::In(list) => number.is_some_and(|n| list.contains(&n)),
        Predicate::HasAny(bits) => set.is_some_and(|n| n & bits != 0),
        Predicate::HasAll(bits) => set.is_some_and(|n| n & bits == *bits),
        Predicate::HasNone(bits) => set.is_some_and(|n| n & bits == 0),
        Predicate::TextIn(list) => row.note.as_ref().is_some_and(|note| list.contains(note)),
        Predicate::TextStarts(start) => row.note.as_ref().is_some_and(|n| n.starts_with(start)),
        Predicate::Known => number.is_some() || (column == 5 && row.note.is_some()),
        Predicate::Unknown => number.is_none() && !(column == 5 && row.note.is_some()),
    }
}

/// A predicate that suits a column of the balls.
pub(crate) fn draw_clause(random: &mut Random) -> (usize, Predicate) {
    let column = [1, 2, 3, 4, 5, 6][random.below(6) as usize];
    let predicate = match (random.below(8), column) {
        (0, _) => Predicate::Known,
        (1, _) => Predicate::Unknown,
        (n, 5) if n < 5 => Predicate::TextStarts("ro".to_owned()),
        (_, 5) => Predicate::TextIn(vec!["round".to_owned(), String::new()]),
        (2 | 3, 4) => Predicate::HasAny(5),
        (4 | 5, 4) => Predicate::HasAll(random.next() & 3),
        (_, 4) => Predicate::HasNone(6),
        (2 | 3, 1) => Predicate::Range { min: -1_000, max: random.below(1_000_000) },
        (4, 1) => Predicate::Range { min: -5, max: -4 },
        (5, 1) => Predicate::In(vec![-4, -1, 0, 3, i64::MAX]),
        (_, 1) => Predicate::Range { min: i64::MIN, max: 0 },
        (2, _) => Predicate::In(vec![0, 2]),
        (3, _) => Predicate::Range { min: 1, max: 2 },
        _ => Predicate::In(vec![random.below(4)]),
    };
    (column, predicate)
}

/// Threads of the caller's.
pub(crate) struct Threads(pub(crate) usize);

impl Pool for Threads {
    fn threads(&self) -> usize {
        self.0
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            (0..tasks).for_each(|nth| {
                scope.spawn(move || task(nth));
            });
        });
    }
}

/// A pool that does nothing by itself: what it leaves is done by who asks.
pub(crate) struct Idle;

impl Pool for Idle {
    fn threads(&self) -> usize {
        3
    }

    fn run(&self, _: usize, _: &(dyn Fn(usize) + Sync)) {}
}

/// A pool that does its tasks twice, the last first.
pub(crate) struct Eager;

impl Pool for Eager {
    fn threads(&self) -> usize {
        4
    }

    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..tasks * 2).rev().for_each(|nth| task(nth / 2));
    }
}
