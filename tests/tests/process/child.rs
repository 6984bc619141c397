//! The child: how it is started, and what it said.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use yiku::Database;
use yiku_tests::{naive, work};

/// A child that writes.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

/// What a child said before it ended.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Steps of each hand that were acknowledged, from its first step on.
    pub(crate) acked: Vec<usize>,
    /// Steps of each hand that were asked for.
    pub(crate) asked: Vec<usize>,
    /// Acknowledged after an error.
    pub(crate) lies: Vec<String>,
    /// The first error.
    pub(crate) failed: Option<String>,
    /// Whether every step was done.
    pub(crate) ended: bool,
    /// How many commits were acknowledged.
    pub(crate) commits: usize,
}

/// A number from the environment, or the one for a short run.
pub(crate) fn times(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// The program, wrapped by another that comes first.
pub(crate) fn writer<S: AsRef<OsStr>>(wrapper: &[S]) -> Command {
    let program = env!("CARGO_BIN_EXE_writer");
    match wrapper {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    }
}

impl Running {
    /// Starts a child whose hands do so many steps from these on.
    pub(crate) fn start(mut command: Command, folder: &Path, steps: usize, from: &[usize]) -> Self {
        command.arg(folder).arg(steps.to_string());
        command.args(from.iter().map(ToString::to_string));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Self { child, lines }
    }

    /// Waits for so many lines, then a moment, and kills.
    pub(crate) fn kill(mut self, lines: usize, moment: Duration, from: &[usize]) -> Said {
        let mut said = Said::new(from);
        for line in (0..lines).map_while(|_| self.lines.recv().ok()) {
            said.take(&line);
        }
        std::thread::sleep(moment);
        self.child.kill().unwrap();
        self.finish(said)
    }

    /// Waits for its end.
    pub(crate) fn end(self, from: &[usize]) -> Said {
        self.finish(Said::new(from))
    }

    /// Takes what it said so far and says on, while it runs.
    pub(crate) fn until(&self, acks: usize, said: &mut Said) {
        while said.commits < acks {
            match self.lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) => said.take(&line),
                Err(_) => return,
            }
        }
    }

    pub(crate) fn finish(mut self, mut said: Said) -> Said {
        self.lines.iter().for_each(|line| said.take(&line));
        self.child.wait().unwrap();
        said
    }

    /// Kills and takes the rest.
    pub(crate) fn stop(mut self, said: Said) -> Said {
        self.child.kill().unwrap();
        self.finish(said)
    }
}

impl Said {
    pub(crate) fn new(from: &[usize]) -> Self {
        Self { acked: from.to_vec(), asked: from.to_vec(), ..Self::default() }
    }

    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        match words[0] {
            "ask" if self.failed.is_none() => self.asked[number(1)] = number(2) + 1,
            // A commit that failed may have happened; no later one of the process may.
            "ask" => {}
            // Of several hands one may say that it failed before another says what it was told
            // earlier.
            "ack" if self.failed.is_none() || number(2) < self.asked[number(1)] => {
                self.acked[number(1)] = number(2) + 1;
                self.commits += 1;
            }
            "ack" | "lie" => self.lies.push(line.to_owned()),
            "failed:" => self.failed = self.failed.take().or(Some(line.to_owned())),
            "end" => self.ended = true,
            _ => {}
        }
    }
}

/// Opens the database and compares it; how many steps of each hand it holds.
pub(crate) fn look(folder: &Path, said: &Said, context: &str) -> Vec<usize> {
    let database = match Database::open(folder) {
        Ok(database) => database,
        Err(yiku::Error::NotFound { .. }) if said.acked.iter().all(|steps| *steps == 0) => {
            return said.acked.clone();
        }
        Err(error) => panic!("{context}: {error}"),
    };
    let snapshot = database.snapshot().unwrap();
    naive::check_all(&snapshot).unwrap();
    work::found(&snapshot, &said.acked, &said.asked)
        .unwrap_or_else(|error| panic!("{context}: {error}"))
}
