//! Segment files that somebody made on purpose: every checksum is right, what it covers is not.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::path::Path;
use std::sync::Arc;

use super::toc::{KeysToc, PostingToc, SegmentToc};
use super::{LiveSet, Meter, Segment, SegmentFile, Touched, Wanted, build};
use crate::batch::Batch;
use crate::block::FrameRef;
use crate::error::{Error, Result};
use crate::format::{self, FileKind, checksum};
use crate::limits;
use crate::path::{PathNode, PathTree};
use crate::predicate::Predicate;
use crate::row_set::RowSet;
use crate::schema::Schema;
use crate::storage::Storage;
use crate::storage::memory::Memory;

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "district", digits = 2 }, { name = "ward", digits = 4 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"], ["3", "green", "Green"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "side", kind = "code", list = "colour", index = true },
    { name = "tags", kind = "codes", list = "colour", index = true },
    { name = "weight", kind = "int" }, { name = "note", kind = "text" },
    { name = "word", kind = "text" }]
[[table]]
name = "ball"
parent = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "round", kind = "flag", index = true }]
"#;

/// A segment of forty root rows with a few beneath each.
fn sample() -> (Arc<Schema>, Vec<u8>) {
    let schema = Arc::new(Schema::from_toml(SCHEMA).unwrap());
    let roots: Vec<u32> = (0..40).collect();
    let bytes = build(&sample_batch(&schema), &roots).unwrap();
    (schema, bytes)
}

fn sample_batch(schema: &Arc<Schema>) -> Batch {
    let node = |code: u64, level| PathNode { code, level, name: "N".into() };
    let nodes = vec![node(1100, 0), node(1101, 1), node(1102, 1)];
    let tree = Arc::new(PathTree::new(&schema.path, nodes).unwrap());
    let mut batch = Batch::new(Arc::clone(schema), tree);
    for number in 0..40i64 {
        let (key, note) = (format!("B{number:03}"), format!("note {}", number * 7_919 % 1_000));
        let even = number % 2 == 0;
        let row = batch.row("box").unwrap().set("id", key.as_str()).unwrap();
        let row = row.set("place", if number < 20 { "1101" } else { "1102" }).unwrap();
        let row = row.set("side", Some(number % 3).filter(|_| even)).unwrap();
        let row = row.set("tags", number % 8).unwrap().set("weight", number * number).unwrap();
        let row = row.set("note", Some(note.as_str()).filter(|_| even)).unwrap();
        row.set("word", if even { "heavy" } else { "light" }).unwrap();
        for ball in 0..number % 4 {
            let key = format!("{number}-{ball}");
            let row = batch.row("ball").unwrap().set("id", key.as_str()).unwrap();
            row.set("round", ball == 1).unwrap();
        }
    }
    batch
}

/// The bytes before the record, and the record.
fn parts(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (record, offset) = format::open(bytes, FileKind::Segment, Path::new("memory")).unwrap();
    (bytes[..usize::try_from(offset).unwrap()].to_vec(), record.to_vec())
}

fn toc(schema: &Schema, record: &[u8]) -> SegmentToc {
    SegmentToc::read(record, format::FORMAT, schema, (Path::new("memory"), 0)).unwrap()
}

/// Visits every frame that the table of contents names.
fn each_frame(toc: &mut SegmentToc, visit: &mut dyn FnMut(&mut FrameRef)) {
    for table in &mut toc.tables {
        for column in &mut table.columns {
            column.postings.iter_mut().for_each(|posting| visit(&mut posting.frame));
        }
        let blocks = table.columns.iter_mut().flat_map(|column| &mut column.blocks);
        for block in blocks.chain(&mut table.counts) {
            let own = [&mut block.known_bits, &mut block.frame, &mut block.beside];
            own.into_iter().flatten().for_each(&mut *visit);
        }
        if let Some(KeysToc::Buckets { starts, rows, .. }) = &mut table.keys {
            visit(starts);
            visit(rows);
        }
    }
}

fn open(schema: &Arc<Schema>, bytes: Vec<u8>) -> Result<Segment> {
    let storage = Memory::default();
    assert!(storage.write(&SegmentFile::name(1), &bytes).is_ok());
    let file = Arc::new(SegmentFile::open(&storage, 1, schema)?);
    Ok(Segment::whole(file, 0))
}

