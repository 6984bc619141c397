//! Several threads commit at once, and the machine stops or a sync fails.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use yiku::storage::Storage;
use yiku::{CommitInfo, Database, Result};
use yiku_tests::memory::{Fault, Files, Image, Memory, Plan, Reached};
use yiku_tests::sample::{schema, tree};
use yiku_tests::{Random, work};

use crate::stops::every;

const HANDS: usize = 4;
const STEPS: usize = 5;

/// How far each hand came: acknowledged, asked for.
#[derive(Debug, Default)]
struct Far {
    acked: Vec<usize>,
    asked: Vec<usize>,
}

fn hand(database: &Database, hand: usize, far: &Mutex<Far>) -> Result<()> {
    let mut writer = database.writer()?;
    for step in 0..STEPS {
        work::write(&mut writer, hand, step)?;
        far.lock().unwrap().asked[hand] = step + 1;
        writer.commit(CommitInfo::default())?;
        far.lock().unwrap().acked[hand] = step + 1;
    }
    Ok(())
}

/// All hands do their steps; how far they came.
fn all(storage: &Arc<Memory>) -> Far {
    let far = Mutex::new(Far { acked: vec![0; HANDS], asked: vec![0; HANDS] });
    let shared: Arc<dyn Storage> = Arc::<Memory>::clone(storage);
    if let Ok(database) = Database::open_in(shared) {
        std::thread::scope(|scope| {
            for number in 0..HANDS {
                let (database, far) = (&database, &far);
                scope.spawn(move || hand(database, number, far));
            }
        });
    }
    far.into_inner().unwrap()
}

fn look(files: Image, far: &Far, context: &str) {
    let database = Database::open_in(Memory::new(files));
    let database = database.unwrap_or_else(|error| panic!("{context}: {error}"));
    let snapshot = database.snapshot().unwrap();
    work::found(&snapshot, &far.acked, &far.asked).unwrap();
}

fn empty() -> Image {
    let storage = Memory::new(Files::new());
    let shared: Arc<dyn Storage> = Arc::<Memory>::clone(&storage);
    Database::create_in(shared, schema(), tree(work::DISTRICTS)).unwrap();
    storage.durable()
}

#[test]
fn what_several_threads_were_told_is_there_after_a_stop() {
    let (files, mut random) = (empty(), Random::new(17));
    let sound = Memory::new(files.clone());
    let far = all(&sound);
    assert_eq!(far.acked, [STEPS; HANDS]);
    look(sound.durable(), &far, "no stop");
    // How many operations there are depends on who shares with whom.
    let mut stopped = 0;
    for place in (0..sound.changes()).cycle().take(240 / every(3, 1)) {
        let reached = *random.pick(&Reached::EACH);
        let storage = Memory::planned(files.clone(), Plan::Stop(place, reached));
        let far = all(&storage);
        stopped += usize::from(storage.stopped());
        for (image, files) in storage.images(&mut random) {
            look(files, &far, &format!("operation {place}, {reached:?}, {image}, {far:?}"));
        }
    }
    assert!(stopped > 20, "{stopped} stops");
}

#[test]
fn what_several_threads_were_told_is_there_after_a_failed_sync() {
    let (files, mut random) = (empty(), Random::new(18));
    let sound = Memory::new(files.clone());
    all(&sound);
    let mut failed = 0;
    for at in (0..sound.operations()).cycle().take(300 / every(3, 1)) {
        let reached = *random.pick(&Reached::EACH);
        let fault = Fault { at, reached, kind: ErrorKind::Other, lasting: false };
        let storage = Memory::planned(files.clone(), Plan::Fail(fault));
        storage.remember_failures();
        let far = all(&storage);
        failed += usize::from(far.acked != [STEPS; HANDS]);
        let context = format!("operation {at}, {reached:?}, {far:?}");
        look(storage.seen(), &far, &context);
        look(storage.durable(), &far, &context);
    }
    assert!(failed > 20, "{failed} failures");
}
