//! What is kept is what was asked, and one computes where many ask.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;

use super::*;
use crate::answer::{AnswerKind, Role};
use crate::run::tests::snapshot_of;

fn asked(version: u64, scope: Option<&str>, question: &str) -> Asked {
    let scope = scope.map(str::to_owned);
    Asked { version, as_of: None, scope, question: question.to_owned(), groups: 9, rows: 9 }
}

/// An answer that says what it answers, of so many values.
fn answer(asked: &Asked, values: usize) -> Answer {
    Answer {
        columns: vec![AnswerColumn {
            name: "n".to_owned(),
            kind: AnswerKind::Int,
            unit: None,
            role: Role::Measure,
            values: Values::Int(vec![Some(1); values]),
            labels: None,
            hidden: Vec::new(),
        }],
        rows: values,
        total_rows: values,
        matched: asked.rows as u64,
        version: asked.version,
        as_of: format!("{:?} {}", asked.scope, asked.question),
        truncated: false,
        limit: None,
        levels: Vec::new(),
        next: None,
    }
}

/// The answer, and whether it was computed for this.
fn get(cache: &AnswerCache, asked: &Asked, values: usize) -> (Arc<Answer>, bool) {
    match cache.look(asked.clone(), None).unwrap() {
        Looked::Found(found) => (found, false),
        Looked::Mine(ticket) => (ticket.put(answer(asked, values)), true),
    }
}

/// Numbers without a pattern.
fn drawn(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn nobody_is_given_what_another_asked() {
    let bytes = 300_000;
    let cache = AnswerCache::new(bytes);
    let mut state = 11;
    let scopes = [None, Some("14"), Some("1401"), Some("140"), Some("")];
    let (mut found, mut version) = (0, 1);
    for _ in 0..20_000 {
        if drawn(&mut state).is_multiple_of(4_000) {
            version += 1;
        }
        let scope = scopes[drawn(&mut state) % scopes.len()];
        // Small numbers are asked more often.
        let place = drawn(&mut state) % (1 + drawn(&mut state) % 60);
        let own = version - u64::from(drawn(&mut state).is_multiple_of(2));
        let mut asked = asked(own, scope, &format!("from person where a = {place}"));
        asked.rows = 8 + drawn(&mut state) % 2;
        let (given, is_new) = get(&cache, &asked, drawn(&mut state) % 90);
        let (said, expected) = (&*given, answer(&asked, given.rows));
        assert_eq!(*said, expected, "{asked:?}");
        found += usize::from(!is_new);
        assert!(cache.load().bytes <= bytes as u64, "{:?}", cache.load());
    }
    let load = cache.load();
    assert!(found > 2_000 && load.evicted > 500, "{found} {load:?}");
    assert_eq!((load.found, load.computed), (found as u64, 20_000 - found as u64));
}

#[test]
fn what_is_asked_again_outlives_what_came_once() {
    let cache = AnswerCache::new(400_000);
    let popular = |n| asked(1, None, &format!("popular {n}"));
    for round in 0..200 {
        for n in 0..10 {
            let (_, is_new) = get(&cache, &popular(n), 10);
            assert!(round < 2 || !is_new, "{round} {n}");
        }
        for n in 0..20 {
            get(&cache, &asked(1, None, &format!("once {round} {n}")), 10);
        }
    }
    assert!(cache.load().evicted > 3_000);
}

#[test]
fn a_newer_version_takes_the_place_of_an_older_one() {
    let cache = AnswerCache::new(1 << 20);
    (0..100).for_each(|n| _ = get(&cache, &asked(1, None, &format!("{n}")), 5));
    assert_eq!(cache.load().answers, 100);
    (0..100).for_each(|n| _ = get(&cache, &asked(2, None, &format!("{n}")), 5));
    let load = cache.load();
    assert_eq!((load.answers, load.computed, load.evicted), (100, 200, 0));
    assert!(get(&cache, &asked(1, None, "7"), 5).1, "and is not mixed with it");
}

#[test]
fn an_answer_too_large_for_it_is_not_kept() {
    let cache = AnswerCache::new(80_000);
    let large = asked(1, None, "large");
    assert!(get(&cache, &large, 100_000).1 && get(&cache, &large, 100_000).1);
    assert_eq!(cache.load().bytes, 0);
}

#[test]
fn nothing_is_kept_where_that_is_not_wanted() {
    let cache = AnswerCache::new(0);
    let asked = asked(1, None, "q");
    let first = cache.look(asked.clone(), None).unwrap();
    // Nor does anybody wait for another.
    let second = cache.look(asked.clone(), None).unwrap();
    for looked in [first, second] {
        let Looked::Mine(ticket) = looked else { panic!("nothing is kept") };
        assert_eq!(ticket.put(answer(&asked, 1)).rows, 1);
    }
    assert_eq!(cache.load(), CacheLoad { computed: 2, ..CacheLoad::default() });
}

#[test]
fn one_computes_and_the_others_wait() {
    let (cache, computed) = (AnswerCache::new(1 << 20), AtomicUsize::new(0));
    for round in 0..200 {
        let asked = asked(1, None, &format!("round {round}"));
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    let answer = match cache.look(asked.clone(), None).unwrap() {
                        Looked::Found(found) => found,
                        Looked::Mine(ticket) => {
                            computed.fetch_add(1, Ordering::SeqCst);
                            thread::yield_now();
                            ticket.put(answer(&asked, 3))
                        }
                    };
                    assert_eq!(answer.as_of, format!("None round {round}"));
                });
            }
        });
    }
    assert_eq!(computed.load(Ordering::SeqCst), 200);
    let load = cache.load();
    assert_eq!((load.computed, load.found + load.joined), (200, 1_400));
    assert!(cache.flights.lock().is_empty());
}