/// Asks everything that can be asked; what is answered does not matter here.
fn ask(schema: &Schema, segment: &Segment) -> Result<u64> {
    let mut asked = vec![Predicate::Known, Predicate::Unknown, Predicate::In(vec![-1, 0, 1, 900])];
    asked.extend([0, 1, 6, 1 << 63, u64::MAX].map(Predicate::HasAny));
    asked.extend([0, 1, 6, 1 << 63, u64::MAX].map(Predicate::HasAll));
    asked.push(Predicate::HasNone(2));
    for (min, max) in [(i64::MIN, i64::MAX), (1, 1), (5, 1_101), (1, 0)] {
        asked.push(Predicate::Range { min, max });
    }
    asked.push(Predicate::TextIn(vec!["B007".into(), "heavy".into(), "7-1".into()]));
    asked.push(Predicate::TextStarts("note 9".into()));
    let roots = RowSet::range(segment.rows(0), 3..9);
    let live = Some(Arc::new(LiveSet::new(&roots, schema.tables.len())));
    let some = Segment { live, ..Segment::whole(Arc::clone(&segment.file), 0) };
    let mut seen = 0;
    for (table, declared) in schema.tables.iter().enumerate() {
        for place in 0..declared.columns.len() {
            let column = segment.column(table, place)?;
            seen += column.zone_maps().map(|zone| u64::from(zone.known)).sum::<u64>();
            let mut values = Vec::new();
            column.integers(0..u32::MAX, &mut values)?;
            column.texts(0..u32::MAX, &mut |_, text| seen += text.map_or(0, |t| t.len() as u64))?;
            for predicate in &asked {
                let rows = column.filter(predicate)?;
                let _ = column.served_by(predicate);
                seen += rows.count() + segment.lift_any(table, &rows)?.count();
                seen += segment.spread(table, &RowSet::all(segment.rows(0)))?.count();
            }
        }
        seen += some.live(table)?.count() + u64::from(some.live_counts()?[table]);
    }
    segment.verify(&mut |_| {})?;
    some.verify(&mut |_| {})?;
    seen += u64::from(segment.path_rows(1_101, 1_101)?.end);
    Ok(seen + segment.rows_of_keys(0, &Wanted::new(&["B003", "B039", "absent"]))?.len() as u64)
}

/// Opens and asks; whether both went well. Only a named damage may be in the way.
fn survives(schema: &Arc<Schema>, bytes: Vec<u8>, what: &str) -> bool {
    match open(schema, bytes).and_then(|segment| ask(schema, &segment)) {
        Ok(_) => true,
        Err(Error::Corrupt { file, .. }) => {
            assert!(file.starts_with("memory"), "{what}: said of {}", file.display());
            false
        }
        Err(other) => panic!("{what}: {other}"),
    }
}

#[test]
fn a_sound_segment_answers() {
    let (schema, bytes) = sample();
    let segment = open(&schema, bytes.clone()).unwrap();
    assert!(ask(&schema, &segment).unwrap() > 1_000);
    let found = segment.rows_of_keys(0, &Wanted::new(&["B003", "absent", "B039"])).unwrap();
    assert_eq!(found, [(0, 3), (2, 39)]);
    let mut met = 0;
    each_frame(&mut toc(&schema, &parts(&bytes).1), &mut |_| met += 1);
    assert_eq!(met, toc(&schema, &parts(&bytes).1).frames, "every frame is named once");
}

#[test]
fn no_table_of_contents_makes_a_reader_panic() {
    let (schema, bytes) = sample();
    let (before, record) = parts(&bytes);
    let mut refused = 0;
    for at in 0..record.len() {
        for mask in [0x01, 0x80, 0xFF] {
            let mut record = record.clone();
            record[at] ^= mask;
            let bytes = format::close(before.clone(), &record);
            refused += usize::from(!survives(&schema, bytes, &format!("byte {at} ^ {mask}")));
        }
    }
    assert!(refused > record.len(), "most changes are refused: {refused} of {}", record.len());
}

