//! Turns and memory by hand, and pools with more callers than threads.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use yiku::kernel::Pool as _;
use yiku::{CommitInfo, Snapshot};

use super::job::Job;
use super::memory::Memory;
use super::sleeper::Sleeper;
use super::turns::{Turn, Turns};
use super::{CROWD, Pool, SLICE, slice};
use crate::error::Error;
use crate::run::tests::database;
use crate::{Limits, Plan, Query};

/// A pool by a clock that goes on a little whenever somebody looks.
fn pool(threads: usize) -> Pool {
    let time = AtomicU64::new(0);
    Pool::new(threads, move || time.fetch_add(20_000, Ordering::Relaxed))
}

fn is_awake(sleeper: &Sleeper) -> bool {
    sleeper.sleep(&|| true)
}

/// One who asks: how long each question takes, what the one under way had and still needs.
struct Asker {
    question: u64,
    had: u64,
    left: u64,
    /// Questions answered, and the longest that one took from asking to its end.
    answered: u64,
    slowest: u64,
    asked: u64,
}

/// Lets askers ask again and again on one lane, until so much time is over, each for a slice of
/// the pool's at a time.
fn simulate(questions: &[u64], until: u64) -> Vec<Asker> {
    simulated(questions, until, slice)
}

/// The same with slices of another length, by how many wait.
fn simulated(questions: &[u64], until: u64, slice: impl Fn(usize) -> u64) -> Vec<Asker> {
    let turns = Turns::new(1);
    let new = |question| Asker { question, had: 0, left: 0, answered: 0, slowest: 0, asked: 0 };
    let mut askers: Vec<Asker> = questions.iter().copied().map(new).collect();
    let mut waiting: VecDeque<(usize, Arc<Sleeper>)> = VecDeque::new();
    let (mut now, mut on_lane) = (0, None);
    for (at, asker) in askers.iter_mut().enumerate() {
        (asker.had, asker.left) = (turns.enter(), asker.question);
        match turns.take(asker.had) {
            Turn::Mine => on_lane = Some(at),
            Turn::Waits(_, sleeper) => waiting.push_back((at, sleeper)),
        }
    }
    while now < until {
        let at = on_lane.unwrap();
        let asker = &mut askers[at];
        let took = asker.left.min(slice(turns.waiting()));
        now += took;
        (asker.had, asker.left) = (asker.had + took, asker.left - took);
        let turn = if asker.left > 0 {
            turns.go_on(asker.had, took)
        } else {
            turns.give(took);
            turns.leave();
            asker.answered += 1;
            asker.slowest = asker.slowest.max(now - asker.asked);
            (asker.had, asker.left, asker.asked) = (turns.enter(), asker.question, now);
            turns.take(asker.had)
        };
        match turn {
            Turn::Mine => continue,
            Turn::Waits(_, sleeper) => waiting.push_back((at, sleeper)),
        }
        let place = waiting.iter().position(|(_, sleeper)| is_awake(sleeper)).unwrap();
        on_lane = Some(waiting.remove(place).unwrap().0);
    }
    askers
}

#[test]
fn a_heavy_question_neither_holds_up_light_ones_nor_is_left_out() {
    let light = SLICE / 5;
    let alone = simulate(&[light; 8], 1_000 * SLICE);
    let heavy = 50 * SLICE;
    let beside = simulate(&[[light; 8].as_slice(), &[heavy]].concat(), 1_000 * SLICE);
    let slowest = |askers: &[Asker]| askers.iter().take(8).map(|a| a.slowest).max().unwrap();
    assert_eq!(slowest(&alone), 8 * light, "each waits for the seven others");
    let most = slice(8);
    assert!(slowest(&beside) <= 8 * light + most, "and for a slice of the heavy one");
    let told = |askers: &[Asker]| askers.iter().take(8).map(|a| a.answered).sum::<u64>();
    assert!(told(&beside) * 10 >= told(&alone) * 8, "{} of {}", told(&beside), told(&alone));
    // A ninth of the time is its own.
    assert!(beside[8].answered >= 1_000 / 9 / 50, "{}", beside[8].answered);
}

