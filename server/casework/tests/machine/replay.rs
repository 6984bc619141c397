//! A case is its events: replayed, stored and read again, they give the same case.

use yiku_casework::case::{Event, Kind};
use yiku_casework::machine;

use crate::sample::{HEAD, REGION, Walk, monday, way};

fn replayed(walk: &Walk) -> bool {
    let opened = &walk.events[0];
    let account = &opened.actor.account;
    let mut case = machine::blank(walk.case.kind, "X1", REGION, Some(HEAD), account, monday());
    for event in &walk.events {
        let text = serde_json::to_string(event).unwrap();
        let read: Event = serde_json::from_str(&text).unwrap();
        assert_eq!(&read, event);
        machine::apply(&mut case, &read);
    }
    case.author.clone_from(&walk.case.author);
    assert_eq!(case.version, u64::try_from(walk.events.len()).unwrap());
    case == walk.case
}

#[test]
fn events_give_the_case_again() {
    for kind in machine::KINDS {
        for state in machine::states(kind) {
            for command in ["", "confirm", "finish", "settle"] {
                let walk = way(kind, state.name, command, yiku_casework::Role::County);
                assert!(replayed(&walk), "{kind:?} `{}` `{command}`", state.name);
            }
        }
    }
}

#[test]
fn long_ways_give_the_case_again() {
    let ways = [
        (Kind::Declaration, "submit return save submit reject"),
        (Kind::Report, "submit return submit pass return submit pass agree"),
        (Kind::Change, "save submit return submit agree"),
        (
            Kind::Application,
            "submit request_supplement save supplement accept check link=S1 record_survey review \
             post object settle +8 confirm pay end",
        ),
        (
            Kind::Warning,
            "send_back dispatch sign visit attempt +1 attempt +1 attempt verify=unreachable \
             verify measure reply=decline measure=temporary finish submit send_again verify=false \
             finish close=false_alarm reopen verify=helped finish close=none archive",
        ),
        (Kind::Survey, "save save save complete"),
    ];
    for (kind, steps) in ways {
        let mut walk = Walk::open(kind, "");
        walk.go(steps);
        assert!(replayed(&walk), "{kind:?}");
    }
}

#[test]
fn a_body_that_cannot_be_read_changes_only_the_state() {
    let mut walk = Walk::open(Kind::Declaration, "");
    walk.go("submit");
    for body in ["null", "[]", "7", r#"{"facts":3,"append":[],"marks":{},"links":[1],"due_on":9}"#]
    {
        let mut event = walk.events[1].clone();
        event.body = serde_json::from_str(body).unwrap();
        let mut case = walk.case.clone();
        machine::apply(&mut case, &event);
        assert_eq!((&case.answers, &case.facts), (&walk.case.answers, &walk.case.facts));
        assert_eq!(case.version, walk.case.version + 1);
    }
}
