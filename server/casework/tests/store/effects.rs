//! What a command causes beyond its case: payments, surveys, links, warnings, invitations,
//! attachments.

use crate::support::*;
use jiff::ToSpan;
use jiff::civil::date;
use serde_json::json;
use yiku_casework::store::{ATTACHMENT_BYTES_MAX, Filter, RaisedCounts, Reach};
use yiku_casework::{CaseFile, Error, Evidence, Kind, Role};

fn ground<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Refused { refusal }) => refusal.ground,
        other => unreachable!("{other:?}"),
    }
}

fn none() -> Evidence {
    Evidence::default()
}

/// An application of temporary or monthly aid up to its place on the payment list.
fn paid(place: &Place, number: u32, aid: &str) -> CaseFile {
    let citizen = place.citizen(number);
    let town = staff("town", Role::Township, TOWNSHIP);
    let county = staff("county", Role::County, COUNTY);
    let input = json!({"aid": aid, "notice_read": true, "answers": answers(number)});
    let id = format!("begin-{number}");
    let case =
        place.opened(&citizen, Kind::Application, Some(number), (&input, &id), none()).unwrap();
    let signing = json!({
        "scope": ["civil_affairs"],
        "months": 6,
        "document": "ab".repeat(32),
        "signature": {"r": "1"},
    });
    let id = format!("sign-{number}");
    let signed =
        place.opened(&citizen, Kind::Authorisation, Some(number), (&signing, &id), none()).unwrap();
    let person = case.owner.clone().unwrap();
    let authorised = Evidence {
        authorised: vec![(person.clone(), signed.id.clone())],
        adults: vec![(person, name(number))],
        ..none()
    };
    let nothing = json!({});
    let case = place.act_at(now(), &citizen, &case, ("submit", &nothing), authorised.clone());
    let case = place.act_at(now(), &town, &case, ("accept", &nothing), none());
    let case = place.act_at(now(), &town, &case, ("check", &nothing), authorised);
    assert!(case.links.contains(&signed.id));
    assert!(place.store.case(&signed.id).unwrap().links.contains(&case.id), "linked back");
    let plan = json!({"purpose": "application", "case": case.id});
    let linked = vec![(case.id.clone(), case.kind, case.state.clone())];
    let known = Evidence { linked, ..none() };
    let survey =
        place.opened(&town, Kind::Survey, None, (&plan, &format!("plan-{number}")), known).unwrap();
    let case = place.store.case(&case.id).unwrap();
    assert!(case.links.contains(&survey.id), "the application links to its survey");
    let seen = Evidence {
        linked: vec![(survey.id.clone(), Kind::Survey, "completed".to_owned())],
        calculation: Some(json!({"amount": 41_000})),
        ..none()
    };
    let record = json!({"survey": survey.id});
    let case = place.act_at(now(), &town, &case, ("record_survey", &record), seen.clone());
    let review = json!({"opinion": "support", "reason": "虚构理由"});
    let case = place.act_at(now(), &town, &case, ("review", &review), seen.clone());
    let case = place.act_at(now(), &town, &case, ("post", &nothing), none());
    let later = now().checked_add(9.days()).unwrap();
    let confirm = json!({"amount": 41_000});
    let case = place.act_at(later, &county, &case, ("confirm", &confirm), seen);
    place.act_at(later, &county, &case, ("pay", &nothing), none())
}

#[test]
fn monthly_aid_is_paid_from_the_next_month_until_it_ends() {
    let place = Place::new();
    let case = paid(&place, 1, "dibao");
    let months = |month: &str| place.store.payments(month, COUNTY).unwrap();
    assert!(months("2026-03").is_empty());
    for month in ["2026-04", "2027-11"] {
        let list = months(month);
        assert_eq!(list.len(), 1, "{month}");
        assert_eq!((list[0].amount, list[0].once, &list[0].case), (41_000, false, &case.id));
    }
    assert!(place.store.payments("2026-04", NEIGHBOUR).unwrap().is_empty());
    assert!(place.store.payments("2026-04", "").unwrap().is_empty(), "no scope, nothing");
    assert!(matches!(place.store.payments("2026-4", COUNTY), Err(Error::Input { .. })));
    let county = staff("county", Role::County, COUNTY);
    let end = json!({"ground": yiku_casework::machine::lists::ENDINGS[0].0, "reason": "虚构"});
    let june = date(2026, 6, 10).at(9, 0, 0, 0);
    place.act_at(june, &county, &case, ("end", &end), none());
    assert_eq!((months("2026-06").len(), months("2026-07").len()), (1, 0));
    assert_eq!(
        place.store.payments_of(&case.id).unwrap()[0].last_month.as_deref(),
        Some("2026-06")
    );
}