#[test]
fn equal_questions_are_answered_in_their_order() {
    for askers in simulate(&[SLICE / 2; 5], 500 * SLICE) {
        assert_eq!(askers.answered, 200);
        assert_eq!(askers.slowest, 5 * SLICE / 2);
    }
    // Long ones take turns, and none is ahead of another by more than a slice each.
    let long = simulate(&[10 * SLICE; 4], 4_000 * SLICE);
    assert!(long.iter().all(|a| (99..=100).contains(&a.answered)), "{}", long[0].answered);
}

#[test]
fn in_a_crowd_questions_are_not_answered_by_halves() {
    let crowd = usize::try_from(CROWD).unwrap();
    assert_eq!((slice(0), slice(crowd - 1)), (SLICE, SLICE));
    assert_eq!((slice(crowd), slice(50 * crowd)), (2 * SLICE, 51 * SLICE));
    // Half of them ask for a third of a slice, half for two slices and a half.
    let crowd: Vec<u64> = (0..200).map(|nth| [SLICE / 3, SLICE * 5 / 2][nth % 2]).collect();
    let round: u64 = crowd.iter().sum();
    let slowest = |askers: &[Asker]| askers.iter().map(|a| a.slowest).max().unwrap();
    // Each waits for one question of each other.
    assert!(slowest(&simulate(&crowd, 20 * round)) <= round);
    // In turns of one slice the longer ones wait for many of the shorter ones.
    assert!(slowest(&simulated(&crowd, 20 * round, |_| SLICE)) > round * 3 / 2);
}

#[test]
fn who_gives_up_takes_no_lane_with_them() {
    let turns = Turns::new(1);
    let had = turns.enter();
    assert!(matches!(turns.take(had), Turn::Mine));
    let Turn::Waits(first, asleep) = turns.take(had) else { panic!("there is one lane") };
    let Turn::Waits(second, next) = turns.take(had) else { panic!("there is one lane") };
    assert_eq!(turns.waiting(), 2);
    turns.give_up(first);
    assert_eq!(turns.waiting(), 1);
    turns.give(10);
    assert!(is_awake(&next) && !is_awake(&asleep));
    // It was called and gives up all the same: the lane is free again.
    turns.give_up(second);
    assert!(turns.lend() && !turns.lend());
    turns.give(0);
    assert!(matches!(turns.take(had), Turn::Mine));
}

#[test]
fn more_callers_than_threads_are_all_answered() {
    let pool = pool(3);
    let (working, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for caller in 0..24 {
            let (pool, working, most) = (&pool, &working, &most);
            scope.spawn(move || {
                for round in 0..20 {
                    let pieces = (caller * 7 + round * 3) % 40;
                    let stop = || false;
                    let visit = pool.visit(0, &stop).unwrap();
                    let work = |sum: &mut usize, piece: usize| {
                        most.fetch_max(
                            working.fetch_add(1, Ordering::SeqCst) + 1,
                            Ordering::SeqCst,
                        );
                        *sum += piece;
                        thread::yield_now();
                        working.fetch_sub(1, Ordering::SeqCst);
                        visit.pause();
                        Ok(())
                    };
                    let sums = Job::new(pieces, &|| Ok(0), &work).together(&visit, 3).unwrap();
                    let all = pieces * pieces.saturating_sub(1) / 2;
                    assert_eq!(sums.into_iter().sum::<usize>(), all);
                }
            });
        }
    });
    assert!((1..=3).contains(&most.into_inner()), "never more than lanes");
    assert_eq!((pool.load().active, pool.load().waiting), (0, 0));
    assert!((0..3).all(|_| pool.turns.lend()) && !pool.turns.lend(), "every lane came back");
}

#[test]
fn a_piece_that_breaks_fails_its_question_alone() {
    let pool = pool(2);
    let stop = || false;
    thread::scope(|scope| {
        for caller in 0..6 {
            let (pool, stop) = (&pool, &stop);
            scope.spawn(move || {
                let visit = pool.visit(0, stop).unwrap();
                let work = |_: &mut (), piece| {
                    if caller % 2 == 0 && piece > 30 {
                        std::panic::resume_unwind(Box::new(()));
                    }
                    Ok(())
                };
                let done = Job::new(64, &|| Ok(()), &work).together(&visit, 2);
                assert_eq!(matches!(done, Err(Error::Broken)), caller % 2 == 0);
            });
        }
    });
    assert!(pool.turns.lend() && pool.turns.lend());
}

