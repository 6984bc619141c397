//! What writing to a loaded database takes: `write DB [MINUTES]`. Changes the database, made by
//! the example `load`. Prints the tables of docs/performance.md: batches, single bundles from many
//! threads beside the rate of one sync, how soon others see a commit, and compaction under
//! a stream of changes for so many minutes.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use yiku::{CommitInfo, Database};
use yiku_benches::change::Changes;
use yiku_benches::stream;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Bundles of a batch, and how many batches.
const BATCH: usize = 10_000;
const BATCHES: usize = 20;
/// Threads that commit single bundles.
const THREADS: usize = 16;
/// How long a rate is measured.
const SPAN: Duration = Duration::from_secs(10);
/// Commits of which it is measured how soon they are seen.
const SEEN: usize = 500;
/// Seconds from one line of the last table to the next.
const LINE: u64 = 10;

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("give the folder of a database")?;
    if folder == "watch" {
        return watch(Path::new(&words.next().ok_or("give the folder of a database")?));
    }
    let folder = PathBuf::from(folder);
    let minutes: f64 = words.next().map_or(Ok(1.0), |word| word.parse())?;
    let before = disk(&folder)?;
    let database = Database::open(&folder)?;
    let changes = Changes::of(&database.snapshot()?, 500_000)?;
    let snapshot = database.snapshot()?;
    println!(
        "{} households, {} persons; {} of them are changed\n",
        snapshot.rows(0),
        snapshot.rows(1),
        changes.len()
    );
    drop(snapshot);
    batches(&database, &changes)?;
    let one = syncs(&folder)?;
    singles(&database, &changes, one)?;
    seen(&folder, &database, &changes)?;
    stream((&folder, before), &database, &changes, minutes)
}

fn ms(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1_000.0)
}

/// Batches of changed bundles, each its own commit.
fn batches(database: &Database, changes: &Changes) -> Outcome<()> {
    let mut times = Vec::new();
    for nth in 0..BATCHES {
        let start = Instant::now();
        let mut writer = database.writer()?;
        let mut batch = writer.batch();
        for at in 0..BATCH {
            changes.put(&mut batch, nth * BATCH + at, 1)?;
        }
        let filled = start.elapsed();
        writer.write(&batch)?;
        let written = start.elapsed();
        writer.commit(CommitInfo::default())?;
        times.push((start.elapsed(), filled, written - filled, start.elapsed() - written));
    }
    times.sort_unstable();
    let (whole, filled, written, committed) = times.get(BATCHES / 2).copied().unwrap_or_default();
    let slowest = times.last().copied().unwrap_or_default().0;
    let rate = BATCH as f64 / whole.as_secs_f64();
    println!(
        "| batches of {BATCH} bundles | median, ms | filling | writing | committing | slowest, ms \
         | bundles a second |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    println!(
        "| {BATCHES} | {} | {} | {} | {} | {} | {rate:.0} |\n",
        ms(whole),
        ms(filled),
        ms(written),
        ms(committed),
        ms(slowest)
    );
    Ok(())
}

/// How many syncs of a small write the disk does in a second: appended to a file, and in a new
/// file with its name.
fn syncs(folder: &Path) -> Outcome<f64> {
    let place = folder.join("sync-measured");
    std::fs::create_dir_all(&place)?;
    let mut file = OpenOptions::new().create(true).append(true).open(place.join("appended"))?;
    let rate = |work: &mut dyn FnMut(u64) -> std::io::Result<()>| -> Outcome<f64> {
        let (start, mut count) = (Instant::now(), 0u32);
        while start.elapsed() < SPAN / 2 {
            work(u64::from(count))?;
            count += 1;
        }
        Ok(f64::from(count) / start.elapsed().as_secs_f64())
    };
    let page = [7u8; 4_096];
    let appended = rate(&mut |_| {
        file.write_all(&page)?;
        file.sync_all()
    })?;
    let folder = File::open(&place)?;
    let made = rate(&mut |nth| {
        let mut file = File::create(place.join(format!("{nth}")))?;
        file.write_all(&page)?;
        file.sync_all()?;
        folder.sync_all()
    })?;
    std::fs::remove_dir_all(&place)?;
    println!("| one sync, in the same run | a second |");
    println!("| --- | ---: |");
    println!("| 4 KiB appended, fsync | {appended:.0} |");
    println!("| a new file of 4 KiB, fsync of file and folder | {made:.0} |\n");
    Ok(appended)
}

