//! Writing, compaction, named versions and copies at once for a long time, and another process that
//! reads: memory of both and files stay flat, the reader follows, and every check is clean.
//!
//! `YIKU_SOAK_SECONDS` says how long, `YIKU_SOAK_FOLDER` where; without them a few seconds.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]
#![expect(clippy::disallowed_methods, reason = "it measures time and looks at folders")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use yiku::{CommitInfo, Compaction, Database, Error};
use yiku_tests::registry::Rows;
use yiku_tests::sample::{schema, tree};
use yiku_tests::{memory_bytes, naive, work};

/// Threads that write.
const HANDS: usize = 2;

#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: u64,
    /// What the process that writes has to itself.
    memory_bytes: u64,
    /// What the process that reads has to itself.
    reader_bytes: u64,
    files: u64,
    bytes: u64,
    segments: u64,
    commits: usize,
}

fn sample(folder: &Path, database: &Database, began: Instant, commits: usize) -> Sample {
    // A file may go while it is looked at.
    let sizes = std::fs::read_dir(folder).unwrap().flatten().flat_map(|entry| entry.metadata());
    let sizes: Vec<u64> = sizes.map(|metadata| metadata.len()).collect();
    Sample {
        seconds: began.elapsed().as_secs(),
        memory_bytes: memory_bytes(),
        reader_bytes: 0,
        files: sizes.len() as u64,
        bytes: sizes.iter().sum(),
        segments: database.snapshot().unwrap().segments().len() as u64,
        commits,
    }
}

impl Sample {
    fn tell(&self) {
        eprintln!(
            "| {} s | {} commits | {} segments | {} files | {} KiB | own memory {} KiB, of the \
             reader {} KiB |",
            self.seconds,
            self.commits,
            self.segments,
            self.files,
            self.bytes >> 10,
            self.memory_bytes >> 10,
            self.reader_bytes >> 10
        );
    }
}

/// A process that reads: the program `reader` of this package.
struct Reader {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// How often it looked, and how often at a version that it had not seen.
    looks: usize,
    newer: usize,
    last: Saw,
}

/// What it says of a look.
#[derive(Debug, Clone, Copy, Default)]
struct Saw {
    version: u64,
    /// Steps of all hands.
    steps: u64,
    memory_bytes: u64,
}

impl Reader {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reader"));
        command.arg(folder).arg(HANDS.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (asks, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (answers, last) = (BufReader::new(answers), Saw::default());
        Self { child, asks, answers, looks: 0, newer: 0, last }
    }

    /// Has it look at the newest version, which must be this or a later one.
    fn look(&mut self, least: u64) -> Saw {
        writeln!(self.asks, "look {least}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let said = line.strip_prefix("saw ").unwrap_or_else(|| panic!("the reader: {line:?}"));
        let numbers: Vec<u64> = said.split_whitespace().map(|n| n.parse().unwrap()).collect();
        let saw = Saw { version: numbers[0], steps: numbers[1], memory_bytes: numbers[2] };
        self.looks += 1;
        self.newer += usize::from(saw.version > self.last.version);
        self.last = saw;
        saw
    }

    fn end(self) {
        let Self { mut child, asks, .. } = self;
        drop(asks);
        assert!(child.wait().unwrap().success(), "the reader did not end well");
    }
}

/// Has the reader look until it is told to stop: what is acknowledged here it must see there.
fn read(mut reader: Reader, database: &Database, done: &AtomicBool, memory: &AtomicU64) -> Reader {
    while !done.load(Ordering::Acquire) {
        let saw = reader.look(database.snapshot().unwrap().version());
        memory.store(saw.memory_bytes, Ordering::Release);
    }
    reader
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
        work::apply(&mut rows, hand, step);
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

/// By how much a figure grows over some samples, by the line that lies closest to them.
fn growth(samples: &[Sample], of: fn(&Sample) -> u64) -> f64 {
    let middle = (samples.len() as f64 - 1.0) / 2.0;
    let (mut sum, mut squares) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let from_middle = at as f64 - middle;
        sum += from_middle * of(sample) as f64;
        squares += from_middle * from_middle;
    }
    sum / squares * 2.0 * middle
}

/// Nothing grows over the second half: by the line through all of its samples, so that neither a
/// high tide at its end nor a low one is taken for the whole.
fn flat(samples: &[Sample]) {
    let (_, half) = samples.split_at(samples.len() / 2);
    for (what, of, most) in [
        ("memory", (|s| s.memory_bytes) as fn(&Sample) -> u64, 1 << 20),
        ("memory of the reader", |s| s.reader_bytes, 1 << 20),
        ("files", |s| s.files, 8),
        ("bytes", |s| s.bytes, 4 << 20),
        ("segments", |s| s.segments, 12),
    ] {
        let (grown, all) = (growth(half, of), half.iter().map(of));
        let (least, greatest) = (all.clone().min().unwrap_or(0), all.max().unwrap_or(0));
        eprintln!("{what}: {least} to {greatest}, grown by {grown:.0}");
        assert!(grown <= f64::from(most) + greatest as f64 / 10.0, "{what} grew by {grown:.0}");
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
    let (memory, reader) = (AtomicU64::new(0), Reader::start(&folder));
    let (began, mut samples) = (Instant::now(), Vec::new());
    let (rows, mut reader) = std::thread::scope(|scope| {
        let (database, done, commits, memory) = (&database, &done, &commits, &memory);
        let writing: Vec<_> = (0..HANDS)
            .map(|hand| scope.spawn(move || write(database, hand, done, commits)))
            .collect();
        let keeping = scope.spawn(|| keep(database, &copy, done));
        let reading = scope.spawn(move || read(reader, database, done, memory));
        scope.spawn(move || {
            while !done.load(Ordering::Acquire) {
                database.compact(Compaction::Steady, &|| done.load(Ordering::Acquire)).unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let pause = Duration::from_millis((seconds * 1_000 / 24).clamp(100, 10_000));
        while began.elapsed().as_secs() < seconds {
            std::thread::sleep(pause);
            let mut taken = sample(&folder, database, began, commits.load(Ordering::Acquire));
            taken.reader_bytes = memory.load(Ordering::Acquire);
            taken.tell();
            samples.push(taken);
        }
        done.store(true, Ordering::Release);
        eprintln!("{} rounds of names", keeping.join().unwrap());
        let reader = reading.join().unwrap();
        let rows = writing.into_iter().flat_map(|hand| hand.join().unwrap());
        (rows.collect::<Rows>(), reader)
    });
    let snapshot = database.snapshot().unwrap();
    assert!(naive::rows(&snapshot).unwrap() == rows, "rows at the end");
    // The reader holds the last version. Last steps that changed nothing it cannot count.
    let (saw, commits) = (reader.look(snapshot.version()), commits.into_inner() as u64);
    assert_eq!(saw.version, snapshot.version(), "the last version that the reader saw");
    assert!((commits - 8..=commits).contains(&saw.steps), "{commits} commits, {} seen", saw.steps);
    eprintln!("{} reads of another process, {} of a later version", reader.looks, reader.newer);
    assert!(commits > 20 && reader.newer > 5, "{commits} commits, {} followed", reader.newer);
    reader.end();
    drop((snapshot, database));
    let again = Database::open(&folder).unwrap();
    assert!(naive::rows(&again.snapshot().unwrap()).unwrap() == rows, "rows after opening");
    let mut wrong = Vec::new();
    drop(again);
    Database::verify_folder(&folder, &mut |error| wrong.push(error)).unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
    flat(&samples);
}
