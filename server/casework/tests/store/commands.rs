//! The store: commands act once, against a version, and what comes of them is whole.

use crate::support::*;
use serde_json::json;
use yiku_casework::store::{Call, Command, Opening};
use yiku_casework::{CaseFile, Error, Evidence, Kind, Role};

#[test]
fn a_declaration_goes_its_way_and_is_told_to_the_registry_once() {
    let place = Place::new();
    let case = place.submitted(1);
    assert_eq!((case.state.as_str(), case.version), ("submitted", 2));
    assert!(case.id.starts_with("D2026") && case.id.len() == 15);
    let township = staff("town", Role::Township, TOWNSHIP);
    let agreed =
        place.act(&township, &case, ("agree", "a1"), &json!({}), Evidence::default()).unwrap();
    assert_eq!(agreed.state, "agreed");
    let told = place.store.outbox_after(0, 10).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].seq, told[0].case.as_str()), (1, case.id.as_str()));
    assert_eq!(told[0].body["seq"], 1);
    assert_eq!(told[0].body["case"], json!(case.id));
    assert_eq!(told[0].body["head"], json!(id_number(1)));
    place.store.outbox_done(1).unwrap();
    assert_eq!(place.store.outbox_taken().unwrap(), 1);
    assert_eq!(place.store.case(&case.id).unwrap(), agreed);
    // The case is its events.
    let mut replayed = yiku_casework::machine::blank(
        Kind::Declaration,
        &case.id,
        VILLAGE,
        case.owner.as_deref(),
        "citizen-1",
        now(),
    );
    for step in place.store.events(&case.id).unwrap() {
        yiku_casework::machine::apply(&mut replayed, &step.event);
        assert_eq!(replayed.version, step.version);
    }
    assert_eq!(replayed, agreed);
}

#[test]
fn the_same_command_again_changes_nothing_and_gives_the_case() {
    let place = Place::new();
    let case = place.declaration(1, "open-1");
    assert_eq!(place.declaration(1, "open-1"), case, "a double opening");
    let citizen = place.citizen(1);
    let input = json!({"answers": answers(1)});
    let save = |id: &str, input: &serde_json::Value| {
        place.act(&citizen, &case, ("save", id), input, Evidence::default())
    };
    let saved = save("s1", &input).unwrap();
    assert_eq!(save("s1", &input).unwrap(), saved, "a double submit");
    assert_eq!(place.store.events(&case.id).unwrap().len(), 2);
    let other = save("s1", &json!({"answers": answers(2)}));
    assert!(matches!(other, Err(Error::CommandReused { command_id }) if command_id == "s1"));
    let stale = save("s2", &input);
    assert!(matches!(stale, Err(Error::Stale { found: 2, .. })));
    // Another account cannot use the number to be given the case.
    let stranger = place.citizen(2);
    let theirs = place.act(&stranger, &case, ("save", "s1"), &input, Evidence::default());
    assert!(matches!(theirs, Err(Error::CommandReused { .. })));
}

#[test]
fn a_refusal_leaves_nothing() {
    let place = Place::new();
    let case = place.declaration(1, "open-1");
    let before = place.store.journal_after(0, 100).unwrap().len();
    let refused =
        place.act(&place.citizen(1), &case, ("submit", "s1"), &json!({}), Evidence::default());
    match refused {
        Err(Error::Refused { refusal }) => assert_eq!(refusal.ground, "authorisation.missing"),
        other => unreachable!("{other:?}"),
    }
    assert_eq!(place.store.case(&case.id).unwrap(), case);
    assert_eq!(place.store.journal_after(0, 100).unwrap().len(), before);
    // The number of a refused command may be used again.
    let person = case.owner.clone().unwrap();
    let evidence = Evidence { authorised: vec![(person, "S1".to_owned())], ..Evidence::default() };
    place.act(&place.citizen(1), &case, ("submit", "s1"), &json!({}), evidence).unwrap();
}

#[test]
fn what_is_not_of_its_form_is_refused_before_anything_is_written() {
    let place = Place::new();
    let citizen = place.citizen(1);
    let owner = id_number(1);
    let input = json!({});
    let try_open = |region: &str, command_id: &str| {
        let opening =
            Opening { kind: Kind::Declaration, region, owner: Some(&owner), input: &input };
        let call = Call { command_id, ip: "192.0.2.1" };
        place.store.open_case(&citizen, &opening, &context(now()), &call)
    };
    for region in ["", "1", "14112810", "14112'--", "1411281012011"] {
        assert!(matches!(try_open(region, "x"), Err(Error::Input { name: "region", .. })));
    }
    let long = "x".repeat(65);
    for id in ["", "a b", "编号", long.as_str()] {
        assert!(matches!(try_open(VILLAGE, id), Err(Error::Input { name: "command_id", .. })));
    }
    let command = Command { name: "save", version: 1, input: &input };
    let call = Call { command_id: "x", ip: "192.0.2.1" };
    let missing = place.store.act(&citizen, "D2026NONE", &command, &context(now()), &call);
    assert!(matches!(missing, Err(Error::Unknown { what: "case", .. })));
    assert_eq!(place.store.last_notice().unwrap(), 0);
}

#[test]
fn many_at_once_act_once_and_one_wins() {
    let place = Place::new();
    let citizen = place.citizen(1);
    let input = json!({"answers": answers(1)});
    let at_once = |case: &CaseFile, command_ids: [String; 8]| {
        std::thread::scope(|scope| {
            let (place, citizen, input) = (&place, &citizen, &input);
            let threads = command_ids.map(|id| {
                scope.spawn(move || {
                    place.act(citizen, case, ("save", &id), input, Evidence::default())
                })
            });
            threads.map(|thread| thread.join().unwrap())
        })
    };
    let case = place.declaration(1, "open-1");
    let same = at_once(&case, std::array::from_fn(|_| "save-1".to_owned()));
    assert!(same.iter().all(|result| result.as_ref().unwrap().version == 2));
    assert_eq!(place.store.events(&case.id).unwrap().len(), 2, "a double click acts once");
    let case = place.store.case(&case.id).unwrap();
    let others = at_once(&case, std::array::from_fn(|number| format!("other-{number}")));
    let won = others.iter().filter(|result| result.is_ok()).count();
    let stale = |result: &&Result<_, Error>| matches!(result, Err(Error::Stale { found: 3, .. }));
    assert_eq!((won, others.iter().filter(stale).count()), (1, 7));
    assert_eq!(place.store.verify_journal().unwrap().broken, None);
}