/// Single bundles, each its own commit, from several threads.
fn singles(database: &Database, changes: &Changes, one: f64) -> Outcome<()> {
    println!("| threads | single commits a second | times one sync | slowest, ms |");
    println!("| ---: | ---: | ---: | ---: |");
    for threads in [1, THREADS] {
        let (rate, slowest) = commits(database, changes, threads)?;
        println!("| {threads} | {rate:.0} | {:.1} | {} |", rate / one, ms(slowest));
    }
    println!();
    Ok(())
}

fn commits(database: &Database, changes: &Changes, threads: usize) -> Outcome<(f64, Duration)> {
    let start = Instant::now();
    let commit = |thread: usize| -> Outcome<(u32, Duration)> {
        let (mut count, mut slowest) = (0u32, Duration::ZERO);
        while start.elapsed() < SPAN {
            let begun = Instant::now();
            let mut writer = database.writer()?;
            let mut batch = writer.batch();
            changes.put(&mut batch, count as usize * threads + thread, 2)?;
            writer.write(&batch)?;
            writer.commit(CommitInfo::default())?;
            slowest = slowest.max(begun.elapsed());
            count += 1;
        }
        Ok((count, slowest))
    };
    let commit = &commit;
    let found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|nth| scope.spawn(move || commit(nth))).collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    let (mut count, mut slowest) = (0, Duration::ZERO);
    for found in found {
        let (own, longest) = found.map_err(|_| "a thread stopped")??;
        (count, slowest) = (count + own, slowest.max(longest));
    }
    Ok((f64::from(count) / start.elapsed().as_secs_f64(), slowest))
}

