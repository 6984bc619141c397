//! The built program, run as a process of its own.

use std::process::Command;

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn yiku(arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_yiku")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended {
        status: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// What was done: its data, and nothing of trouble.
pub(crate) fn done(arguments: &[&str]) -> String {
    let ended = yiku(arguments);
    assert_eq!(ended.status, 0, "{arguments:?}: {}", ended.err);
    ended.out
}

/// What was refused: nothing on standard output.
pub(crate) fn refused(arguments: &[&str], status: i32, part: &str) {
    let ended = yiku(arguments);
    assert_eq!((ended.status, ended.out.as_str()), (status, ""), "{arguments:?}: {}", ended.err);
    assert!(ended.err.contains(part), "{arguments:?}: {}", ended.err);
    assert!(!ended.err.contains("panicked"), "{arguments:?}: {}", ended.err);
}
