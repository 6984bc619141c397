//! `kill -9` at many moments: no acknowledged bundle is lost.

use std::time::Duration;

use yiku_tests::Random;

use crate::child::{Running, look, times, writer};

#[test]
fn what_a_killed_process_acknowledged_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("database");
    std::fs::create_dir(&place).unwrap();
    let (kills, hands) = (times("YIKU_KILLS", 20), 3);
    let mut random = Random::new(9);
    let mut from = vec![0; hands];
    let (mut commits, mut between) = (0, 0);
    for kill in 0..kills {
        let running = Running::start(writer::<&str>(&[]), &place, 10_000, &from);
        // Some are killed while they open; most a moment after some commits.
        let lines = random.below(60);
        let moment = Duration::from_micros(random.below(9_000) as u64);
        let said = running.kill(lines, moment, &from);
        assert!(said.failed.is_none(), "kill {kill}: {:?}", said.failed);
        commits += said.commits;
        from = look(&place, &said, &format!("kill {kill}"));
        between += usize::from(from != said.acked);
    }
    eprintln!(
        "{kills} kills, {commits} acknowledged commits, none lost; {between} were killed \
        after the commit and before the word"
    );
    assert!(commits > kills, "there was hardly a commit: {commits}");
}