#[test]
fn temporary_aid_is_paid_once() {
    let place = Place::new();
    paid(&place, 2, "temporary");
    let months = |month: &str| place.store.payments(month, COUNTY).unwrap().len();
    assert_eq!((months("2026-02"), months("2026-03"), months("2026-04")), (0, 1, 0));
}

#[test]
fn an_amount_that_was_changed_in_the_file_is_not_paid() {
    let place = Place::new();
    paid(&place, 1, "dibao");
    let file = rusqlite::Connection::open(place.path().join("cases/casework.db")).unwrap();
    file.execute("UPDATE payment SET amount = amount + 1", []).unwrap();
    let read = place.store.payments("2026-04", COUNTY);
    assert!(matches!(read, Err(Error::Tampered { table: "payment", .. })));
}

#[test]
fn a_life_check_without_a_likeness_makes_a_visit() {
    let place = Place::new();
    let citizen = place.citizen(1);
    let check = place
        .opened(&citizen, Kind::LifeCheck, Some(1), (&json!({"digits": "314159"}), "l1"), none())
        .unwrap();
    let wave = b"RIFF\x10\0\0\0WAVEfmt invented";
    let sound = place.store.attach(&citizen, wave, "声音.wav", now(), "192.0.2.1").unwrap();
    let evidence = Evidence {
        attachments: vec![(sound.digest.clone(), sound.media.clone())],
        voice: Some(json!({"score": 0.1, "threshold": 0.8, "quality": 0.9, "quality_least": 0.5,
            "model": "m", "reference": false})),
        ..none()
    };
    let input = json!({"recording": sound.digest});
    let check = place.act_at(now(), &citizen, &check, ("record", &input), evidence);
    assert_eq!(check.state, "visit_due");
    assert_eq!(check.links.len(), 1);
    let survey = place.store.case(&check.links[0]).unwrap();
    assert_eq!((survey.kind, survey.state.as_str()), (Kind::Survey, "planned"));
    assert_eq!(survey.links, std::slice::from_ref(&check.id));
    assert_eq!(survey.region, check.region);
    // Both cases are their events.
    for case in [&check, &survey] {
        let mut replayed = yiku_casework::machine::blank(
            case.kind,
            &case.id,
            &case.region,
            case.owner.as_deref(),
            &case.author,
            case.opened_at,
        );
        for step in place.store.events(&case.id).unwrap() {
            yiku_casework::machine::apply(&mut replayed, &step.event);
        }
        assert_eq!(replayed, *case);
    }
    assert_eq!(place.store.verify_journal().unwrap().broken, None);
}

#[test]
fn nobody_links_to_a_case_that_they_cannot_see() {
    let place = Place::new();
    let theirs = place.submitted(1);
    let stranger = staff("elsewhere", Role::Village, "141127101201");
    let plan = json!({"purpose": "application", "case": theirs.id});
    let opening = yiku_casework::store::Opening {
        kind: Kind::Survey,
        region: "141127101201",
        owner: None,
        input: &plan,
    };
    let call = yiku_casework::store::Call { command_id: "v1", ip: "192.0.2.1" };
    let linked = vec![(theirs.id.clone(), theirs.kind, theirs.state.clone())];
    let known = with(now(), Evidence { linked, ..none() });
    let opened = place.store.open_case(&stranger, &opening, &known, &call);
    assert!(matches!(opened, Err(Error::Unknown { what: "case", .. })));
    assert_eq!(place.store.case(&theirs.id).unwrap(), theirs);
    assert_eq!(place.store.list(&Filter::of(Reach::Platform)).unwrap().cases.len(), 1);
}

#[test]
fn a_rule_raises_once_a_period_and_is_silent_for_its_days() {
    let place = Place::new();
    let raise = |day: i64, list: &[yiku_casework::store::Raised]| {
        let at = now().checked_add(day.days()).unwrap();
        let counts = place.store.raise_warnings(list, &context(at)).unwrap();
        let RaisedCounts { new, repeated, silenced, cases } = counts;
        assert_eq!(cases.len() as u64, new);
        (new, repeated, silenced)
    };
    let march = [raised("A1", "H1", "2026-03", 30), raised("A1", "H2", "2026-03", 30)];
    let april = [raised("A1", "H1", "2026-04", 30)];
    assert_eq!(raise(0, &march), (2, 0, 0));
    assert_eq!(raise(0, &march), (0, 2, 0), "begun again");
    assert_eq!(raise(29, &april), (0, 0, 1), "still silent");
    assert_eq!(raise(30, &april), (1, 0, 0));
    assert_eq!(raise(60, &march), (0, 2, 0), "an old period is not raised again");
    assert_eq!(raise(0, &[raised("A2", "H1", "2026-03", 30)]), (1, 0, 0), "another rule");
    let twice = [raised("A3", "H1", "2026-03", 0), raised("A3", "H1", "2026-03", 0)];
    assert_eq!(raise(0, &twice), (1, 1, 0));
    let found = place
        .store
        .list(&Filter { household: Some("H1".to_owned()), ..Filter::of(Reach::Platform) });
    assert_eq!(found.unwrap().cases.len(), 4);
}

