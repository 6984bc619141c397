//! The engine starts no thread, reads no clock and draws no number: those are arguments.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "reads the sources of the engine")]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_engine_does_what_it_is_told_and_no_more() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "{} sources", found.len());
    // What only a test run has may do as it likes.
    for path in found.into_iter().filter(|path| !path.ends_with("tests.rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["thread::", "rayon", "SystemTime", "Instant", "getrandom", "rand::", "async "]
        {
            assert!(!text.contains(word), "{} says `{word}`", path.display());
        }
    }
}
