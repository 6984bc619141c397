//! JSON: an object a line, or one object with a list of records.
//!
//! Invariant: a line that is not JSON is a reject; in one large object nobody can say where the
//! next record begins, so the file is refused.

use std::fmt::{self, Write};
use std::path::Path;

use serde::Deserialize;
use serde::de::Visitor;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess};

use super::Sink;
use super::chunk::Chunk;
use crate::contract::{Contract, Contracts};
use crate::error::{Error, Result};
use crate::reject::Reason;

/// The names in the first record, and whether there is an object a line.
///
/// # Errors
/// [`Error::Json`] if there is no first record.
pub(super) fn headers(
    path: &Path,
    text: &str,
    contracts: &Contracts,
) -> Result<(Vec<String>, bool)> {
    let first = text.trim_start().lines().next().unwrap_or_default();
    if let Ok(names) = serde_json::from_str::<Names>(first) {
        return Ok((names.0, true));
    }
    let arrays: Vec<&str> = contracts.all().iter().filter_map(|c| c.array.as_deref()).collect();
    let mut found = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let visited = FirstOf { arrays: &arrays, found: &mut found }.deserialize(&mut reader);
    match visited {
        Err(source) if found.is_empty() => Err(failed(path, source)),
        _ => Ok((found, false)),
    }
}

fn failed(path: &Path, source: serde_json::Error) -> Error {
    let line = u64::try_from(source.line()).unwrap_or(0);
    Error::Json { path: path.to_owned(), line, source }
}

/// Hands over the records of an object a line.
pub(super) fn read_lines(
    contract: &Contract,
    text: &str,
    chunk: &mut Chunk,
    sink: Sink<'_>,
) -> Result<()> {
    let mut cells = vec![String::new(); contract.columns.len()];
    for (line, record) in (1..).zip(text.lines()) {
        if record.trim().is_empty() {
            continue;
        }
        let mut reader = serde_json::Deserializer::from_str(record);
        let seed = Record { contract, cells: &mut cells };
        if seed.deserialize(&mut reader).and_then(|()| reader.end()).is_ok() {
            take(chunk, &cells, line);
        } else {
            chunk.broken(line, Reason::BadJson, record);
        }
        if chunk.is_full() {
            sink(chunk)?;
            chunk.clear();
        }
    }
    sink(chunk)
}

/// Hands over the records of one object with a list.
pub(super) fn read_object(
    path: &Path,
    contract: &Contract,
    text: &str,
    chunk: &mut Chunk,
    sink: Sink<'_>,
) -> Result<()> {
    let cells = vec![String::new(); contract.columns.len()];
    let mut list = List { contract, cells, item: 0, chunk, sink, failed: None };
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Object(&mut list).deserialize(&mut reader).and_then(|()| reader.end());
    if let Some(error) = list.failed {
        return Err(error);
    }
    read.map_err(|source| failed(path, source))?;
    (list.sink)(list.chunk)
}

fn take(chunk: &mut Chunk, cells: &[String], line: u64) {
    for (column, cell) in cells.iter().enumerate() {
        chunk.cell(column, cell);
    }
    chunk.end(line);
}

/// The names of an object.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record: an object of names and values")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// Looks for the first record of any of the lists; the names above it if there is none.
struct FirstOf<'a> {
    arrays: &'a [&'a str],
    found: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for FirstOf<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FirstOf<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut above = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.arrays.contains(&name.as_str()) {
                // The rest of the list is read later: what follows here does not matter.
                return map.next_value_seed(First(self.found));
            }
            map.next_value::<IgnoredAny>()?;
            above.push(name);
        }
        *self.found = above;
        Ok(())
    }
}

/// The names of the first item of a list.
struct First<'a>(&'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for First<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for First<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        if let Some(Names(names)) = list.next_element()? {
            *self.0 = names;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Reads one record into the cells of a contract's columns.
struct Record<'a> {
    contract: &'a Contract,
    cells: &'a mut [String],
}

impl<'de> DeserializeSeed<'de> for Record<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record: an object of names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        self.cells.iter_mut().for_each(String::clear);
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let mut columns = self.contract.columns.iter();
            let place = columns.position(|column| column.headers.iter().any(|h| *h == name));
            match place.and_then(|place| self.cells.get_mut(place)) {
                Some(cell) => map.next_value_seed(Cell(cell))?,
                None => map.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }
}

