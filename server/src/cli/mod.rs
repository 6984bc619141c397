//! The command line: `yiku COMMAND`.
//!
//! Invariants: data goes to standard output, everything else to standard error; the exit status is
//! 0 when it was done, 1 when it was refused or failed, 2 when it was called wrongly.

mod asked;
mod check;
mod compact;
mod demo;
mod explain;
mod generate;
mod index;
mod load;
mod locked;
mod out;
mod progress;
mod query;
mod serve;
mod set;
mod snapshot;
mod sql;
mod table;
mod verify;
mod verify_signature;

use std::error::Error as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// A line on standard error.
pub(crate) fn say(line: &str) {
    progress::line(line);
}

/// Yiku: a registry of households, from department files to a map.
#[derive(Debug, Parser)]
#[command(name = "yiku", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Generate(generate::Generate),
    Load(load::Load),
    Query(query::Query),
    Check(check::Check),
    Explain(explain::Explain),
    Sql(sql::Sql),
    Snapshot(snapshot::SnapshotCommand),
    Set(set::SetCommand),
    Index(index::MakeIndex),
    Compact(compact::Compact),
    Verify(verify::Verify),
    Serve(serve::Serve),
    VerifySignature(verify_signature::VerifySignature),
}

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A reader that has gone misses the help and nothing else.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match cli.command {
        Command::Demo(demo) => demo.run(),
        Command::Generate(generate) => generate.run(),
        Command::Load(load) => load.run(),
        Command::Query(query) => query.run(),
        Command::Check(check) => check.run(),
        Command::Explain(explain) => explain.run(),
        Command::Sql(sql) => sql.run(),
        Command::Snapshot(snapshot) => snapshot.run(),
        Command::Set(set) => set.run(),
        Command::Index(index) => index.run(),
        Command::Compact(compact) => compact.run(),
        Command::Verify(verify) => verify.run(),
        Command::Serve(serve) => serve.run(),
        Command::VerifySignature(verify) => verify.run(),
    };
    match done {
        // Whoever read the output has what they wanted.
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(error) => {
            progress::line(told(&error).trim_end());
            ExitCode::from(1)
        }
    }
}

/// An error and what it comes from, a line each.
fn told(error: &Error) -> String {
    let mut text = format!("yiku: {error}\n");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!("  caused by: {inner}\n"));
        cause = inner.source();
    }
    text
}

/// The text of a small file.
#[expect(clippy::disallowed_methods, reason = "reads a file that the caller names")]
fn read(path: &Path) -> Result<String, Error> {
    let text = std::fs::read_to_string(path);
    text.map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Threads for work in parallel, where nobody says how many.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_well_formed_and_show_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        for command in command.get_subcommands() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("yiku {}", command.get_name());
            assert!(after.contains(&example), "{} has no example: {after}", command.get_name());
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }

    #[test]
    fn causes_are_told() {
        let source = std::io::Error::other("no such thing");
        let error = Error::Serve { action: "begin", source };
        assert_eq!(told(&error), "yiku: cannot begin\n  caused by: no such thing\n");
    }
}
