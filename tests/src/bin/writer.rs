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
use std::io::{IoSlice, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Mutex;

use yiku::{CommitInfo, Database, Error, Result};
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
    std::thread::scope(|scope| {
        for (hand, from) in from.iter().enumerate() {
            let (database, voice) = (&database, &voice);
            let from: usize = from.parse().unwrap();
            scope.spawn(move || {
                for at in from..from + steps {
                    if let Err(error) = step(database, hand, at, voice) {
                        voice.say(&format!("failed: {error}: {error:?}"));
                        insist(folder, database, hand, at, voice);
                        return;
                    }
                }
            });
        }
    });
    voice.say("end");
}
