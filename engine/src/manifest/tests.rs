//! Nothing that a record can say makes a reader panic.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::*;
use crate::codec;
use crate::format::{self, checksum};
use crate::storage::memory::Memory;
use crate::{Batch, CommitInfo, Database};

const SCHEMA: &str = r#"name = "s"
    path = { name = "place", levels = [{ name = "district", digits = 2 }] }
    [[table]]
    name = "box"
    key = "id"
    columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]
    [[table]]
    name = "ball"
    parent = "box"
    key = "id"
    columns = [{ name = "id", kind = "id" }]"#;

fn boxes(batch: &mut Batch, keys: std::ops::Range<u32>) -> Result<()> {
    for key in keys {
        let key = format!("box {key}");
        batch.row("box")?.set("id", key.as_str())?.set("place", "11")?;
        batch.row("ball")?;
    }
    Ok(())
}

/// The files of a database with a live set, and its newest manifest.
fn sample() -> (BTreeMap<String, Vec<u8>>, Manifest) {
    let storage = Arc::new(Memory::default());
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = |code| PathNode { code, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, vec![node(11), node(12)]).unwrap();
    let shared: Arc<dyn Storage> = Arc::<Memory>::clone(&storage);
    let database = Database::create_in(shared, schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    for keys in [0..6, 4..8] {
        let mut batch = writer.batch();
        boxes(&mut batch, keys).unwrap();
        writer.write(&batch).unwrap();
        let notes = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        writer.commit(CommitInfo { as_of: Some(1), notes }).unwrap();
    }
    // The second commit lies in the log; this writes it out.
    database.keep_month_ends(Some(3)).unwrap();
    let manifest = Manifest::read(&*storage, current(&*storage).unwrap()).unwrap().0;
    let files = storage.0.lock().clone();
    (files, manifest)
}

fn record(files: &BTreeMap<String, Vec<u8>>, name: &str, kind: FileKind) -> Vec<u8> {
    format::open(&files[name], kind, name.as_ref()).unwrap().0.to_vec()
}

/// Opens, reads, writes and commits; whether nothing was said to be wrong.
fn survives(files: BTreeMap<String, Vec<u8>>, what: &str) -> bool {
    let use_it = || -> Result<()> {
        let database = Database::open_in(Arc::new(Memory(files.into())))?;
        let snapshot = database.snapshot()?;
        for (table, segment) in (0..2).flat_map(|t| snapshot.segments().iter().map(move |s| (t, s)))
        {
            segment.live(table)?;
            segment.column(table, 0)?.texts(0..u32::MAX, &mut |_, _| {})?;
        }
        let _ = (snapshot.rows(0), snapshot.rows(1), snapshot.size_bytes());
        let mut writer = database.writer()?;
        let mut batch = writer.batch();
        boxes(&mut batch, 2..3)?;
        writer.write(&batch)?;
        writer.commit(CommitInfo::default())?;
        Ok(())
    };
    let used = use_it();
    // What is made on purpose may be another sound schema; what happened to a disk is not
    // what is said of it.
    assert!(!matches!(used, Err(Error::Io { .. } | Error::Poisoned)), "{what}: {used:?}");
    used.is_ok()
}

/// Changes every byte of a record in turn, each time with every checksum above it right.
fn check(name: &str, kind: FileKind, bind: impl Fn(&mut Manifest, u64)) {
    let (files, sound) = sample();
    let whole = record(&files, name, kind);
    let mut refused = 0;
    for (at, mask) in (0..whole.len()).flat_map(|at| [1, 0x80, 0xFF].map(|mask| (at, mask))) {
        let (mut files, mut manifest, mut record) = (files.clone(), sound.clone(), whole.clone());
        record[at] ^= mask;
        bind(&mut manifest, checksum(&record));
        files.insert(name.to_owned(), format::close(format::header(kind), &record));
        if kind == FileKind::Manifest {
            let manifest = RecordRef { number: 3, checksum: checksum(&record) };
            let current = codec::encode(&CurrentRecord { manifest }).unwrap();
            let current = format::close(format::header(FileKind::Current), &current);
            files.insert(CURRENT.to_owned(), current);
        } else {
            let storage = Memory(files.into());
            manifest.publish(&storage).unwrap();
            files = storage.0.into_inner();
        }
        refused += usize::from(!survives(files, &format!("{name}, byte {at} ^ {mask}")));
    }
    assert!(refused > whole.len() / 2, "{name}: {refused} of {} refused", 3 * whole.len());
}

#[test]
fn no_manifest_makes_a_reader_panic() {
    check("manifest-0000000003", FileKind::Manifest, |_, _| {});
}

#[test]
fn no_tree_makes_a_reader_panic() {
    check("tree-0000000001", FileKind::Tree, |manifest, sum| manifest.tree.checksum = sum);
}

#[test]
fn no_live_set_makes_a_reader_panic() {
    let name = "live-0000000003";
    check(name, FileKind::Live, |manifest, sum| {
        manifest.segments[0].live.as_mut().unwrap().checksum = sum;
    });
}
