//! Reading, writing, compaction, named versions and copies at once for a long time: memory and
//! files stay flat, and every check is clean.
//!
//! `YIKU_SOAK_SECONDS` says how long, `YIKU_SOAK_FOLDER` where; without them a few seconds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "it measures time and reads the system")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use yiku::{CommitInfo, Compaction, Database, Error};
use yiku_tests::registry::Rows;
use yiku_tests::sample::{schema, tree};
use yiku_tests::{naive, work};

/// Threads that write.
const HANDS: usize = 2;

#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: u64,
    memory_bytes: u64,
    files: usize,
    bytes: u64,
    segments: usize,
    commits: usize,
}

/// Bytes of memory that the process holds.
fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4_096
}

fn sample(folder: &Path, database: &Database, began: Instant, commits: usize) -> Sample {
    // A file may go while it is looked at.
    let sizes = std::fs::read_dir(folder).unwrap().flatten().flat_map(|entry| entry.metadata());
    let sizes: Vec<u64> = sizes.map(|metadata| metadata.len()).collect();
    let taken = Sample {
        seconds: began.elapsed().as_secs(),
        memory_bytes: memory_bytes(),
        files: sizes.len(),
        bytes: sizes.iter().sum(),
        segments: database.snapshot().unwrap().segments().len(),
        commits,
    };
    eprintln!(
        "| {} s | {} commits | {} segments | {} files | {} KiB | {} MiB of memory |",
        taken.seconds,
        taken.commits,
        taken.segments,
        taken.files,
        taken.bytes >> 10,
        taken.memory_bytes >> 20
    );
    taken
}

/// Writes until it is told to stop; the rows of its keys at the end.
fn write(database: &Database, hand: usize, done: &AtomicBool, commits: &AtomicUsize) -> Rows {
    let mut rows = Rows::new();
    let mut writer = database.writer().unwrap();
    for step in 0.. {
        if done.load(Ordering::Acquire) {
            break;
        }
        work::write(&mut writer, hand, step).unwrap();
        writer.commit(CommitInfo::default()).unwrap();
        commits.fetch_add(1, Ordering::AcqRel);
        for (key, row) in work::changes(hand, step) {
            match row {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
    }
    rows
}

/// Keeps a few names, and a copy that follows; verifies what it copied.
fn keep(database: &Database, copy: &Path, done: &AtomicBool) -> usize {
    let mut round = 0;
    while !done.load(Ordering::Acquire) {
        let name = format!("round {}", round % 3);
        match database.drop_name(&name) {
            Ok(()) | Err(Error::NoSuchName { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        database.keep(&name).unwrap();
        let kept = database.named(&name).unwrap();
        kept.export(copy).unwrap();
        let restored = Database::open(copy).unwrap();
        assert_eq!(
            naive::rows(&restored.snapshot().unwrap()).unwrap(),
            naive::rows(&kept).unwrap(),
            "the copy of {name}"
        );
        let mut wrong = Vec::new();
        database.verify(&mut |error| wrong.push(error)).unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
        round += 1;
        std::thread::sleep(Duration::from_millis(200));
    }
    round
}

/// Reads through a handle of its own, as another process does; how often.
fn read(folder: &Path, done: &AtomicBool) -> usize {
    let database = Database::open(folder).unwrap();
    let (mut before, mut times) = (0, 0);
    while !done.load(Ordering::Acquire) {
        let snapshot = database.snapshot().unwrap();
        assert!(snapshot.version() >= before, "versions run backwards");
        before = snapshot.version();
        naive::check_all(&snapshot).unwrap();
        times += 1;
    }
    times
}

fn flat(samples: &[Sample]) {
    let tail = samples.len() / 2;
    let (first, second) = samples.split_at(tail);
    let most = |part: &[Sample], of: fn(&Sample) -> u64| part.iter().map(of).max().unwrap_or(0);
    for (what, of, slack) in [
        ("memory", (|s| s.memory_bytes) as fn(&Sample) -> u64, 32 << 20),
        ("files", |s| s.files as u64, 16),
        ("bytes", |s| s.bytes, 8 << 20),
        ("segments", |s| s.segments as u64, 24),
    ] {
        let (before, after) = (most(first, of), most(second, of));
        assert!(after <= before + before / 4 + slack, "{what} grew from {before} to {after}");
    }
}

#[test]
fn memory_and_files_stay_flat() {
    let seconds = std::env::var("YIKU_SOAK_SECONDS").map_or(4, |text| text.parse().unwrap());
    let own = tempfile::tempdir().unwrap();
    let place = std::env::var("YIKU_SOAK_FOLDER").map_or(own.path().into(), PathBuf::from);
    let (folder, copy) = (place.join("database"), place.join("copy"));
    let database = Database::create(&folder, schema(), tree(work::DISTRICTS)).unwrap();
    let (done, commits) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (began, mut samples) = (Instant::now(), Vec::new());
    let rows = std::thread::scope(|scope| {
        let (database, done, commits) = (&database, &done, &commits);
        let writing: Vec<_> = (0..HANDS)
            .map(|hand| scope.spawn(move || write(database, hand, done, commits)))
            .collect();
        let keeping = scope.spawn(|| keep(database, &copy, done));
        let reading = scope.spawn(|| read(&folder, done));
        scope.spawn(move || {
            while !done.load(Ordering::Acquire) {
                database.compact(Compaction::Steady, &|| done.load(Ordering::Acquire)).unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let pause = Duration::from_millis((seconds * 1_000 / 24).clamp(100, 10_000));
        while began.elapsed().as_secs() < seconds {
            std::thread::sleep(pause);
            samples.push(sample(&folder, database, began, commits.load(Ordering::Acquire)));
        }
        done.store(true, Ordering::Release);
        eprintln!("{} reads, {} rounds of names", reading.join().unwrap(), keeping.join().unwrap());
        let rows = writing.into_iter().flat_map(|hand| hand.join().unwrap());
        rows.collect::<Rows>()
    });
    assert!(naive::rows(&database.snapshot().unwrap()).unwrap() == rows, "rows at the end");
    drop(database);
    let again = Database::open(&folder).unwrap();
    assert!(naive::rows(&again.snapshot().unwrap()).unwrap() == rows, "rows after opening");
    let mut wrong = Vec::new();
    again.verify(&mut |error| wrong.push(error)).unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(commits.into_inner() > 20, "there was hardly a commit");
    flat(&samples);
}
