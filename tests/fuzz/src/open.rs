//! A database whose files were changed: it is opened, read from end to end, and written on.

use std::sync::{Arc, OnceLock};

use yiku::storage::Storage;
use yiku::{CommitInfo, Compaction, Database, Error, Predicate, Result, RowSet, Segment, Snapshot};
use yiku_tests::Random;
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Content, Files, Image, Memory};
use yiku_tests::sample::{Mood, schema, tree};

use crate::Input;

/// Databases that inputs change: a small one and one with more of everything.
fn bases() -> &'static [Image] {
    static BASES: OnceLock<Vec<Image>> = OnceLock::new();
    BASES.get_or_init(|| vec![base(2, &[Mood::Mixed]), base(8, &Mood::ALL)])
}

fn base(keys: usize, moods: &[Mood]) -> Image {
    let storage = Memory::new(Files::new());
    let shared: Arc<dyn Storage> = Arc::<Memory>::clone(&storage);
    let database = Database::create_in(shared, schema(), tree(1)).unwrap();
    let (mut random, mut expected) = (Random::new(3), Expected::new(1));
    for (step, mood) in moods.iter().enumerate() {
        let mut writer = database.writer().unwrap();
        let key = |number: usize| format!("H{:03}", number + step * keys / 2);
        let keys: Vec<String> = (0..keys).map(key).collect();
        expected.write(&mut writer, &mut random, *mood, &keys).unwrap();
        writer.commit(CommitInfo { as_of: Some(20_757), ..CommitInfo::default() }).unwrap();
    }
    database.keep("first").unwrap();
    // Something replaced and something removed.
    let mut writer = database.writer().unwrap();
    expected.write(&mut writer, &mut random, Mood::Mixed, &["H001".to_owned()]).unwrap();
    writer.remove("H000").unwrap();
    let notes = [("load".to_owned(), "one".to_owned())].into();
    writer.commit(CommitInfo { as_of: None, notes }).unwrap();
    drop(writer);
    storage.seen()
}

/// Changes the files as the input says: its first byte chooses the database; then each change
/// is a file, a place and what happens there.
fn changed(input: &mut Input<'_>) -> Image {
    let bases = bases();
    let mut files = bases[usize::from(input.byte()) % bases.len()].clone();
    let names: Vec<String> = files.keys().cloned().collect();
    while input.has_more() {
        let name = &names[usize::from(input.byte()) % names.len()];
        let content = files[name].clone();
        // Places are counted from both ends: what says where things are stands at the end.
        let (how, place) = (input.byte(), input.short());
        let length = content.len().max(1);
        let place = if how & 0x80 == 0 { place % length } else { length - 1 - place % length };
        let mut bytes = content.to_vec();
        match how % 6 {
            0 => put(&mut bytes, place, &[input.byte()]),
            1 => put(&mut bytes, place, &input.long().to_le_bytes()),
            2 => {
                let count = usize::from(input.byte());
                put(&mut bytes, place, input.take(count));
            }
            3 => bytes.truncate(place),
            4 => {
                let count = usize::from(input.byte());
                bytes.splice(place..place, input.take(count).iter().copied()).for_each(drop);
            }
            _ => {
                let end = (place + usize::from(input.byte())).min(bytes.len());
                bytes.drain(place.min(end)..end);
            }
        }
        let mut changed = Content::from(bytes);
        if content.is_log() {
            let whole = changed.to_vec();
            changed = Content::zeros(whole.len());
            changed.put(0, &whole);
        }
        files.insert(name.clone(), changed);
    }
    files
}

fn put(bytes: &mut [u8], place: usize, new: &[u8]) {
    for (byte, new) in bytes.iter_mut().skip(place).zip(new) {
        *byte = *new;
    }
}

fn read_segment(snapshot: &Snapshot, segment: &Segment) -> Result<()> {
    let schema = snapshot.schema();
    for (table, declared) in schema.tables.iter().enumerate() {
        let rows = segment.rows(table);
        let live = segment.live(table)?;
        for (place, shape) in declared.columns.iter().enumerate() {
            let column = segment.column(table, place)?;
            column.known()?;
            let mut seen = 0u64;
            if shape.kind.is_text() {
                column.texts(0..rows, &mut |_, text| seen += text.map_or(0, str::len) as u64)?;
                column.filter(&Predicate::TextStarts("a".to_owned()))?;
                column.filter(&Predicate::TextIn(vec!["H001".to_owned()]))?;
            } else {
                let mut values = Vec::new();
                column.integers(0..rows, &mut values)?;
                column.filter(&Predicate::Range { min: 1, max: 30_000 })?;
                column.filter(&Predicate::In(vec![0, 1, 3]))?;
                column.filter(&Predicate::HasAny(5))?;
            }
            let unknown = column.filter(&Predicate::Unknown)?;
            assert_eq!(unknown.len_rows(), rows);
            if declared.parent.is_some() {
                let parents = segment.lift_any(table, &live)?;
                segment.spread(table, &parents)?;
            }
        }
        segment.offsets(table)?;
    }
    segment.path_rows(0, u64::MAX)?;
    let all = RowSet::all(segment.rows(0));
    if schema.tables.len() > 1 {
        segment.spread(1, &all)?;
    }
    Ok(())
}

fn use_it(files: Image) -> Result<()> {
    let _ = Database::verify_in(Memory::new(files.clone()), &mut |_| ());
    let database = Database::open_in(Memory::new(files))?;
    let snapshot = database.snapshot()?;
    let _ = (snapshot.rows(0), snapshot.size_bytes(), snapshot.notes().len());
    // What one segment says of itself is no reason not to read the others.
    for segment in snapshot.segments() {
        let _ = read_segment(&snapshot, segment);
    }
    let _ = (snapshot.bundle("H001"), snapshot.find(1, "H001.1.0"));
    if let Ok(first) = database.named("first") {
        for segment in first.segments() {
            let _ = read_segment(&first, segment);
        }
    }
    let mut writer = database.writer()?;
    let mut batch = writer.batch();
    if let Some(node) = snapshot.tree().nodes().first() {
        let place = node.code.to_string();
        batch.push(0)?.set("id", "H001")?.set("place", place.as_str())?;
    }
    writer.write(&batch)?;
    writer.remove("H002")?;
    writer.commit(CommitInfo::default())?;
    database.compact(Compaction::Whole, &|| false)?;
    Ok(())
}

/// Opens, reads and writes what an input makes of a database.
///
/// # Panics
/// When the engine is wrong.
pub fn run(bytes: &[u8]) {
    let files = changed(&mut Input::new(bytes));
    if let Err(error) = use_it(files) {
        // A disk that does what it is told is not what is wrong.
        assert!(!matches!(error, Error::Io { .. }), "{error}");
    }
}
