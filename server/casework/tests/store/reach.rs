//! Who reaches which cases: lists, pages, notices, counts.

use serde_json::json;
use yiku_casework::store::{Filter, Notice, Reach};
use yiku_casework::{Actor, CaseFile, Error, Evidence, Kind, Role};

use crate::support::*;

fn ids(place: &Place, filter: &Filter) -> Vec<String> {
    place.store.list(filter).unwrap().cases.into_iter().map(|case| case.id).collect()
}

fn reached(place: &Place, actor: &Actor) -> usize {
    ids(place, &Filter::of(Reach::of(actor))).len()
}

#[test]
fn a_case_is_there_for_its_own_people_and_for_nobody_else() {
    let place = Place::new();
    let case = place.submitted(1);
    let mut housing = staff("housing", Role::Department, COUNTY);
    housing.department = Some("housing".to_owned());
    for (actor, sees) in [
        (place.citizen(1), true),
        (place.citizen(2), false),
        (staff("village", Role::Village, VILLAGE), true),
        (staff("village 2", Role::Village, "141128101202"), false),
        (staff("town", Role::Township, TOWNSHIP), true),
        (staff("town 2", Role::Township, "141128102"), false),
        (staff("county", Role::County, COUNTY), true),
        (staff("county 2", Role::County, NEIGHBOUR), false),
        (staff("city", Role::City, "1411"), true),
        (staff("province", Role::Province, "14"), true),
        (staff("no scope", Role::County, ""), false),
        (staff("one digit", Role::County, "1"), false),
        (staff("system", Role::SystemAdmin, ""), false),
        (staff("security", Role::SecurityAdmin, "14"), false),
        (staff("audit", Role::AuditAdmin, "14"), false),
        (housing, false),
    ] {
        let reach = Reach::of(&actor);
        assert_eq!(reached(&place, &actor), usize::from(sees), "{actor:?}");
        assert_eq!(reach.covers(&case), sees, "{actor:?}");
        let found = place.store.case_within(&reach, &case.id);
        assert_eq!(found.is_ok(), sees, "{actor:?}");
        if !sees {
            let told = found.map_err(|error| error.to_string());
            let absent = place.store.case_within(&reach, "D2026ABSENT").map_err(|e| e.to_string());
            let plain = |text: String| text.replace(&case.id, "D2026ABSENT");
            assert_eq!(told.map_err(plain), absent, "a case beyond reach is as one that is not");
        }
        let heard: Vec<Notice> = place.store.notices_after(0, 10).unwrap();
        assert_eq!(heard.iter().any(|notice| reach.hears(notice)), sees, "{actor:?}");
    }
}

#[test]
fn a_draft_is_its_writers_alone() {
    let place = Place::new();
    place.declaration(1, "d1");
    for (actor, sees) in [
        (place.citizen(1), 1),
        (staff("village", Role::Village, VILLAGE), 0),
        (staff("county", Role::County, COUNTY), 0),
    ] {
        assert_eq!(reached(&place, &actor), sees, "{actor:?}");
        let reach = Reach::of(&actor);
        let heard = place.store.notices_after(0, 10).unwrap();
        assert_eq!(heard.iter().filter(|notice| reach.hears(notice)).count(), sees, "{actor:?}");
    }
}

/// A warning that was transferred to the housing department.
fn transferred(place: &Place) -> CaseFile {
    let town = staff("town", Role::Township, TOWNSHIP);
    let village = staff("village", Role::Village, VILLAGE);
    let list = [raised("A1", "H1", "2026-03", 30)];
    let raised = place.store.raise_warnings(&list, &context(now())).unwrap();
    let case = place.store.case(raised.cases.first().unwrap()).unwrap();
    let nothing = json!({});
    let case = place.act_at(now(), &village, &case, ("sign", &nothing), Evidence::default());
    let case = place.act_at(now(), &village, &case, ("visit", &nothing), Evidence::default());
    let helpless = json!({"outcome": "needs_help", "note": "虚构"});
    let case = place.act_at(now(), &village, &case, ("verify", &helpless), Evidence::default());
    let measure = json!({"code": "transfer_housing", "text": "虚构措施"});
    place.act_at(now(), &town, &case, ("measure", &measure), Evidence::default())
}

#[test]
fn a_department_sees_what_was_transferred_to_it_in_its_region() {
    let place = Place::new();
    let case = transferred(&place);
    place.submitted(1);
    for (department, scope, sees) in [
        ("housing", COUNTY, true),
        ("housing", "14", true),
        ("housing", NEIGHBOUR, false),
        ("education", COUNTY, false),
        ("hous", COUNTY, false),
        ("", COUNTY, false),
    ] {
        let mut actor = staff("officer", Role::Department, scope);
        actor.department = Some(department.to_owned());
        let expected = if sees { vec![case.id.clone()] } else { Vec::new() };
        assert_eq!(ids(&place, &Filter::of(Reach::of(&actor))), expected, "{department} {scope}");
        assert_eq!(Reach::of(&actor).covers(&case), sees, "{department} {scope}");
        let heard = place.store.notices_after(0, 100).unwrap();
        let heard = heard.iter().any(|notice| Reach::of(&actor).hears(notice));
        assert_eq!(heard, sees, "{department} {scope}");
    }
}

