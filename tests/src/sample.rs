//! Made-up rows of every kind of column: houses with rooms with lamps, and visits to houses.
//!
//! Each kind of value stands in a column with an index and in one without, and what is drawn
//! depends on a mood, so that blocks of every encoding come about.

use std::sync::LazyLock;

use yiku::limits::TEXT_BYTES_MAX;
use yiku::schema::{ColumnSchema, Kind, PathNode};
use yiku::{PathTree, Schema};

use crate::Random;
use crate::registry::{Cell, Row};

const SCHEMA: &str = r#"
name = "sample"
[path]
name = "place"
levels = [{ name = "district", digits = 2 }, { name = "ward", digits = 4 },
    { name = "street", digits = 7 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"], ["3", "green", "Green"],
    ["4", "grey", "Grey"], ["9", "other", "Other"]]
[[table]]
name = "house"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "built", kind = "date" }, { name = "rent", kind = "money" },
    { name = "lit", kind = "flag", index = true }, { name = "empty", kind = "flag" },
    { name = "wall", kind = "code", list = "colour", index = true },
    { name = "roof", kind = "code", list = "colour" },
    { name = "doors", kind = "codes", list = "colour", index = true },
    { name = "blinds", kind = "codes", list = "colour" },
    { name = "seen", kind = "month" }, { name = "steps", kind = "int" },
    { name = "note", kind = "text" }]
[[table]]
name = "room"
parent = "house"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "area", kind = "int" },
    { name = "warm", kind = "flag", index = true },
    { name = "wall", kind = "code", list = "colour", index = true },
    { name = "shelves", kind = "codes", list = "colour", index = true },
    { name = "note", kind = "text" }]
[[table]]
name = "lamp"
parent = "room"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "watts", kind = "int" },
    { name = "on", kind = "flag" }]
[[table]]
name = "visit"
parent = "house"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "day", kind = "date" },
    { name = "paid", kind = "money" }]
"#;

/// The schema.
///
/// # Panics
/// When it contradicts itself.
#[must_use]
pub fn schema() -> Schema {
    static READ: LazyLock<Schema> = LazyLock::new(|| Schema::from_toml(SCHEMA).unwrap());
    READ.clone()
}

/// A tree of `districts` districts with three wards and six streets each.
///
/// # Panics
/// When it contradicts itself.
#[must_use]
pub fn tree(districts: u64) -> PathTree {
    let mut nodes = Vec::new();
    let mut node = |code, level| nodes.push(PathNode { code, level, name: format!("N{code}") });
    for district in (11..).take(usize::try_from(districts).unwrap()) {
        node(district * 100_000, 0);
        for ward in 1..=3 {
            node(district * 100_000 + ward * 1_000, 1);
            (1..=2).for_each(|street| node(district * 100_000 + ward * 1_000 + street, 2));
        }
    }
    PathTree::new(&schema().path, nodes).unwrap()
}

/// What values a batch is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Something of everything, a fifth unknown.
    Mixed,
    /// Every column has one value.
    Constant,
    /// Nothing is known but keys and places.
    Unknown,
    /// The whole width of the integers, long and various texts, everything known.
    Wide,
    /// As wide, and texts of the largest size that nothing makes smaller.
    Heavy,
}

impl Mood {
    /// Every mood but the heavy one, of which few rows are a large segment.
    pub const ALL: [Self; 4] = [Self::Mixed, Self::Constant, Self::Unknown, Self::Wide];
}

/// Draws the bundles of one batch.
#[derive(Debug)]
pub struct Source<'a> {
    /// Where numbers come from.
    pub random: &'a mut Random,
    /// The tree that places are taken from.
    pub tree: &'a PathTree,
    /// What values are drawn.
    pub mood: Mood,
    /// The most rows beneath a row.
    pub beneath_max: usize,
}

/// What heavy texts are drawn from.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";

const NOTES: [&str; 6] = ["", "quiet", "loud", "中文", "it's", "100%"];

impl Source<'_> {
    /// A house with everything beneath it.
    ///
    /// # Panics
    /// Never, with the schema of this module.
    pub fn bundle(&mut self, schema: &Schema, key: &str) -> Row {
        self.row(schema, 0, key)
    }

    fn row(&mut self, schema: &Schema, table: usize, key: &str) -> Row {
        let declared = schema.tables.get(table).unwrap();
        let columns = declared.columns.iter().enumerate();
        let cells = columns.map(|(place, column)| match place == declared.key {
            true => Cell::Text(key.to_owned()),
            false => self.cell(column),
        });
        let cells = cells.collect();
        let mut beneath = Vec::new();
        for child in schema.children(table) {
            for number in 0..self.random.below(self.beneath_max + 1) {
                beneath.push(self.row(schema, child, &format!("{key}.{child}.{number}")));
            }
        }
        Row { table, cells, beneath }
    }

    fn cell(&mut self, column: &ColumnSchema) -> Cell {
        let random = &mut *self.random;
        if column.kind == Kind::Path {
            let node = random.pick(self.tree.nodes());
            return Cell::Int(i64::try_from(node.code).unwrap());
        }
        match self.mood {
            Mood::Unknown => return Cell::Unknown,
            Mood::Mixed if random.chance(20) => return Cell::Unknown,
            Mood::Constant if column.kind.is_text() => return Cell::Text("same".into()),
            Mood::Constant => return Cell::Int(1),
            _ => {}
        }
        let wide = matches!(self.mood, Mood::Wide | Mood::Heavy);
        Cell::Int(match column.kind {
            Kind::Flag => i64::from(random.chance(30)),
            Kind::Code => random.between(0, 4),
            Kind::Codes => random.between(0, 31) & random.between(0, 31),
            Kind::Int | Kind::Money if wide => match random.below(4) {
                0 => *random.pick(&[i64::MIN, i64::MAX, 0, -1]),
                _ => random.between(-1 << 40, 1 << 40) << random.below(20),
            },
            Kind::Int => random.between(-20, 200),
            Kind::Money => random.between(-3, 40) * 5_000 + random.between(0, 99),
            Kind::Date => 20_000 + random.between(-400, 400),
            Kind::Month => 24_300 + random.between(0, 30),
            Kind::Text if self.mood == Mood::Heavy => {
                let mut text = String::with_capacity(TEXT_BYTES_MAX + 10);
                while text.len() < TEXT_BYTES_MAX {
                    let drawn = random.below(1 << 60);
                    let letters = (0..60).step_by(6).map(|bit| LETTERS[drawn >> bit & 63]);
                    text.extend(letters.map(char::from));
                }
                text.truncate(TEXT_BYTES_MAX);
                return Cell::Text(text);
            }
            Kind::Text | Kind::Id if wide => {
                let times = random.below(40);
                let number = random.between(0, 1 << 40);
                return Cell::Text(format!("{number:x} {}", random.pick(&NOTES).repeat(times)));
            }
            _ => return Cell::Text((*random.pick(&NOTES)).to_owned()),
        })
    }
}