/// Another process: says for each version that it is asked for when it sees it.
fn watch(folder: &Path) -> Outcome<()> {
    let database = Database::open(folder)?;
    for line in std::io::stdin().lines() {
        let wanted: u64 = line?.parse()?;
        while database.snapshot()?.version() < wanted {}
        println!("{wanted}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// How soon after the return of a commit others see it.
fn seen(folder: &Path, database: &Database, changes: &Changes) -> Outcome<()> {
    println!("| seen after the return of a commit, of {SEEN} | median, ms | slowest, ms |");
    println!("| --- | ---: | ---: |");
    let other = Database::open(folder)?;
    line("by another handle in the process", database, changes, &mut |version| {
        while other.snapshot()?.version() < version {}
        Ok(())
    })?;
    let mut child: Child = Command::new(std::env::current_exe()?)
        .args([Path::new("watch"), folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut ask = child.stdin.take().ok_or("no pipe")?;
    let mut answers = BufReader::new(child.stdout.take().ok_or("no pipe")?);
    let mut answer = String::new();
    let mut wait = |version: u64| -> Outcome<()> {
        writeln!(ask, "{version}")?;
        answer.clear();
        answers.read_line(&mut answer)?;
        let same = answer.trim() == version.to_string();
        if same { Ok(()) } else { Err("the other process stopped".into()) }
    };
    // It opens the database before it answers the first time, which is not measured.
    wait(database.snapshot()?.version())?;
    line("by another process, with two pipes between", database, changes, &mut wait)?;
    drop(ask);
    child.wait()?;
    println!();
    Ok(())
}

fn line(
    name: &str,
    database: &Database,
    changes: &Changes,
    wait: &mut dyn FnMut(u64) -> Outcome<()>,
) -> Outcome<()> {
    let mut times = Vec::new();
    for nth in 0..SEEN {
        let mut writer = database.writer()?;
        let mut batch = writer.batch();
        changes.put(&mut batch, nth, 3)?;
        writer.write(&batch)?;
        let version = writer.commit(CommitInfo::default())?.version();
        let returned = Instant::now();
        wait(version)?;
        times.push(returned.elapsed());
    }
    times.sort_unstable();
    let at = |place: usize| times.get(place).copied().unwrap_or_default();
    println!("| {name} | {} | {} |", ms(at(SEEN / 2)), ms(at(SEEN - 1)));
    Ok(())
}

/// A line of the last table.
#[derive(Clone, Copy)]
struct Line {
    seconds: f64,
    own: f64,
    disk: f64,
}

/// Changes in a stream, compaction beside it.
struct Stream<'s> {
    folder: &'s Path,
    /// Bytes on disk as loaded.
    loaded: u64,
    database: &'s Database,
    changes: &'s Changes,
    start: Instant,
    stop: AtomicBool,
    written: AtomicU64,
    steps: AtomicU64,
}

fn stream(
    (folder, loaded): (&Path, u64),
    database: &Database,
    changes: &Changes,
    minutes: f64,
) -> Outcome<()> {
    let (stop, start) = (AtomicBool::new(false), Instant::now());
    let (written, steps) = (AtomicU64::new(0), AtomicU64::new(0));
    let stream = Stream { folder, loaded, database, changes, start, stop, written, steps };
    let stream = &stream;
    std::thread::scope(|scope| {
        let changed = (stream.database, stream.changes, 4);
        let compacting =
            scope.spawn(|| stream::compact(stream.database, &|| stream.stopped(), &stream.steps));
        let writing =
            scope.spawn(move || stream::write(changed, &|| stream.stopped(), &stream.written));
        let told = stream.tell(minutes, &|| compacting.is_finished() || writing.is_finished());
        stream.stop.store(true, Ordering::Relaxed);
        compacting.join().map_err(|_| "compaction stopped")??;
        let slowest = writing.join().map_err(|_| "writing stopped")??;
        let lines = told?;
        let late = lines.get(lines.len() / 2..).unwrap_or_default();
        println!("\nslowest commit of {} bundles: {} ms", stream::BUNDLES, ms(slowest));
        println!(
            "in the second half: memory of its own {:+.2} MiB a minute, disk {:+.3} MiB a minute",
            slope(late, |line| line.own),
            slope(late, |line| line.disk / 1_048_576.0)
        );
        Ok(())
    })
}

impl Stream<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn tell(&self, minutes: f64, ended: &dyn Fn() -> bool) -> Outcome<Vec<Line>> {
        println!(
            "| seconds | changed bundles | segments | compaction steps | memory of its own, MiB \
             | mapped, MiB | files | bytes on disk | times as loaded |"
        );
        println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        let mut lines: Vec<Line> = Vec::new();
        while self.start.elapsed().as_secs_f64() < minutes * 60.0 {
            std::thread::sleep(Duration::from_secs(LINE));
            if ended() {
                break;
            }
            let (own, mapped) = (memory("RssAnon:")?, memory("RssFile:")?);
            let disk = disk(self.folder)?;
            let segments = self.database.snapshot()?.segments().len();
            let seconds = self.start.elapsed().as_secs_f64();
            lines.push(Line { seconds, own: own as f64, disk: disk as f64 });
            println!(
                "| {seconds:.0} | {} | {segments} | {} | {own} | {mapped} | {} | {disk} | {:.3} |",
                self.written.load(Ordering::Relaxed),
                self.steps.load(Ordering::Relaxed),
                std::fs::read_dir(self.folder)?.count(),
                disk as f64 / self.loaded as f64,
            );
        }
        Ok(lines)
    }
}

/// The rise a minute of a figure, by least squares.
fn slope(lines: &[Line], figure: impl Fn(&Line) -> f64) -> f64 {
    let count = lines.len() as f64;
    let mean = |of: &dyn Fn(&Line) -> f64| lines.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|line| line.seconds), mean(&|line| figure(line)));
    let above: f64 = lines.iter().map(|line| (line.seconds - x) * (figure(line) - y)).sum();
    let below: f64 = lines.iter().map(|line| (line.seconds - x).powi(2)).sum();
    if below == 0.0 { 0.0 } else { above / below * 60.0 }
}

/// A line of the process's memory, in MiB.
fn memory(name: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
    Ok(line.split_whitespace().next().unwrap_or("0").parse::<u64>()? / 1_024)
}

/// Bytes of the files of a folder.
fn disk(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        // A file may go while the folder is read.
        sum += entry?.metadata().map_or(0, |found| found.len());
    }
    Ok(sum)
}