#[test]
fn no_frame_makes_a_reader_panic() {
    let (schema, bytes) = sample();
    let (before, record) = parts(&bytes);
    let mut spans = Vec::new();
    each_frame(&mut toc(&schema, &record), &mut |frame| spans.push((frame.offset, frame.length)));
    for (start, length) in spans {
        for at in start..start + length {
            for mask in [0x01, 0x80, 0xFF] {
                let mut before = before.clone();
                before[usize::try_from(at).unwrap()] ^= mask;
                let mut toc = toc(&schema, &record);
                each_frame(&mut toc, &mut |frame| {
                    let from = usize::try_from(frame.offset).unwrap();
                    let to = from + usize::try_from(frame.length).unwrap();
                    frame.checksum = checksum(&before[from..to]);
                });
                let bytes = format::close(before, &toc.write());
                survives(&schema, bytes, &format!("byte {at} ^ {mask}"));
            }
        }
    }
}

#[test]
fn what_a_table_of_contents_claims_is_checked() {
    let (schema, bytes) = sample();
    let (before, record) = parts(&bytes);
    let check = |expected: &str, edit: &dyn Fn(&mut SegmentToc)| {
        let mut toc = toc(&schema, &record);
        edit(&mut toc);
        let error = toc.check(&schema, before.len() as u64).unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    let (id, side, weight, note, word) = (0, 2, 4, 5, 6);
    check("other tables", &|toc| toc.tables.truncate(1));
    check("other columns", &|toc| toc.tables[0].columns.truncate(3));
    check("too many rows", &|toc| toc.tables[0].rows = limits::SEGMENT_ROWS_MAX + 1);
    check("number of blocks", &|toc| toc.tables[0].rows = limits::BLOCK_ROWS + 1);
    check("number of rows", &|toc| toc.tables[0].columns[weight].blocks[0].rows = 41);
    check("number of rows", &|toc| toc.tables[0].columns[weight].blocks[0].known = 41);
    check("bits of known rows", &|toc| toc.tables[0].columns[note].blocks[0].known_bits = None);
    check("bits of known rows", &|toc| toc.tables[0].columns[note].blocks[0].known = 40);
    check("shorter than its rows", &|toc| toc.tables[0].columns[weight].blocks[0].bits = 64);
    check("shorter than its rows", &|toc| toc.tables[0].columns[weight].blocks[0].bits = 0);
    check("least value", &|toc| toc.tables[0].columns[weight].blocks[0].max = -1);
    check("no planes", &|toc| toc.tables[0].columns[side].blocks[0].bits = 65);
    check("encoding that", &|toc| toc.tables[0].columns[weight].blocks[0].encoding = 99);
    check("another kind of column", &|toc| toc.tables[0].columns[weight].blocks[0].encoding = 2);
    check("another kind of column", &|toc| toc.tables[0].columns[note].blocks[0].encoding = 1);
    check("shorter than its runs", &|toc| toc.tables[0].columns[weight].blocks[0].encoding = 5);
    check("shorter than its values", &|toc| toc.tables[0].columns[weight].blocks[0].encoding = 6);
    check("does not say of which", &|toc| toc.tables[0].columns[weight].blocks[0].encoding = 12);
    check("larger than any", &|toc| toc.tables[0].columns[note].blocks[0].plain_bytes = 1 << 40);
    check("larger than any", &|toc| toc.tables[0].columns[word].blocks[0].distinct = 41);
    check("larger than any", &|toc| toc.tables[0].columns[id].blocks[0].bits = 65);
    check("not numbered one by one", &|toc| toc.frames = u32::MAX);
    check("not numbered one by one", &|toc| each_frame(toc, &mut |frame| frame.index = 0));
    check("outside the file", &|toc| each_frame(toc, &mut |frame| frame.offset = u64::MAX));
    check("outside the file", &|toc| each_frame(toc, &mut |frame| frame.offset += 1 << 30));
    check("index of keys", &|toc| {
        let Some(KeysToc::Buckets { keys, .. }) = &mut toc.tables[0].keys else { return };
        *keys = 4_000;
    });
    check("without an index", &|toc| {
        let frame = toc.tables[0].columns[weight].blocks[0].frame.unwrap();
        toc.tables[0].columns[weight].postings = vec![PostingToc { value: 1, rows: 1, frame }];
    });
    check("number of rows than its place", &|toc| toc.tables[1].counts[0].rows = 39);
}

fn findings(segment: &Segment) -> Vec<String> {
    let mut found = Vec::new();
    segment.verify(&mut |error| found.push(error.to_string())).unwrap();
    found
}

#[test]
fn what_a_segment_promises_is_verified() {
    let (schema, bytes) = sample();
    let (before, record) = parts(&bytes);
    assert_eq!(findings(&open(&schema, bytes.clone()).unwrap()), Vec::<String>::new());
    let mut spans = Vec::new();
    each_frame(&mut toc(&schema, &record), &mut |frame| spans.push((frame.offset, frame.length)));
    for at in spans.into_iter().flat_map(|(start, length)| start..start + length) {
        let mut bytes = bytes.clone();
        bytes[usize::try_from(at).unwrap()] ^= 1;
        let found = findings(&open(&schema, bytes).unwrap());
        assert!(found.len() == 1 && found[0].contains("a frame is damaged"), "{at}: {found:?}");
    }
    let check = |expected: &str, edit: &dyn Fn(&mut SegmentToc)| {
        let mut toc = toc(&schema, &record);
        edit(&mut toc);
        let bytes = format::close(before.clone(), &toc.write());
        let found = findings(&open(&schema, bytes).unwrap());
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:?}");
    };
    let (side, weight, note) = (2, 4, 5);
    check("zone map", &|toc| toc.tables[0].columns[weight].blocks[0].max += 1);
    check("rows are known", &|toc| toc.tables[0].columns[note].blocks[0].known += 1);
    check("not in its list", &|toc| {
        let block = &mut toc.tables[0].columns[side].blocks[0];
        (block.base, block.min, block.max) = (5, 5, 7);
    });
    let batch = sample_batch(&schema);
    let mut roots: Vec<u32> = (0..40).collect();
    roots.swap(3, 9);
    let found = findings(&open(&schema, build(&batch, &roots).unwrap()).unwrap());
    assert!(found.len() == 1 && found[0].contains("by path and key"), "{found:?}");
}