#[test]
fn pages_give_every_case_once_the_last_changed_first() {
    let place = Place::new();
    let mut expected: Vec<CaseFile> =
        (1..=23).map(|number| place.declaration(number, &format!("d{number}"))).collect();
    expected.sort_by(|a, b| (b.changed_at, &b.id).cmp(&(a.changed_at, &a.id)));
    let mut filter = Filter { limit: 5, ..Filter::of(Reach::Platform) };
    let mut found = Vec::new();
    loop {
        let page = place.store.list(&filter).unwrap();
        assert!(page.cases.len() <= 5);
        found.extend(page.cases);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, expected);
    filter.after = Some("nonsense".to_owned());
    assert!(matches!(place.store.list(&filter), Err(Error::Input { name: "after", .. })));
}

#[test]
fn conditions_hold_together() {
    let place = Place::new();
    let case = place.submitted(1);
    let other = place.declaration(2, "d2");
    let warning = transferred(&place);
    let all = || Filter::of(Reach::Platform);
    let due = warning.due_on.unwrap();
    let (owner, digits) = (case.owner.clone(), id_number(1));
    for (what, filter, expected) in [
        ("kind", Filter { kinds: vec![Kind::Warning], ..all() }, vec![&warning]),
        ("state", Filter { states: vec!["submitted".into()], ..all() }, vec![&case]),
        ("level", Filter { level: Some("red".into()), ..all() }, vec![&warning]),
        (
            "overdue",
            Filter { overdue_on: due.tomorrow().ok(), level: Some("red".into()), ..all() },
            vec![&warning],
        ),
        (
            "not overdue",
            Filter { overdue_on: Some(due), level: Some("red".into()), ..all() },
            vec![],
        ),
        ("household", Filter { household: Some("H1".into()), ..all() }, vec![&warning]),
        ("no household", Filter { household: Some("H".into()), ..all() }, vec![]),
        ("person", Filter { person: owner, ..all() }, vec![&case]),
        ("author", Filter { author: Some("citizen-2".into()), ..all() }, vec![&other]),
        ("number", Filter { text: Some(case.id.to_lowercase()), ..all() }, vec![&case]),
        ("beginning", Filter { text: Some("W2026".into()), ..all() }, vec![&warning]),
        ("ID number", Filter { text: Some(format!(" {digits} ")), ..all() }, vec![&case]),
        ("name", Filter { text: Some(name(2)), ..all() }, vec![&other]),
        ("phone", Filter { text: Some(phone(2)), ..all() }, vec![&other]),
        ("part of a name", Filter { text: Some("钱".into()), ..all() }, vec![]),
        ("nothing", Filter { text: Some("' OR 1 --".into()), ..all() }, vec![]),
        ("elsewhere", Filter { region: Some(NEIGHBOUR.into()), ..all() }, vec![]),
        (
            "both",
            Filter { kinds: vec![Kind::Warning], states: vec!["submitted".into()], ..all() },
            vec![],
        ),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|case| case.id.clone()).collect();
        assert_eq!(ids(&place, &filter), expected, "{what}");
    }
}

#[test]
fn counts_and_lists_agree_and_the_funnel_keeps_what_was_reached() {
    let place = Place::new();
    transferred(&place);
    let list = [raised("A1", "H2", "2026-03", 30), raised("A1", "H3", "2026-03", 30)];
    place.store.raise_warnings(&list, &context(now())).unwrap();
    let counts = place.store.counts(COUNTY, Kind::Warning, 6).unwrap();
    let warnings = Filter { kinds: vec![Kind::Warning], ..Filter::of(Reach::Platform) };
    let total: u64 = counts.iter().map(|count| count.cases).sum();
    assert_eq!(total, ids(&place, &warnings).len() as u64);
    for count in &counts {
        let filter = Filter {
            states: vec![count.state.clone()],
            level: count.level.clone(),
            region: Some(count.region.clone()),
            ..warnings.clone()
        };
        assert_eq!(ids(&place, &filter).len() as u64, count.cases, "{count:?}");
    }
    let reached = place.store.reached(COUNTY, Kind::Warning, 2).unwrap();
    let ever = |state: &str| {
        reached.iter().filter(|one| one.state == state).map(|one| one.cases).max().unwrap_or(0)
    };
    assert_eq!((ever("generated"), ever("signed"), ever("handling")), (3, 1, 1));
    assert!(reached.iter().all(|one| one.region == "14"));
    for scope in ["", "1", NEIGHBOUR] {
        assert!(place.store.counts(scope, Kind::Warning, 6).unwrap().is_empty(), "{scope}");
        assert!(place.store.reached(scope, Kind::Warning, 6).unwrap().is_empty(), "{scope}");
    }
}

#[test]
fn notices_follow_each_other_and_are_told_once() {
    let place = Place::new();
    let case = place.submitted(1);
    let notices = place.store.notices_after(0, 100).unwrap();
    let told: Vec<(&str, &str)> =
        notices.iter().map(|notice| (notice.command.as_str(), notice.state.as_str())).collect();
    assert_eq!(told, [("begin", "draft"), ("submit", "submitted")]);
    assert!(notices.iter().all(|notice| notice.case == case.id && notice.region == VILLAGE));
    assert_eq!(place.store.last_notice().unwrap(), notices[1].seq);
    assert_eq!(place.store.notices_after(notices[0].seq, 100).unwrap(), notices[1..]);
    assert!(place.store.notices_after(notices[1].seq, 100).unwrap().is_empty());
}
