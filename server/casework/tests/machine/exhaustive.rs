//! Every state, every command, every role: the new state of the table, or the refusal with its
//! ground.

use std::collections::BTreeSet;

use serde_json::json;
use yiku_casework::case::{Actor, Kind, Role};
use yiku_casework::machine;

use crate::answers::{evidence, input};
use crate::sample::{REGION, ROLES, actor, context, monday, open_as, way};
use crate::tables::{Line, lines, openers};

/// What the tables say of a command by a role in a state.
fn said(
    lines: &[Line],
    state: &'static str,
    command: &str,
    role: Role,
) -> Result<&'static str, &'static str> {
    let rows: Vec<&Line> = lines.iter().filter(|line| line.command == command).collect();
    if rows.is_empty() {
        return Err("command.unknown");
    }
    let mine: Vec<&&Line> = rows.iter().filter(|line| line.roles.contains(&role)).collect();
    if mine.is_empty() {
        return Err("role.wrong");
    }
    let row = mine.iter().find(|line| line.from.contains(&state));
    row.map(|line| line.to.unwrap_or(state)).ok_or("state.wrong")
}

fn commands(kind: Kind, lines: &[Line]) -> BTreeSet<&'static str> {
    let known = machine::actions(kind).iter().map(|action| action.name);
    let mut commands: BTreeSet<&str> = known.chain(lines.iter().map(|line| line.command)).collect();
    commands.extend(["", "begin", "nonsense", "delete"]);
    commands
}

#[test]
fn every_state_command_and_role_does_what_the_table_says() {
    let (mut good, mut refused) = (0, 0);
    for kind in machine::KINDS {
        let lines = lines(kind);
        for state in machine::states(kind) {
            for command in commands(kind, &lines) {
                for role in ROLES {
                    let expected = said(&lines, state.name, command, role);
                    let mut walk = way(kind, state.name, command, role);
                    let before = walk.case.clone();
                    let found = walk.give(&actor(role), command, &input(kind, command, ""));
                    let found = match &found {
                        Ok(_) => Ok(walk.case.state.as_str()),
                        Err(refusal) => Err(refusal.ground),
                    };
                    let what = format!("{kind:?}: `{command}` in `{}` by {role:?}", state.name);
                    assert_eq!(found, expected, "{what}");
                    if expected.is_ok() {
                        good += 1;
                        assert!(walk.case.version > before.version, "{what}");
                    } else {
                        refused += 1;
                        assert_eq!(walk.case, before, "{what}");
                    }
                }
            }
        }
    }
    // The tables have this many lawful steps; a table that shrinks unseen would pass otherwise.
    assert_eq!((good, refused > 5000), (145, true), "{good} {refused}");
}

#[test]
fn only_who_may_open_opens() {
    for kind in machine::KINDS {
        let opening = machine::opening(kind);
        let mut evidence = evidence();
        evidence.duplicates = vec![("household".to_owned(), "H1".to_owned())];
        evidence.linked.push(("A9".to_owned(), Kind::Application, "checked".to_owned()));
        for role in ROLES {
            let found = open_as(kind, &actor(role), &input(kind, opening, ""), monday(), &evidence);
            let found = found.map(|(case, events)| {
                assert_eq!(case.version, u64::try_from(events.len()).unwrap());
                case.id
            });
            if openers(kind).contains(&role) {
                assert_eq!(found.as_deref(), Ok("X1"), "{kind:?} by {role:?}");
            } else {
                assert_eq!(found.unwrap_err().ground, "role.wrong", "{kind:?} by {role:?}");
            }
        }
    }
}

/// The same role elsewhere.
fn neighbour(role: Role) -> Actor {
    let mut actor = actor(role);
    "a-neighbour".clone_into(&mut actor.account);
    actor.scope = match role {
        Role::Village => "141128101204",
        Role::Township => "141128102",
        Role::County | Role::Department => "141129",
        Role::City => "1410",
        _ => "",
    }
    .to_owned();
    actor.person = actor.person.map(|_| "blind-stranger".to_owned());
    actor
}

