//! A process that writes, to be killed, and to be told that its disk fails.
//!
//! `writer FOLDER STEPS FROM...`: a hand for every FROM does its steps from there on, so many
//! each, and says on standard output `ask HAND STEP` before a commit and `ack HAND STEP` when it
//! has returned. After an error it says `failed` and then tries everything else that might be
//! acknowledged; `lie` when something is.
//!
//! What it says is written by `writev`, which the engine does not use: a fault that is put into
//! every `write` of the process leaves it alone.
#![expect(clippy::unwrap_used, reason = "a child that cannot go on ends")]

use std::fs::File;
use std::io::{ErrorKind, IoSlice, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Mutex;

use yiku::{CommitInfo, Compaction, Database, Error, Result};
use yiku_tests::sample::{schema, tree};
use yiku_tests::work;

/// Where it speaks.
struct Voice(Mutex<File>);

impl Voice {
    fn say(&self, words: &str) {
        let line = format!("{words}\n");
        let mut file = self.0.lock().unwrap();
        // A reader that is gone wants no more.
        if file.write_vectored(&[IoSlice::new(line.as_bytes())]).is_err() {
            std::process::exit(2);
        }
    }
}

fn open(folder: &Path) -> Result<Database> {
    match Database::open(folder) {
        Err(Error::NotFound { .. }) => Database::create(folder, schema(), tree(work::DISTRICTS)),
        other => other,
    }
}

fn step(database: &Database, hand: usize, step: usize, voice: &Voice) -> Result<()> {
    let mut writer = database.writer()?;
    work::write(&mut writer, hand, step)?;
    voice.say(&format!("ask {hand} {step}"));
    writer.commit(CommitInfo::default())?;
    voice.say(&format!("ack {hand} {step}"));
    Ok(())
}

/// Steps of a hand from one on; the first hand puts in order and keeps names beside it.
fn steps(database: &Database, hand: usize, from: usize, count: usize, voice: &Voice) -> Result<()> {
    for at in from..from + count {
        step(database, hand, at, voice)?;
        match (hand, at % 8) {
            (0, 1) => {
                let names = database.names()?;
                if let Some(oldest) = names.iter().find(|_| names.len() > 1) {
                    database.drop_name(&oldest.name)?;
                }
                let taken = database.keep(&format!("step {at:09}"));
                if let Err(error @ (Error::Io { .. } | Error::Poisoned)) = taken {
                    return Err(error);
                }
            }
            (0, 5) => drop(database.compact(Compaction::Whole, &|| false)?),
            _ => {}
        }
    }
    Ok(())
}

/// After an error: whatever is tried, nothing may be acknowledged.
fn insist(folder: &Path, database: &Database, hand: usize, at: usize, voice: &Voice) {
    for _ in 0..3 {
        if step(database, hand, at, voice).is_ok() {
            voice.say("lie by the same database");
        }
        if open(folder).and_then(|again| step(&again, hand, at, voice)).is_ok() {
            voice.say("lie by another database");
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, steps, from @ ..] = arguments.as_slice() else { std::process::exit(1) };
    let folder = Path::new(folder);
    let steps: usize = steps.parse().unwrap();
    let own = std::io::stdout().as_fd().try_clone_to_owned().unwrap();
    let voice = Voice(Mutex::new(File::from(own)));
    let database = match open(folder) {
        Ok(database) => database,
        Err(error) => {
            voice.say(&format!("failed: {error}"));
            return;
        }
    };
    voice.say("open");
    let hand = |(number, from): (usize, &String)| {
        let from = from.parse().unwrap();
        if let Err(error) = self::steps(&database, number, from, steps, &voice) {
            voice.say(&format!("failed: {error}: {error:?}"));
            // Where room is lacking, what needs none may go on.
            if matches!(&error, Error::Io { source, .. } if source.kind() == ErrorKind::StorageFull)
            {
                return;
            }
            insist(folder, &database, number, from, &voice);
        }
    };
    match from {
        // One is not a thread of its own: who counts its calls counts all of the process.
        [only] => hand((0, only)),
        _ => std::thread::scope(|scope| {
            let hand = &hand;
            from.iter().enumerate().for_each(|each| drop(scope.spawn(move || hand(each))));
        }),
    }
    voice.say("end");
}
