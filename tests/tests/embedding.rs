//! What docs/embedding.md shows, compiled and run.
//!
//! Invariant: every Rust block of the page stands in this file, letter for letter.

use std::path::Path;

use yiku::kernel::{Lift, Rows, Run, Stop};
use yiku::report::{Exported, Verified};
use yiku::rows::{Cell, Prepared};
use yiku::schema::PathNode;
use yiku::{CommitInfo, Compaction, Database, Error, PathTree, Predicate, Schema, Snapshot};
use yiku_queries::{Limits, Plan, Query};

type Done = Result<(), Box<dyn std::error::Error>>;

const SCHEMA: &str = r#"
name = "schools"

[path]
name = "place"
levels = [{ name = "district", digits = 2 }, { name = "ward", digits = 4 }]

[[list]]
name = "stage"
codes = [["1", "primary", "Primary"], ["2", "secondary", "Secondary"]]

[[table]]
name = "school"
key = "school_id"
columns = [
    { name = "school_id", kind = "id" },
    { name = "place", kind = "path" },
    { name = "name", kind = "text" },
    { name = "stage", kind = "code", list = "stage", index = true },
]

[[table]]
name = "pupil"
parent = "school"
key = "pupil_id"
columns = [
    { name = "pupil_id", kind = "id" },
    { name = "walks", kind = "flag", index = true },
    { name = "born", kind = "date" },
]
"#;

fn create(folder: &Path) -> yiku::Result<Database> {
    let schema = Schema::from_toml(SCHEMA)?;
    let place = |code, level, name: &str| PathNode { code, level, name: name.to_owned() };
    let places =
        vec![place(1100, 0, "North"), place(1101, 1, "Mill Ward"), place(1102, 1, "Bridge Ward")];
    let tree = PathTree::new(&schema.path, places)?;
    Database::create(folder, schema, tree)
}

fn write(database: &Database) -> yiku::Result<Snapshot> {
    let mut writer = database.writer()?;
    let mut batch = writer.batch();
    let school = batch.row("school")?.set("school_id", "S1")?.set("place", "1101")?;
    school.set("name", "Mill School")?.set("stage", "primary")?;
    batch.row("pupil")?.set("pupil_id", "P1")?.set("walks", true)?.set("born", "2017-03-02")?;
    batch.row("pupil")?.set("pupil_id", "P2")?.set("walks", false)?;
    writer.write(&batch)?;
    let snapshot = writer.commit(CommitInfo::default())?;
    assert_eq!((snapshot.rows(0), snapshot.rows(1)), (1, 2));
    Ok(snapshot)
}

fn prepare(database: &Database) -> yiku::Result<()> {
    let mut writer = database.writer()?;
    let mut batch = writer.batch();
    batch.row("school")?.set("school_id", "S2")?.set("place", "1102")?;
    let prepared: Prepared = batch.prepare()?;
    writer.write_prepared(&prepared)?;
    assert!(writer.remove("S2")?);
    Ok(())
}

/// The place of `name` among the columns of a school.
const NAME: usize = 2;

