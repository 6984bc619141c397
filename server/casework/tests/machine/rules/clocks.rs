//! What is due when.

use jiff::civil::Date;
use yiku_casework::case::{Kind, Role};
use yiku_casework::machine;

use crate::sample::{Walk, Weekdays};

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn a_warning_is_due_by_its_level_in_working_days() {
    // From Monday 2 November 2026: sign for, visit, decide, close.
    for (level, limits) in [
        ("red", ["2026-11-03", "2026-11-05", "2026-11-09", "2026-11-23"]),
        ("orange", ["2026-11-04", "2026-11-11", "2026-11-16", "2026-11-30"]),
        ("yellow", ["2026-11-05", "2026-11-23", "2026-11-30", "2026-12-14"]),
    ] {
        let mut walk = Walk::open(Kind::Warning, level);
        for (steps, limit) in
            [("", 0), ("sign", 1), ("visit", 1), ("verify", 2), ("measure", 3), ("reply finish", 3)]
        {
            walk.go(steps);
            let state = walk.case.state.clone();
            assert_eq!(walk.case.due_on, Some(day(limits[limit])), "{level} {state}");
            assert!(!machine::overdue(&walk.case, day(limits[limit])), "{level} {state}");
            assert!(machine::overdue(&walk.case, day(limits[limit]).tomorrow().unwrap()));
        }
        walk.go("submit close");
        assert_eq!(walk.case.due_on, None);
        assert!(!machine::overdue(&walk.case, day("2030-01-01")), "what is closed is not late");
    }
}

#[test]
fn the_clock_tells_the_days() {
    let days = |state, level| machine::clock(Kind::Warning, state, Some(level));
    assert_eq!(days("dispatched", "red"), Some(1));
    assert_eq!(days("investigating", "orange"), Some(7));
    assert_eq!(days("verified", "yellow"), Some(20));
    assert_eq!(days("review", "red"), Some(15));
    assert_eq!(days("closed", "red"), None);
    for kind in machine::KINDS {
        for state in machine::states(kind) {
            let due = machine::clock(kind, state.name, None);
            assert!(state.open || due.is_none(), "{kind:?} `{}` is done", state.name);
        }
    }
}

#[test]
fn an_overdue_warning_goes_up() {
    let walk = Walk::open(Kind::Warning, "red");
    let up = |walk: &Walk, text: &str| machine::escalated_to(&walk.case, day(text), &Weekdays);
    // Due on Tuesday the third.
    assert_eq!(up(&walk, "2026-11-03"), None);
    assert_eq!(up(&walk, "2026-11-04"), Some(Role::County));
    assert_eq!(up(&walk, "2026-11-05"), Some(Role::County));
    assert_eq!(up(&walk, "2026-11-06"), Some(Role::City));
    let walk = Walk::open(Kind::Warning, "orange");
    // Due on Wednesday the fourth.
    assert_eq!(up(&walk, "2026-11-05"), None);
    assert_eq!(up(&walk, "2026-11-06"), Some(Role::County));
    let walk = Walk::open(Kind::Warning, "yellow");
    // Due on Thursday the fifth.
    assert_eq!(up(&walk, "2026-11-11"), None);
    assert_eq!(up(&walk, "2026-11-12"), Some(Role::County));
}

#[test]
fn other_kinds_are_due_by_their_state() {
    let mut walk = Walk::open(Kind::Application, "");
    assert_eq!(walk.case.due_on, None, "a draft waits for nobody");
    walk.go("submit");
    assert_eq!(walk.case.due_on, Some(day("2026-11-05")));
    walk.go("+1 accept check");
    assert_eq!(walk.case.due_on, Some(day("2026-11-10")));
    walk.go("withdraw");
    assert_eq!(walk.case.due_on, None);
    let mut walk = Walk::open(Kind::Report, "");
    walk.go("submit");
    assert_eq!(walk.case.due_on, Some(day("2026-11-09")));
}