#[test]
fn the_first_piece_that_failed_says_why() {
    let pool = pool(4);
    let stop = || false;
    for _ in 0..50 {
        let visit = pool.visit(0, &stop).unwrap();
        let work = |_: &mut (), piece: usize| match piece {
            20..30 => Err(Error::Busy { bytes: piece as u64 }),
            _ => Ok(()),
        };
        let done = Job::new(100, &|| Ok(()), &work).together(&visit, 4);
        assert!(matches!(done, Err(Error::Busy { bytes: 20 })), "{done:?}");
    }
}

#[test]
fn who_waits_for_a_lane_can_be_stopped() {
    let pool = pool(1);
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let stopped = AtomicBool::new(false);
    let stop = || stopped.load(Ordering::Relaxed);
    thread::scope(|scope| {
        let pool = &pool;
        scope.spawn(move || {
            let _visit = pool.visit(0, &|| false).unwrap();
            begun.send(()).unwrap();
            released.recv().unwrap();
        });
        has_begun.recv().unwrap();
        let waits = scope.spawn(|| pool.visit(0, &stop).map(|_| ()));
        while pool.load().waiting == 0 {
            thread::yield_now();
        }
        stopped.store(true, Ordering::Relaxed);
        assert!(matches!(waits.join().unwrap(), Err(Error::Stopped)));
        assert_eq!(pool.load().waiting, 0);
        release.send(()).unwrap();
    });
    assert!(pool.visit(0, &|| false).is_ok());
}

#[test]
fn a_question_within_a_question_has_its_lane() {
    let pool = pool(1).memory(100, 1);
    let stop = || false;
    let visit = pool.visit(100, &stop).unwrap();
    let work = |sum: &mut usize, piece: usize| {
        let inner = pool.visit(100, &stop)?;
        let add = |own: &mut usize, piece| {
            *own += piece;
            inner.pause();
            Ok(())
        };
        let found = Job::new(5, &|| Ok(0), &add).together(&inner, 2)?;
        *sum += piece * 100 + found.into_iter().sum::<usize>();
        Ok(())
    };
    let sums = Job::new(3, &|| Ok(0), &work).together(&visit, 2).unwrap();
    assert_eq!(sums, [330]);
    drop(visit);
    assert!(pool.turns.lend() && !pool.turns.lend());
    assert_eq!(pool.load().active, 0);
}

/// Counts the threads that have ended.
struct Ends(Arc<AtomicUsize>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static ENDS: std::cell::RefCell<Option<Ends>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn a_pool_that_is_dropped_has_ended_its_threads() {
    let (pool, ended) = (pool(3), Arc::new(AtomicUsize::new(0)));
    let met = AtomicUsize::new(0);
    let task = |_: usize| {
        met.fetch_add(1, Ordering::SeqCst);
        // All three are here at once.
        while met.load(Ordering::SeqCst) < 3 {
            thread::yield_now();
        }
        if thread::current().name().is_some_and(|name| name.starts_with("yiku-pool")) {
            ENDS.with(|ends| *ends.borrow_mut() = Some(Ends(Arc::clone(&ended))));
        }
    };
    pool.run(3, &task);
    assert_eq!((met.load(Ordering::SeqCst), ended.load(Ordering::SeqCst)), (3, 0));
    drop(pool);
    assert_eq!(ended.load(Ordering::SeqCst), 2);
}

#[test]
fn memory_is_taken_in_order_and_small_ones_overtake_so_often() {
    let memory = Memory::new(100);
    let never = || false;
    let first = memory.take(60, &never).unwrap();
    thread::scope(|scope| {
        let large = scope.spawn(|| memory.take(80, &never).map(drop).is_some());
        while memory.load().1 == 0 {
            thread::yield_now();
        }
        // Each of these fits beside the first and passes the large one.
        for _ in 0..16 {
            assert!(memory.take(40, &never).is_some());
        }
        assert!(memory.take(10, &|| true).is_none(), "nobody passes any more");
        assert_eq!(memory.load(), (60, 1));
        drop(first);
        assert!(large.join().unwrap());
    });
    assert_eq!(memory.load(), (0, 0));
    assert!(memory.take(u64::MAX, &never).is_some(), "alone anything fits");
}

#[test]
fn who_waits_for_memory_too_long_is_told_to_ask_again() {
    let pool = pool(4).memory(100, 50 * 20_000);
    let stop = || false;
    let visit = pool.visit(70, &stop).unwrap();
    let late = thread::scope(|scope| {
        let late = scope.spawn(|| pool.visit(31, &stop).map(|_| ()));
        late.join().unwrap()
    });
    assert!(matches!(late, Err(Error::Busy { bytes: 31 })), "{late:?}");
    drop(visit);
    assert_eq!(pool.load().memory_bytes, 0);
    assert!(pool.visit(1_000, &stop).is_ok(), "more than there is counts as all");
}

/// Houses of several segments.
fn houses() -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    for part in 0..7 {
        let mut writer = database.writer().unwrap();
        let mut batch = writer.batch();
        for house in 0..40 {
            let number = part * 40 + house;
            let row = batch.row("house").unwrap().set("id", format!("h{number:03}").as_str());
            let row = row.unwrap().set("place", ["1101", "1102", "1201"][number % 3]).unwrap();
            let row = row.set("floors", i64::try_from(number % 5).unwrap()).unwrap();
            row.set("a", number % 2 == 0).unwrap();
        }
        writer.write(&batch).unwrap();
        writer.commit(CommitInfo::default()).unwrap();
    }
    let snapshot = database.snapshot().unwrap();
    (folder, snapshot)
}