fn rename(database: &Database, key: &str, name: &str) -> yiku::Result<bool> {
    let mut writer = database.writer()?;
    loop {
        let base = writer.base();
        let Some(mut school) = base.bundle(key)? else { return Ok(false) };
        school.set(NAME, Cell::Text(name.to_owned()));
        let mut batch = writer.batch();
        batch.put(&school)?;
        writer.write(&batch)?;
        writer.expect(key, base.version_of(key)?);
        match writer.commit(CommitInfo::default()) {
            Ok(_) => return Ok(true),
            // Somebody else wrote this school meanwhile: read it again.
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The places of `stage` among the columns of a school, and of `walks` among those of a pupil.
const STAGE: usize = 3;
const WALKS: usize = 1;

fn walkers(snapshot: &Snapshot, late: &(dyn Fn() -> bool + Sync)) -> yiku::Result<(u64, u64)> {
    let stop = || late().then_some(Stop::Deadline);
    let run = Run::new().until(&stop).memory(64 << 20);
    let pupils = Rows::live(&run, snapshot, 1)?;
    let walkers = pupils.filter(&[(WALKS, Predicate::In(vec![1]))])?;
    let schools = walkers.lift(0, &Lift::Any)?;
    let primary = schools.filter(&[(STAGE, Predicate::In(vec![0]))])?;
    Ok((walkers.count(), primary.count()))
}

fn asked(snapshot: &Snapshot, text: &str) -> yiku_queries::Result<u64> {
    let plan = Plan::new(&Query::parse(text)?, snapshot)?;
    let answer = plan.run(snapshot, &Limits::default())?;
    Ok(answer.matched)
}

fn follow(folder: &Path) -> yiku::Result<()> {
    // In another process, or in another thread: it needs no lock and waits for nobody.
    let reader = Database::open(folder)?;
    let before = reader.snapshot()?;
    // Whatever is committed now, `before` stays as it is, and the next snapshot shows it.
    let after = reader.snapshot()?;
    assert!(after.version() >= before.version());
    Ok(())
}

fn keep(database: &Database) -> yiku::Result<()> {
    database.keep("before-holidays")?;
    assert!(rename(database, "S1", "Old Mill School")?);
    let kept = database.named("before-holidays")?;
    let school = kept.bundle("S1")?.map(|school| school.cell(NAME).clone());
    assert_eq!(school, Some(Cell::Text("Mill School".to_owned())));
    database.drop_name("before-holidays")
}

fn month_ends(database: &Database) -> yiku::Result<()> {
    database.keep_month_ends(Some(24))?;
    let mut writer = database.writer()?;
    let as_of = yiku::calendar::parse_date("2026-10-31");
    writer.commit(CommitInfo { as_of, ..CommitInfo::default() })?;
    let as_of = yiku::calendar::parse_date("2026-11-02");
    writer.commit(CommitInfo { as_of, ..CommitInfo::default() })?;
    assert!(database.names()?.iter().any(|named| named.name == "2026-10" && named.by_rule));
    Ok(())
}

fn back_up(database: &Database, copy: &Path) -> yiku::Result<()> {
    let done: Exported = database.snapshot()?.export(copy)?;
    let restored = Database::open(copy)?;
    assert_eq!(restored.snapshot()?.version(), done.version);
    Ok(())
}

fn verify(database: &Database) -> yiku::Result<()> {
    let verified: Verified = database.verify(&mut |wrong| eprintln!("{wrong}"))?;
    assert_eq!(verified.wrong, 0);
    Ok(())
}

fn compact(database: &Database, stopping: &dyn Fn() -> bool) -> yiku::Result<()> {
    let steps = database.compact(Compaction::Steady, stopping)?;
    assert!(steps < 100);
    Ok(())
}

/// What a caller does about an error.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    Again,
    ReadAndAgain,
    Restart,
    AskLess,
    MendInput,
    MendDisk,
    Restore,
}

fn then(error: &Error) -> Then {
    match error {
        Error::Locked { .. } => Then::Again,
        Error::Conflict { .. } => Then::ReadAndAgain,
        Error::Poisoned => Then::Restart,
        Error::Corrupt { .. } | Error::Format { .. } => Then::Restore,
        Error::Io { .. } => Then::MendDisk,
        Error::Stopped(_) | Error::Memory { .. } => Then::AskLess,
        _ => Then::MendInput,
    }
}

#[test]
fn the_page_runs() -> Done {
    let folder = tempfile::tempdir()?;
    let (home, copy) = (folder.path().join("schools"), folder.path().join("copy"));
    let database = create(&home)?;
    let snapshot = write(&database)?;
    assert_eq!(walkers(&snapshot, &|| false)?, (1, 1));
    let late = walkers(&snapshot, &|| true).err();
    assert_eq!(late.map(|error| then(&error)), Some(Then::AskLess));
    assert_eq!(asked(&snapshot, "from pupil where walks by place.ward measure n = count()")?, 1);
    prepare(&database)?;
    keep(&database)?;
    // A replaced row does not live.
    assert_eq!(walkers(&database.snapshot()?, &|| false)?, (1, 1));
    assert!(!rename(&database, "S9", "Nowhere")?);
    follow(&home)?;
    month_ends(&database)?;
    back_up(&database, &copy)?;
    verify(&database)?;
    compact(&database, &|| false)?;
    let writer = database.writer()?;
    let locked = Database::open(&home)?.writer();
    assert_eq!(locked.err().map(|error| then(&error)), Some(Then::Again));
    drop(writer);
    let wrong = database.writer()?.batch().row("teacher").err();
    assert_eq!(wrong.map(|error| then(&error)), Some(Then::MendInput));
    let absent = Database::open(&folder.path().join("nowhere")).err();
    assert_eq!(absent.map(|error| then(&error)), Some(Then::MendInput));
    assert_eq!(then(&Error::Poisoned), Then::Restart);
    Ok(())
}

/// A text without what each of its lines is indented by.
fn flat(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let indent = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let flat = text.lines().map(|line| line.get(indent..).unwrap_or_default());
    flat.collect::<Vec<_>>().join("\n")
}

/// Whether the lines of a block stand behind each other in a program, indented or not.
fn stands_in(block: &str, program: &str) -> bool {
    let count = block.lines().count();
    let lines: Vec<&str> = program.lines().collect();
    let wanted = flat(block);
    lines.windows(count).any(|lines| flat(&lines.join("\n")) == wanted)
}

#[test]
fn the_page_shows_what_runs() {
    let (page, program) = (include_str!("../../docs/embedding.md"), include_str!("embedding.rs"));
    let blocks: Vec<&str> = page
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .map(str::trim_end)
        .collect();
    assert!(blocks.len() >= 10, "{} blocks", blocks.len());
    for block in blocks {
        assert!(stands_in(block, program), "in docs/embedding.md and not run:\n{block}");
    }
    let schema = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(schema.map(str::trim), Some(SCHEMA.trim()));
    assert!(stands_in("Ok(true) => 1,\n  2", "x\n    Ok(true) => 1,\n      2\ny"));
    assert!(!stands_in("1\n2", "1\n3\n2"));
}