#[test]
fn a_neighbour_and_a_stranger_may_do_nothing() {
    for kind in machine::KINDS {
        for line in lines(kind) {
            for role in &line.roles {
                if *role == Role::System {
                    continue;
                }
                let mut walk = way(kind, line.from[0], line.command, *role);
                let given = input(kind, line.command, "");
                let what = format!("{kind:?}: `{}` by {role:?}", line.command);
                let ground = if *role == Role::Citizen { "owner.wrong" } else { "scope.outside" };
                let found = walk.give(&neighbour(*role), line.command, &given);
                assert_eq!(found.unwrap_err().ground, ground, "{what}");
                assert!(machine::allowed(&walk.case, &neighbour(*role)).is_empty(), "{what}");
                if *role != Role::Citizen {
                    let mut nowhere = actor(*role);
                    nowhere.scope.clear();
                    let found = walk.give(&nowhere, line.command, &given);
                    assert_eq!(found.unwrap_err().ground, "scope.outside", "{what}");
                }
                if line.own && *role == Role::Village {
                    let mut colleague = actor(*role);
                    "a-colleague".clone_into(&mut colleague.account);
                    let found = walk.give(&colleague, line.command, &given);
                    assert_eq!(found.unwrap_err().ground, "owner.wrong", "{what}");
                }
            }
        }
    }
}

#[test]
fn what_is_offered_can_be_done() {
    for kind in machine::KINDS {
        let lines = lines(kind);
        for line in &lines {
            for (state, role) in
                line.from.iter().flat_map(|state| line.roles.iter().map(move |role| (state, role)))
            {
                let walk = way(kind, state, line.command, *role);
                let offered = machine::allowed(&walk.case, &actor(*role));
                let what = format!("{kind:?}: `{}` in `{state}` by {role:?}", line.command);
                assert!(offered.iter().any(|action| action.name == line.command), "{what}");
                for action in offered {
                    assert!(said(&lines, state, action.name, *role).is_ok(), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_required_input_that_is_missing_is_named() {
    for kind in machine::KINDS {
        for action in machine::actions(kind) {
            for ask in action.input.iter().filter(|ask| ask.required) {
                let Some(state) = action.from.first() else { continue };
                let mut walk = way(kind, state, action.name, action.roles[0]);
                for blank in [json!(null), json!(" "), json!([])] {
                    let mut given = input(kind, action.name, "");
                    given[ask.name] = blank;
                    let found = walk.give(&actor(action.roles[0]), action.name, &given);
                    let refusal = found.unwrap_err();
                    let ground = match ask.name {
                        "result" => "warning.no_result",
                        "investigators" => "survey.two_investigators",
                        "household_signature" => "survey.signature_missing",
                        "photos" => "survey.photo_missing",
                        _ => "input.missing",
                    };
                    let what = format!("{kind:?}: `{}` without `{}`", action.name, ask.name);
                    assert_eq!(
                        (refusal.ground, refusal.field.as_deref()),
                        (ground, Some(ask.name)),
                        "{what}"
                    );
                }
            }
        }
    }
}

#[test]
fn hostile_input_is_refused_and_changes_nothing() {
    let long = "很".repeat(5000);
    for kind in machine::KINDS {
        for action in machine::actions(kind) {
            let Some(state) = action.from.first() else { continue };
            let mut walk = way(kind, state, action.name, action.roles[0]);
            let before = walk.case.clone();
            for ask in action.input {
                let wrong = match ask.kind {
                    "code" | "codes" => json!("no such code"),
                    "text" | "long_text" | "case" | "date" => json!(long),
                    "marks" => json!([{"path": 1}]),
                    "region" => json!("1411a"),
                    "signatures" => json!("x"),
                    "flag" => json!("yes"),
                    _ => json!(["x", 1]),
                };
                let mut given = input(kind, action.name, "");
                given[ask.name] = wrong;
                let found = walk.give(&actor(action.roles[0]), action.name, &given);
                let what = format!("{kind:?}: `{}` with a wrong `{}`", action.name, ask.name);
                assert_eq!(found.unwrap_err().ground, "input.wrong", "{what}");
                assert_eq!(walk.case, before, "{what}");
            }
            let found = walk.give(&actor(action.roles[0]), action.name, &json!([1, 2]));
            assert_eq!(found.unwrap_err().ground, "input.wrong", "{kind:?}: `{}`", action.name);
        }
    }
}

#[test]
fn a_region_that_is_none_opens_nothing() {
    let context = context(monday(), evidence());
    for region in ["", "1", "14112", "1411281012031", "1411281012o3", "十四"] {
        for kind in machine::KINDS {
            let who = actor(openers(kind)[0]);
            let given = input(kind, machine::opening(kind), "");
            let found = machine::open(kind, &who, region, who.person.as_deref(), &given, &context);
            assert_eq!(found.unwrap_err().ground, "region.wrong", "{kind:?} in `{region}`");
        }
    }
    let citizen = actor(Role::Citizen);
    for owner in [None, Some("blind-stranger")] {
        let given = input(Kind::Declaration, "begin", "");
        let found = machine::open(Kind::Declaration, &citizen, REGION, owner, &given, &context);
        assert_eq!(found.unwrap_err().ground, "owner.wrong");
    }
}