#[test]
fn counts_that_do_not_add_up_are_found_when_they_are_used() {
    let (schema, bytes) = sample();
    let (before, record) = parts(&bytes);
    for base in [1, -1, i64::MAX] {
        let mut toc = toc(&schema, &record);
        toc.tables[1].counts[0].base = base;
        let bytes = format::close(before.clone(), &toc.write());
        let segment = open(&schema, bytes).unwrap();
        let error = segment.offsets(1).unwrap_err().to_string();
        assert!(error.contains("the rows beneath rows"), "{error}");
    }
}

#[test]
fn what_is_read_is_counted_by_frames_for_who_wants_to_know() {
    let (schema, bytes) = sample();
    let segment = open(&schema, bytes).unwrap();
    let meter = Arc::new(Meter::default());
    let metered = segment.metered(&meter);
    let bytes_of = |touched: &Touched| Touched::default().add(touched);
    let weight = metered.column(0, 4).unwrap();
    let sizes = weight.sizes();
    // What zone maps say reads nothing, and who does not count is not counted.
    weight.filter(&Predicate::Range { min: -9, max: -1 }).unwrap();
    segment.column(0, 4).unwrap().filter(&Predicate::Range { min: 5, max: 90 }).unwrap();
    assert!(meter.take().is_empty());
    // A frame counts whole and once, however often and how little of it is read.
    for rows in [3..4, 7..9, 3..4] {
        weight.integers(rows, &mut Vec::new()).unwrap();
    }
    let touched = meter.take();
    assert_eq!(bytes_of(&touched), sizes.values);
    assert_eq!(weight.touched(&touched).collect::<Vec<_>>(), [true]);
    assert_eq!(metered.column(0, 5).unwrap().touched(&touched).collect::<Vec<_>>(), [false]);
    assert!(meter.take().is_empty());
    // Of texts, the values and which are known; of keys, the index and the texts it points at.
    let note = metered.column(0, 5).unwrap();
    note.filter(&Predicate::TextStarts("note".into())).unwrap();
    let (texts, own) = (note.sizes(), meter.take());
    assert_eq!(bytes_of(&own), texts.values + texts.known);
    let key = metered.column(0, 0).unwrap();
    key.filter(&Predicate::TextIn(vec!["B007".into()])).unwrap();
    let (keys, own) = (key.sizes(), meter.take());
    assert_eq!(bytes_of(&own), keys.values + keys.index);
    // Where the rows beneath rows begin is kept in memory, and counts each time all the same.
    metered.offsets(1).unwrap();
    let first = meter.take();
    metered.offsets(1).unwrap();
    assert_eq!((meter.take(), first.is_empty()), (first, false));
}