#[test]
fn where_one_fails_the_next_one_computes() {
    let cache = AnswerCache::new(1 << 20);
    let (question, failed) = (asked(1, None, "q"), AtomicUsize::new(0));
    let barrier = Barrier::new(6);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                barrier.wait();
                match cache.look(question.clone(), None).unwrap() {
                    Looked::Found(answer) => assert_eq!(answer.rows, 4),
                    Looked::Mine(ticket) if failed.fetch_add(1, Ordering::SeqCst) < 3 => {
                        thread::yield_now();
                        drop(ticket);
                    }
                    Looked::Mine(ticket) => assert_eq!(ticket.put(answer(&question, 4)).rows, 4),
                }
            });
        }
    });
    assert_eq!(cache.load().computed, 4);
    assert!(cache.flights.lock().is_empty());
}

#[test]
fn who_waits_for_another_can_be_stopped() {
    let cache = AnswerCache::new(1 << 20);
    let question = asked(1, None, "q");
    let Looked::Mine(ticket) = cache.look(question.clone(), None).unwrap() else {
        panic!("nothing is there")
    };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let waits = scope.spawn(|| cache.look(question.clone(), Some(&stop)).map(|_| ()));
        while cache.flights.lock().values().all(|flight| flight.waiting.lock().is_empty()) {
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(waits.join().unwrap(), Err(Error::Stopped)));
    });
    assert_eq!(ticket.put(answer(&question, 1)).rows, 1);
}

#[test]
fn what_may_change_under_the_same_version_is_not_kept() {
    let (_folder, snapshot) = snapshot_of(&[("1101", &[])], &[&[]]);
    let new = |text: &str| {
        let query = Query::parse(text).unwrap();
        Asked::new(&query, &snapshot, &Limits::default(), 10)
    };
    assert!(new("from house").is_some());
    assert_eq!(new("from  house where a"), new("from house where a"), "spelled otherwise");
    assert_ne!(new("from house where a"), new("from house where b"));
    for text in [
        "from house explain",
        "from house where in set mine",
        "from house flow 'before' to 'after'",
    ] {
        assert_eq!(new(text), None, "{text}");
    }
    assert!(new("from house where in set few sets few = a").is_some(), "a set of its own");
    let whole = new("from house").unwrap();
    assert_ne!(whole.clone().scope("11"), whole);
    assert_ne!(whole.clone().scope("11"), whole.scope("1101"));
}
