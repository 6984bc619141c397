//! The page `docs/casework.md` holds the tables as the machines print them. `UPDATE=1` in the
//! environment writes them anew; review reads the difference.
#![expect(clippy::disallowed_methods, reason = "reads and writes the project's own page")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use yiku_casework::case::{Action, Kind, Role};
use yiku_casework::machine;

use crate::answers::input;
use crate::sample::{ROLES, actor, way};

fn word(kind: Kind) -> String {
    serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned()
}

fn role_word(role: Role) -> String {
    serde_json::to_value(role).unwrap().as_str().unwrap().to_owned()
}

/// The states of a kind, and how many working days each may last.
fn states(kind: Kind) -> String {
    let mut text =
        "| state | shown as | working days | open |\n| --- | --- | --- | --- |\n".to_owned();
    for state in machine::states(kind) {
        let days = |level| machine::clock(kind, state.name, level).map(|days| days.to_string());
        let days = if kind == Kind::Warning {
            let levels = ["red", "orange", "yellow"].map(|level| days(Some(level)));
            levels.into_iter().collect::<Option<Vec<_>>>().map(|days| days.join(" / "))
        } else {
            days(None)
        };
        let open = if state.open { "yes" } else { "" };
        let days = days.unwrap_or_default();
        writeln!(text, "| `{}` | {} | {days} | {open} |", state.name, state.label.zh).unwrap();
    }
    text
}

/// What the machine does, asked command by command, state by state, role by role.
fn commands(kind: Kind) -> String {
    let mut text = "| command | button | who | from → to |\n| --- | --- | --- | --- |\n".to_owned();
    let opening = machine::opening(kind);
    let mut names: Vec<&Action> = Vec::new();
    for action in machine::actions(kind) {
        if !names.iter().any(|known| known.name == action.name) {
            names.push(action);
        }
    }
    for action in names {
        let mut ways: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if action.name == opening {
            let first = way(kind, &opened(kind), "", Role::County).case.state;
            let roles: Vec<String> = action.roles.iter().copied().map(role_word).collect();
            ways.insert(roles.join(", "), vec![format!("→ {first}")]);
        }
        for state in machine::states(kind) {
            // Roles by the state they lead to: the same command may do other things elsewhere.
            let mut goals: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for role in ROLES {
                let mut walk = way(kind, state.name, action.name, role);
                let given = input(kind, action.name, "");
                if walk.give(&actor(role), action.name, &given).is_ok() {
                    let star = if action.own { "*" } else { "" };
                    let who = format!("{}{star}", role_word(role));
                    goals.entry(walk.case.state).or_default().push(who);
                }
            }
            for (goal, roles) in goals {
                let step = if goal == state.name {
                    state.name.to_owned()
                } else {
                    format!("{} → {goal}", state.name)
                };
                ways.entry(roles.join(", ")).or_default().push(step);
            }
        }
        for (roles, steps) in ways {
            let (name, zh) = (action.name, action.label.zh);
            writeln!(text, "| `{name}` | {zh} | {roles} | {} |", steps.join("; ")).unwrap();
        }
    }
    text
}

/// The state in which a case of the kind is once it is opened.
fn opened(kind: Kind) -> String {
    let state = match kind {
        Kind::Warning => "dispatched",
        Kind::Survey => "planned",
        Kind::LifeCheck => "issued",
        Kind::Authorisation => "signed",
        _ => "draft",
    };
    state.to_owned()
}

fn printed(kind: Kind) -> String {
    format!("{}\n{}", states(kind), commands(kind))
}

fn replaced(page: &str, kind: Kind, text: &str) -> Option<String> {
    let mark = format!("<!-- table: {} -->\n", word(kind));
    let (before, rest) = page.split_once(&mark)?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}{mark}\n{}\n\n<!-- end -->{after}", text.trim()))
}

#[test]
fn the_page_holds_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/casework.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut new = page.clone();
    for kind in machine::KINDS {
        let with = replaced(&new, kind, &printed(kind));
        new = with.unwrap_or_else(|| panic!("docs/casework.md has no mark for {kind:?}"));
    }
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, new).unwrap();
        return;
    }
    assert!(
        page == new,
        "docs/casework.md: run `UPDATE=1 cargo test --release -p yiku-casework --test machine page`"
    );
}

#[test]
fn a_table_that_differs_is_found() {
    let page = "a\n<!-- table: report -->\n\n| 1 |\n\n<!-- end -->\nb\n";
    assert_eq!(replaced(page, Kind::Report, "| 1 |\n").as_deref(), Some(page));
    assert_ne!(replaced(page, Kind::Report, "| 2 |\n").as_deref(), Some(page));
    assert_eq!(replaced(page, Kind::Survey, "| 1 |\n"), None);
}