#[test]
fn no_answer_depends_on_the_pool() {
    let (_folder, snapshot) = houses();
    assert!(snapshot.segments().len() > 1);
    let pools = [1, 2, 3].map(|threads| Arc::new(pool(threads).memory(1 << 20, u64::MAX)));
    for text in [
        "from house by place.city, floors measure n = count(), s = sum(floors) totals",
        "from house where a measure n = count(), m = median(floors)",
        "from house by id order id limit 7",
        "from house where floors > 2 select id, floors order -floors limit 5",
        "from house where a by floors measure n = count(), o = sum(floors where floors > 1)",
    ] {
        let plan = Plan::new(&Query::parse(text).unwrap(), &snapshot).unwrap();
        let alone = plan.run(&snapshot, &Limits::default()).unwrap();
        let apart = Limits { threads: 3, ..Limits::default() };
        assert_eq!(plan.run(&snapshot, &apart).unwrap(), alone, "{text}");
        thread::scope(|scope| {
            for caller in 0..12 {
                let pool = Some(Arc::clone(&pools[caller % 3]));
                let limits = Limits { threads: 1 + caller % 4, pool, ..Limits::default() };
                let (plan, snapshot, alone) = (&plan, &snapshot, &alone);
                scope.spawn(move || {
                    for _ in 0..10 {
                        assert_eq!(plan.run(snapshot, &limits).unwrap(), *alone, "{text}");
                    }
                });
            }
        });
    }
    let idle = |pool: &Arc<Pool>| (pool.load().active, pool.load().memory_bytes) == (0, 0);
    assert!(pools.iter().all(idle));
}

#[test]
fn a_question_that_declared_too_little_begins_again_with_more() {
    let (_folder, snapshot) = houses();
    let plan = Plan::new(&Query::parse("from house by id").unwrap(), &snapshot).unwrap();
    let stop = None;
    let limits = |memory, pool: Pool| Limits {
        memory,
        pool: Some(Arc::new(pool)),
        stop: stop.clone(),
        ..Limits::default()
    };
    let asked = Cell::new(0);
    let take = |within: crate::plan::Within<'_>| {
        asked.set(asked.get() + 1);
        within.run.hold(5_000)?;
        Ok(within.run.held_bytes())
    };
    let most = 1 << 20;
    assert!(limits(most, pool(2).memory(most, u64::MAX)).within(10, take).is_ok());
    assert_eq!(asked.replace(0), 4, "10, 80, 640, 5120");
    let small = limits(4_000, pool(2).memory(most, u64::MAX)).within(10, take);
    assert!(matches!(small, Err(Error::Limit { found: 5_000, limit: 4_000, .. })), "{small:?}");
    let full = limits(most, pool(2).memory(4_000, u64::MAX));
    assert!(matches!(full.within(10, take), Err(Error::Limit { limit: 4_000, .. })));
    assert!(plan.declared(&snapshot, &full) > 280 * 8, "a value of every row at least");
}
