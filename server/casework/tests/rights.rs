//! Rights: deny by default, and nothing of business for administrators.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use yiku_casework::rights::{ROLES, Rights, Scope, within};
use yiku_casework::{Error, Role};

#[test]
fn what_is_not_in_the_file_is_denied() {
    let rights = Rights::built_in().unwrap();
    for role in ROLES.into_iter().map(Some).chain([None]) {
        for (method, path) in [
            ("GET", "/api/v1/unheard"),
            ("GET", "/api/v1/cases/{id}/unheard"),
            ("DELETE", "/api/v1/cases/{id}"),
            ("PATCH", "/api/v1/accounts"),
            ("get", "/api/v1/session"),
            ("GET", "/api/v1/session/"),
            ("GET", ""),
        ] {
            assert!(!rights.allows(role, method, path), "{role:?} {method} {path}");
        }
    }
    // The platform itself never comes through a route.
    for route in rights.routes() {
        assert!(!route.roles.contains(&Role::System), "{}", route.path);
    }
}

#[test]
fn who_has_no_session_reaches_nothing_of_anybody() {
    let rights = Rights::built_in().unwrap();
    for route in rights.routes().filter(|route| route.anyone) {
        assert!(matches!(route.scope, Scope::None | Scope::Itself), "{}", route.path);
    }
    assert!(!rights.allows(None, "GET", "/api/v1/cases"));
    assert!(rights.allows(None, "POST", "/api/v1/session"));
}

#[test]
fn administrators_see_no_business_and_do_not_do_each_others_work() {
    let rights = Rights::built_in().unwrap();
    let admins = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];
    for route in rights.routes() {
        let business = matches!(route.scope, Scope::Own | Scope::Reach | Scope::Region);
        for admin in admins {
            assert!(!(business && route.roles.contains(&admin)), "{admin:?} {}", route.path);
        }
        let theirs = admins.iter().filter(|admin| route.roles.contains(admin)).count();
        if matches!(route.scope, Scope::Accounts | Scope::Journal) {
            let reading = route.method == "GET" && route.path == "/api/v1/accounts";
            assert_eq!(theirs, if reading { 2 } else { 1 }, "{} {}", route.method, route.path);
            assert_eq!(theirs, route.roles.len(), "{}", route.path);
        }
    }
}

#[test]
fn the_names_between_braces_do_not_matter() {
    let rights = Rights::built_in().unwrap();
    let village = Some(Role::Village);
    for path in ["/api/v1/cases/{id}", "/api/v1/cases/{case}"] {
        assert!(rights.allows(village, "GET", path));
    }
    assert!(!rights.allows(village, "GET", "/api/v1/cases/D2026X"), "a pattern, not an address");
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let line = |roles: &str, more: &str| {
        format!(
            "[groups]\nstaff = [\"village\"]\n[[route]]\npath = \"/a/{{id}}\"\n\
             methods = [\"GET\"]\nroles = [{roles}]\nscope = \"none\"\n{more}"
        )
    };
    let again = "[[route]]\npath=\"/a/{key}\"\nmethods=[\"GET\"]\nroles=[\"city\"]\nscope=\"none\"";
    for (text, right) in [
        (line("\"staff\", \"city\"", ""), true),
        (line("\"mayor\"", ""), false),
        (line("\"system\"", ""), false),
        (line("", ""), false),
        (line("\"staff\"", again), false),
    ] {
        let read = Rights::parse(&text);
        assert_eq!(read.is_ok(), right, "{text}");
        assert!(right || matches!(read, Err(Error::Rights { .. })), "{text}");
    }
    for text in ["", "groups = 1", &line("\"staff\"", "extra = 1")] {
        assert!(matches!(Rights::parse(text), Err(Error::RightsText { .. })), "{text}");
    }
}

#[test]
fn a_scope_is_a_beginning_and_never_empty() {
    for (scope, region, expected) in [
        ("14", "141128101201", true),
        ("141128", "141128", true),
        ("141128", "1411", false),
        ("141128", "141127101201", false),
        ("", "14", false),
        ("1", "14", false),
        ("14", "", false),
        ("14%", "14%1", false),
    ] {
        assert_eq!(within(scope, region), expected, "{scope} {region}");
    }
}
