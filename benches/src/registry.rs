//! A made-up registry of houses and rooms to measure on, and the same rows as plain vectors.

use std::path::Path;

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, Error, PathTree, Schema, Snapshot, Value};

use crate::mixed;

const SCHEMA: &str = r#"
name = "houses"
[path]
name = "place"
levels = [{ name = "city", digits = 2 }, { name = "street", digits = 5 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"], ["3", "green", "Green"], ["4", "x", "X"]]
[[table]]
name = "house"
key = "house_id"
columns = [{ name = "house_id", kind = "id" }, { name = "place", kind = "path" }]
[[table]]
name = "room"
parent = "house"
key = "room_id"
columns = [
    { name = "room_id", kind = "id" },
    { name = "colour", kind = "code", list = "colour", index = true },
    { name = "rent", kind = "money" },
]
"#;
/// Cities of the tree, and streets of each.
const CITIES: u64 = 20;
const STREETS: u64 = 50;
/// Rooms of a house.
const ROOMS: u64 = 4;
/// Houses of one batch.
const BATCH_HOUSES: u64 = 250_000;

/// The same rows as one who has no engine would keep them.
#[derive(Debug, Default)]
pub struct Plain {
    /// The place of the house of each room.
    pub place: Vec<i64>,
    /// The colour of each room, its place in the list.
    pub colour: Vec<i64>,
    /// The rent of each room.
    pub rent: Vec<i64>,
    /// The house of each room.
    pub house: Vec<u32>,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn tree(schema: &Schema) -> Result<PathTree, Error> {
    let mut nodes = Vec::new();
    for city in 10..10 + CITIES {
        nodes.push(PathNode { code: city * 1_000, level: 0, name: city.to_string() });
        for street in 1..=STREETS {
            let code = city * 1_000 + street;
            nodes.push(PathNode { code, level: 1, name: code.to_string() });
        }
    }
    PathTree::new(&schema.path, nodes)
}

/// Writes a database of so many houses; the rows are given back as vectors too.
///
/// # Errors
/// Whatever the engine says.
pub fn write(folder: &Path, houses: u64) -> Result<(Snapshot, Plain), Error> {
    let schema = Schema::from_toml(SCHEMA)?;
    let tree = tree(&schema)?;
    let database = Database::create(folder, schema, tree)?;
    let mut writer = database.writer()?;
    let mut plain = Plain::default();
    let mut house = 0;
    while house < houses {
        let mut batch = writer.batch();
        for house in house..houses.min(house + BATCH_HOUSES) {
            // Houses come in the order of places, as a loader feeds them.
            let street = house * (CITIES * STREETS) / houses;
            let place = signed((10 + street / STREETS) * 1_000 + street % STREETS + 1);
            let id = format!("H{house:09}");
            let mut row = batch.push(0)?;
            row.put(0, Value::Text(&id))?;
            row.put(1, Value::Int(place))?;
            for room in 0..ROOMS {
                let number = mixed(house * ROOMS + room);
                let (colour, rent) = (signed(number % 4), signed(number / 4 % 1_000_000));
                let id = format!("R{:010}", house * ROOMS + room);
                let mut row = batch.push(1)?;
                row.put(0, Value::Text(&id))?;
                row.put(1, Value::Int(colour))?;
                row.put(2, Value::Int(rent))?;
                plain.place.push(place);
                plain.colour.push(colour);
                plain.rent.push(rent);
                plain.house.push(u32::try_from(house).unwrap_or(u32::MAX));
            }
        }
        writer.write(&batch)?;
        house += BATCH_HOUSES;
    }
    let snapshot = writer.commit(CommitInfo::default())?;
    Ok((snapshot, plain))
}