/// Reads one value as text.
struct Cell<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl Visitor<'_> for Cell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false or null")
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<(), E> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<(), E> {
        write!(self.0, "{value}").map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> std::result::Result<(), E> {
        write!(self.0, "{value}").map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> std::result::Result<(), E> {
        // The shortest text that is this float: what stood in the file.
        write!(self.0, "{value}").map_err(E::custom)
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

/// Hands over the items of a list.
struct List<'a, 's> {
    contract: &'a Contract,
    cells: Vec<String>,
    item: u64,
    chunk: &'a mut Chunk,
    sink: Sink<'s>,
    /// What the sink said, while the reader of JSON is told to stop.
    failed: Option<Error>,
}

/// The object that holds the list.
struct Object<'l, 'a, 's>(&'l mut List<'a, 's>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of records")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if Some(&name) == self.0.contract.array.as_ref() {
                map.next_value_seed(Items(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Items<'l, 'a, 's>(&'l mut List<'a, 's>);

impl<'de> DeserializeSeed<'de> for Items<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let list = self.0;
        loop {
            let seed = Record { contract: list.contract, cells: &mut list.cells };
            if items.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
            list.item += 1;
            take(list.chunk, &list.cells, list.item);
            if list.chunk.is_full() {
                if let Err(error) = (list.sink)(list.chunk) {
                    list.failed = Some(error);
                    return Err(A::Error::custom("stopped"));
                }
                list.chunk.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    /// What a reader hands over: the cells of two columns by line, and the lines that are broken.
    type Seen = (Vec<(u64, String, String)>, Vec<u64>);

    fn seen(contract: &str, columns: [&str; 2], text: &str) -> Result<Seen> {
        let contracts = Contracts::embedded(&crate::registry_schema()?)?;
        let contract = contracts.get(contract).unwrap();
        let places = columns.map(|name| contract.column(name).unwrap());
        let mut chunk = Chunk::new(vec![true; contract.columns.len()]);
        let mut seen: Seen = (Vec::new(), Vec::new());
        let mut sink = |chunk: &Chunk| {
            let [first, second] = places.map(|place| chunk.column(place).map(str::to_owned));
            let cells = chunk.lines.iter().copied().zip(first.zip(second));
            seen.0.extend(cells.map(|(line, (first, second))| (line, first, second)));
            seen.1.extend(chunk.broken.iter().map(|(line, _, _)| *line));
            Ok(())
        };
        match contract.array {
            Some(_) => read_object("f".as_ref(), contract, text, &mut chunk, &mut sink)?,
            None => read_lines(contract, text, &mut chunk, &mut sink)?,
        }
        Ok(seen)
    }

    fn line(line: u64, first: &str, second: &str) -> (u64, String, String) {
        (line, first.to_owned(), second.to_owned())
    }

    #[test]
    fn an_object_a_line_is_read_and_a_broken_line_is_a_reject() {
        let text = "{\"xm\":\"王\\n\",\"zz\":true,\"other\":[1]}\n\n{\"zz\":0,\"xm\":12}\n{\"xm\":\n\
                    {\"xm\":[1]}\n{\"xm\":null} x\n";
        let (cells, broken) = seen("education.students", ["name", "grant"], text).unwrap();
        assert_eq!(cells, [line(1, "王\n", "true"), line(3, "12", "0")]);
        assert_eq!(broken, [4, 5, 6]);
    }

    #[test]
    fn the_list_of_an_object_is_read_and_a_broken_one_is_refused() {
        let text = "{\"部门\":\"x\",\"数据\":[{\"病种\":null,\"登记日期\":\"2024-03-07\"},\n\
                    {\"登记日期\":20240307,\"病种\":\"a\"}],\"z\":{}}";
        let columns = ["disease", "day"];
        let (cells, broken) = seen("health.events", columns, text).unwrap();
        assert_eq!(cells, [line(1, "", "2024-03-07"), line(2, "a", "20240307")]);
        assert!(broken.is_empty());
        for (text, at) in [("{\"数据\":[{\"病种\":\n\"a\"},", 2), ("{\"数据\":[1]}", 1)] {
            let error = seen("health.events", columns, text).unwrap_err();
            assert!(matches!(error, Error::Json { line, .. } if line == at), "{text}: {error}");
        }
    }

    #[test]
    fn the_names_of_the_first_record_are_found_in_both_forms() {
        let contracts = Contracts::embedded(&crate::registry_schema().unwrap()).unwrap();
        for (text, names, is_lines) in [
            ("{\"a\":1,\"b\":2}\n{\"c\":3}\n", vec!["a", "b"], true),
            ("{\"x\":1,\n\"数据\":[{\"a\":1},{\"b\":2}]}", vec!["a"], false),
            ("{\"x\":1,\n\"y\":[]}", vec!["x", "y"], false),
        ] {
            let found = headers("f".as_ref(), text, &contracts).unwrap();
            assert_eq!(found, (names.into_iter().map(str::to_owned).collect(), is_lines));
        }
        assert!(headers("f".as_ref(), "{\"x\":\n", &contracts).is_err());
    }
}
