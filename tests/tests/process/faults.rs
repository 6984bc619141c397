//! Calls of the system that fail, put in by `strace`: after a failed sync nothing is
//! acknowledged, and a full disk loses nothing.

use std::process::Command;

use crate::child::{Running, Said, look, times, writer};

/// Whether calls of a child can be made to fail here.
fn can_inject() -> bool {
    let tried = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        eprintln!("not tested: strace is missing or may not trace here");
    }
    can
}

/// Runs a child with a fault in its calls.
fn run(calls: &str, fault: &str, steps: usize) -> (tempfile::TempDir, Said) {
    let folder = tempfile::tempdir().unwrap();
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{fault}"));
    let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let said = Running::start(writer(&wrapper), folder.path(), steps, &[0]).end(&[0]);
    assert!(said.lies.is_empty(), "{calls} {fault}: {:?} after {:?}", said.lies, said.failed);
    assert!(said.failed.is_some() != (said.commits == steps), "{calls} {fault}: {said:?}");
    look(folder.path(), &said, &format!("{calls} {fault}"));
    (folder, said)
}

/// Puts a fault into the first call, the second and so on, until there is none left to fail.
fn sweep(calls: &str, error: &str, lasting: &str, steps: usize) -> usize {
    let every = times("YIKU_FAULTS_EVERY", 5);
    let mut place = 1usize;
    loop {
        let (_folder, said) = run(calls, &format!("error={error}:when={place}{lasting}"), steps);
        if said.failed.is_none() {
            let tried = place.div_ceil(every);
            eprintln!("{calls} {error}{lasting}: {tried} of {place} places");
            return place;
        }
        place += every;
    }
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged() {
    if can_inject() {
        let places = sweep("fsync,fdatasync", "EIO", "", 12);
        assert!(places > 12, "there are hardly syncs: {places}");
        // A disk that never syncs again says so every time.
        run("fsync,fdatasync", "error=EIO:when=7+", 12);
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    if can_inject() {
        sweep("write,pwrite64", "ENOSPC", "+", 12);
    }
}

#[test]
fn an_interrupted_call_is_made_again() {
    if can_inject() {
        let (_folder, said) = run("write,pwrite64,fsync,fdatasync", "error=EINTR:when=3+5", 12);
        assert!(said.failed.is_none(), "{:?}", said.failed);
    }
}