#[test]
fn warnings_that_cannot_be_opened_leave_nothing_of_their_step() {
    let place = Place::new();
    let mut wrong = raised("A1", "H2", "2026-03", 30);
    wrong.input = json!({"snapshot": 7, "reasons": []});
    let list = [raised("A1", "H1", "2026-03", 30), wrong];
    assert_eq!(ground(place.store.raise_warnings(&list, &context(now()))), "warning.no_reason");
    assert!(place.store.list(&Filter::of(Reach::Platform)).unwrap().cases.is_empty());
    let counts = place.store.raise_warnings(&list[..1], &context(now())).unwrap();
    assert_eq!(counts.new, 1);
}

#[test]
fn an_invitation_opens_once_for_its_person_within_seven_days() {
    let place = Place::new();
    let citizen = place.citizen(1);
    let number = id_number(2);
    let person = ("钱虚构", number.as_str());
    let ip = "192.0.2.1";
    let invite = || place.store.invite(&citizen, person, None, now(), ip).unwrap();
    let open = |code: &str, number: &str, at| place.store.open_invitation(code, number, at, ip);
    let given = invite();
    assert_eq!(given.code.len(), 8);
    assert!(!given.code.contains(['0', '1', 'I', 'L', 'O']));
    assert_eq!(ground(open(&given.code, &id_number(3), now())), "invitation.wrong");
    assert_eq!(ground(open("ZZZZZZZZ", &number, now())), "invitation.wrong");
    let loose = format!(" {} ", given.code.to_lowercase());
    let opened = open(&loose, &number.to_lowercase(), now()).unwrap();
    assert_eq!((opened.name.as_str(), &opened.account), ("钱虚构", &citizen.account));
    assert_eq!(opened.person, place.store.index(&number).unwrap());
    assert_eq!(ground(open(&given.code, &number, now())), "invitation.used");
    let given = invite();
    let late = given.until.checked_add(1.second()).unwrap();
    assert_eq!(ground(open(&given.code, &number, late)), "invitation.expired");
    for _ in 0..10 {
        assert_eq!(ground(open("ZZZZZZZZ", &number, now())), "invitation.wrong");
    }
    assert_eq!(
        ground(open(&given.code, &number, now())),
        "invitation.expired",
        "guessed too often"
    );
    open(&invite().code, &number, now()).unwrap();
    for wrong in [("", number.as_str()), ("钱虚构", "999101199003076635")] {
        let refused = place.store.invite(&citizen, wrong, None, now(), ip);
        assert!(matches!(refused, Err(Error::Input { .. })), "{wrong:?}");
    }
}

#[test]
fn an_attachment_is_told_by_its_content_and_comes_back_whole() {
    let place = Place::new();
    let citizen = place.citizen(1);
    let attach =
        |bytes: &[u8], name: &str| place.store.attach(&citizen, bytes, name, now(), "192.0.2.1");
    let mut photo = b"\x89PNG\r\n\x1a\n".to_vec();
    photo.extend((0..100_000_u32).map(|byte| (byte % 251) as u8));
    let kept = attach(&photo, "../身份证.png").unwrap();
    assert_eq!((kept.media.as_str(), kept.name.as_str()), ("image/png", "身份证.png"));
    assert_eq!(kept.digest, yiku_casework::secret::sm3_hex(&photo));
    assert_eq!(attach(&photo, "again.png").unwrap().digest, kept.digest);
    let (found, bytes) = place.store.attachment_content(&kept.digest).unwrap();
    assert_eq!((bytes, found.size), (photo.clone(), photo.len() as u64));
    for program in [&b"\x7fELF\x02\x01\x01\0"[..], b"MZ\x90\0", b"#!/bin/sh", b"PK\x03\x04", b""] {
        assert!(matches!(attach(program, "photo.jpg"), Err(Error::Media { .. })));
    }
    let mut large = b"\x89PNG\r\n\x1a\n".to_vec();
    large.resize(ATTACHMENT_BYTES_MAX + 1, 0);
    assert!(matches!(attach(&large, "photo.png"), Err(Error::Limit { .. })));
    for missing in ["", "x", "../../keys", &"0".repeat(64)] {
        let found = place.store.attachment_content(missing);
        assert!(matches!(found, Err(Error::Unknown { what: "attachment", .. })), "{missing}");
    }
    // A changed file is found.
    let folder = place.path().join("cases/attachments").join(&kept.digest[..2]);
    let path = folder.join(&kept.digest);
    let mut sealed = std::fs::read(&path).unwrap();
    sealed[1000] ^= 1;
    std::fs::write(&path, sealed).unwrap();
    let changed = place.store.attachment_content(&kept.digest);
    assert!(matches!(changed, Err(Error::Tampered { .. })));
}
