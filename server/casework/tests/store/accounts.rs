//! Accounts: passwords, locks, sessions, and administrators who cannot do each other's work.

use std::sync::Arc;

use crate::support::*;
use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan};
use yiku_casework::accounts::{
    Accounts, Cost, FAILURES_MAX, Grant, LOCK_SECONDS, SESSIONS_MAX, Session, SignIn, State,
};
use yiku_casework::store::Store;
use yiku_casework::{Actor, Error, Role};

const PASSWORD: &str = "Yiku-demo-2026";
const IP: &str = "192.0.2.1";

struct Office {
    _folder: tempfile::TempDir,
    store: Arc<Store>,
    accounts: Accounts,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(open(folder.path()));
        let accounts = Accounts::new(Arc::clone(&store), Cost::CHEAP);
        Self { _folder: folder, store, accounts }
    }

    fn establish(&self, login: &str, role: Role, scope: &str) -> Actor {
        let department = (role == Role::Department).then_some("housing");
        let number = id_number(1);
        let id_number = (role == Role::Citizen).then_some(number.as_str());
        let grant = Grant { role, scope, department, id_number };
        let name = (login, "虚构人");
        self.accounts.establish(name, &grant, PASSWORD, false, now()).unwrap().actor().unwrap()
    }

    fn sign_in(&self, login: &str, password: &str, at: DateTime) -> SignIn {
        self.accounts.sign_in(login, password, at, IP).unwrap()
    }

    fn signed_in(&self, login: &str, at: DateTime) -> Session {
        match self.sign_in(login, PASSWORD, at) {
            SignIn::Ok(session) => session,
            other => unreachable!("{other:?}"),
        }
    }
}

fn after(seconds: i64) -> DateTime {
    now().saturating_add(SignedDuration::from_secs(seconds))
}

const VILLAGER: Grant<'static> =
    Grant { role: Role::Village, scope: VILLAGE, department: None, id_number: None };

#[test]
fn an_account_goes_from_its_first_password_to_its_work() {
    let office = Office::new();
    let system = office.establish("system", Role::SystemAdmin, "");
    let security = office.establish("security", Role::SecurityAdmin, "");
    let (account, first) =
        office.accounts.create(&system, ("Cun.Yi", "虚构人"), now(), IP).unwrap();
    assert_eq!((account.role, account.login.as_str()), (None, "cun.yi"));
    assert_eq!(office.sign_in("cun.yi", &first, now()), SignIn::Wrong, "no role, no sign-in");
    office.accounts.grant(&security, &account.id, &VILLAGER, now(), IP).unwrap();
    let SignIn::MustChange(session) = office.sign_in(" CUN.YI ", &first, now()) else {
        unreachable!("the first password must be changed")
    };
    assert!(session.must_change);
    let changed = office.accounts.change_password(&session, &first, PASSWORD, now(), IP).unwrap();
    assert!(!changed.must_change);
    assert_ne!(changed.token, session.token);
    assert_eq!(office.accounts.session(&session.token, now()).unwrap(), None);
    let found = office.accounts.session(&changed.token, now()).unwrap().unwrap();
    assert_eq!((found.actor.role, found.actor.scope.as_str()), (Role::Village, VILLAGE));
    assert_eq!(found.actor.name, "虚构人");
}

#[test]
fn a_login_name_is_never_given_twice() {
    let office = Office::new();
    let system = office.establish("system", Role::SystemAdmin, "");
    let (account, _) = office.accounts.create(&system, ("cunyi", "甲"), now(), IP).unwrap();
    office.accounts.disable(&system, &account.id, now(), IP).unwrap();
    for login in ["cunyi", "CunYi", " cunyi "] {
        let again = office.accounts.create(&system, (login, "乙"), now(), IP);
        assert!(matches!(again, Err(Error::LoginTaken)), "{login}");
    }
    for login in ["", "a", "a b", "a\nb", "x".repeat(65).as_str(), "'; drop table account; --"] {
        let wrong = office.accounts.create(&system, (login, "乙"), now(), IP);
        assert!(matches!(wrong, Err(Error::Input { name: "login", .. })), "{login}");
    }
}

#[test]
fn administrators_are_separated() {
    let office = Office::new();
    let system = office.establish("system", Role::SystemAdmin, "");
    let security = office.establish("security", Role::SecurityAdmin, "");
    let audit = office.establish("audit", Role::AuditAdmin, "");
    let township = office.establish("town", Role::Township, TOWNSHIP);
    let (account, _) = office.accounts.create(&system, ("cunyi", "甲"), now(), IP).unwrap();
    let forbidden = |result: Result<(), Error>| {
        assert!(matches!(result, Err(Error::Forbidden { .. })), "{result:?}");
    };
    for by in [&security, &audit, &township] {
        forbidden(office.accounts.create(by, ("x1", "x"), now(), IP).map(drop));
        forbidden(office.accounts.disable(by, &account.id, now(), IP).map(drop));
        forbidden(office.accounts.enable(by, &account.id, now(), IP).map(drop));
    }
    for by in [&system, &audit, &township] {
        forbidden(office.accounts.grant(by, &account.id, &VILLAGER, now(), IP).map(drop));
        forbidden(office.accounts.unlock(by, &account.id, now(), IP).map(drop));
        forbidden(office.accounts.reset(by, &account.id, now(), IP).map(drop));
    }
    // Nobody makes an administrator of another class, nor acts on themselves.
    let admin = |role| Grant { role, scope: "", department: None, id_number: None };
    for role in [Role::SystemAdmin, Role::AuditAdmin, Role::System, Role::Citizen] {
        let grant = admin(role);
        forbidden(office.accounts.grant(&security, &account.id, &grant, now(), IP).map(drop));
    }
    forbidden(office.accounts.grant(&security, &security.account, &VILLAGER, now(), IP).map(drop));
    forbidden(office.accounts.disable(&system, &system.account, now(), IP).map(drop));
    // One account, one role: an administrator never becomes anything else, nor staff one.
    for (id, grant) in [
        (&audit.account, VILLAGER),
        (&system.account, VILLAGER),
        (&township.account, admin(Role::SecurityAdmin)),
    ] {
        let held = office.accounts.grant(&security, id, &grant, now(), IP);
        assert!(matches!(held, Err(Error::RoleHeld)), "{id}");
    }
    let moved = Grant { role: Role::County, scope: COUNTY, ..VILLAGER };
    office.accounts.grant(&security, &township.account, &moved, now(), IP).unwrap();
}

#[test]
fn a_scope_has_the_digits_of_its_role() {
    let office = Office::new();
    let id = id_number(1);
    let wrong_id = "999101199003076635";
    for (role, scope, department, number, right) in [
        (Role::Village, VILLAGE, None, None, true),
        (Role::Village, TOWNSHIP, None, None, false),
        (Role::Village, "", None, None, false),
        (Role::Township, "14112810x", None, None, false),
        (Role::County, COUNTY, None, None, true),
        (Role::Province, "14", None, None, true),
        (Role::Province, "", None, None, false),
        (Role::Department, COUNTY, Some("housing"), None, true),
        (Role::Department, COUNTY, None, None, false),
        (Role::County, COUNTY, Some("housing"), None, false),
        (Role::SystemAdmin, "14", None, None, false),
        (Role::Citizen, "", None, Some(id.as_str()), true),
        (Role::Citizen, "", None, Some(wrong_id), false),
        (Role::Citizen, "", None, None, false),
        (Role::County, COUNTY, None, Some(id.as_str()), false),
        (Role::System, "", None, None, false),
    ] {
        let grant = Grant { role, scope, department, id_number: number };
        let login = format!("{role:?}{}{}", scope.len(), right);
        let made = office.accounts.establish((&login, "甲"), &grant, PASSWORD, false, now());
        assert_eq!(made.is_ok(), right, "{grant:?}: {made:?}");
    }
}

#[test]
fn five_failures_lock_for_fifteen_minutes_whether_or_not_the_account_exists() {
    let office = Office::new();
    let security = office.establish("security", Role::SecurityAdmin, "");
    let village = office.establish("cunyi", Role::Village, VILLAGE);
    for login in ["cunyi", "nobody-at-all"] {
        for _ in 1..FAILURES_MAX {
            assert_eq!(office.sign_in(login, "Wrong-2026", now()), SignIn::Wrong, "{login}");
        }
        let until = after(LOCK_SECONDS);
        assert_eq!(office.sign_in(login, "Wrong-2026", now()), SignIn::Locked { until });
        // The right password does not open a lock, nor does asking lengthen it.
        assert_eq!(office.sign_in(login, PASSWORD, after(899)), SignIn::Locked { until });
    }
    office.signed_in("cunyi", after(LOCK_SECONDS));
    assert_eq!(office.sign_in("nobody-at-all", PASSWORD, after(LOCK_SECONDS)), SignIn::Wrong);
    // A success forgets failures; a security administrator opens a lock.
    for _ in 1..FAILURES_MAX {
        office.sign_in("cunyi", "Wrong-2026", after(1000));
    }
    office.signed_in("cunyi", after(1000));
    for _ in 0..FAILURES_MAX {
        office.sign_in("cunyi", "Wrong-2026", after(1000));
    }
    office.accounts.unlock(&security, &village.account, after(1000), IP).unwrap();
    office.signed_in("cunyi", after(1000));
}

#[test]
fn guesses_at_once_do_not_pass_the_lock() {
    let office = Office::new();
    office.establish("cunyi", Role::Village, VILLAGE);
    let wrong = std::thread::scope(|scope| {
        let guesses: Vec<_> =
            (0..24).map(|_| scope.spawn(|| office.sign_in("cunyi", "Wrong-2026", now()))).collect();
        guesses.into_iter().filter_map(|guess| guess.join().ok()).collect::<Vec<_>>()
    });
    let answered = wrong.iter().filter(|answer| **answer == SignIn::Wrong).count();
    assert_eq!(answered, FAILURES_MAX as usize - 1);
    assert_eq!(wrong.len(), 24);
}

#[test]
fn a_password_is_ruled_by_its_kinds_its_history_and_its_age() {
    let office = Office::new();
    office.establish("cunyi", Role::Village, VILLAGE);
    let mut session = office.signed_in("cunyi", now());
    let change = |session: &Session, old: &str, new: &str| {
        office.accounts.change_password(session, old, new, now(), IP)
    };
    let code = |result: Result<Session, Error>| match result {
        Err(Error::Password { code, .. }) => code,
        _ => "",
    };
    for (old, new, expected) in [
        ("Wrong-2026", "Other-2026", "wrong"),
        (PASSWORD, "Sh0rt-", "short"),
        (PASSWORD, "cunyi-2026-A", "login"),
        (PASSWORD, "Qwer1234!", "weak"),
        (PASSWORD, PASSWORD, "repeated"),
    ] {
        assert_eq!(code(change(&session, old, new)), expected, "{new}");
    }
    let mut old = PASSWORD.to_owned();
    for number in 1..=5 {
        let new = format!("Other-{number}-2026");
        session = change(&session, &old, &new).unwrap();
        assert_eq!(code(change(&session, &new, &old)), "repeated");
        old = new;
    }
    // The first is out of the last five by now.
    session = change(&session, &old, PASSWORD).unwrap();
    assert!(!session.must_change);
    let old_enough = now().checked_add(90.days()).unwrap();
    assert!(matches!(office.sign_in("cunyi", PASSWORD, old_enough), SignIn::Ok(_)));
    let too_old = now().checked_add(91.days()).unwrap();
    assert!(matches!(office.sign_in("cunyi", PASSWORD, too_old), SignIn::MustChange(_)));
}

#[test]
fn a_session_ends_when_idle_when_long_when_signed_out_and_when_there_are_too_many() {
    let office = Office::new();
    let system = office.establish("system", Role::SystemAdmin, "");
    let village = office.establish("cunyi", Role::Village, VILLAGE);
    let alive = |session: &Session, at| office.accounts.session(&session.token, at).unwrap();
    let session = office.signed_in("cunyi", now());
    assert!(alive(&session, after(1799)).is_some());
    assert!(alive(&session, after(1799 + 1800)).is_some(), "use keeps it");
    assert_eq!(alive(&session, after(1799 + 1800 + 1801)), None);
    let session = office.signed_in("cunyi", now());
    for minute in (0..=720).step_by(20) {
        assert!(alive(&session, after(minute * 60)).is_some(), "minute {minute}");
    }
    assert_eq!(alive(&session, after(12 * 3600 + 1)), None, "twelve hours are the most");
    let session = office.signed_in("cunyi", now());
    office.accounts.sign_out(&session.token, now(), IP).unwrap();
    assert_eq!(alive(&session, now()), None);
    let sessions: Vec<_> =
        (0..=SESSIONS_MAX).map(|at| office.signed_in("cunyi", after(at as i64))).collect();
    assert_eq!(alive(&sessions[0], after(10)), None, "the oldest ended");
    assert!(sessions[1..].iter().all(|session| alive(session, after(10)).is_some()));
    office.accounts.disable(&system, &village.account, after(10), IP).unwrap();
    assert!(sessions.iter().all(|session| alive(session, after(10)).is_none()));
    assert_eq!(office.sign_in("cunyi", PASSWORD, after(10)), SignIn::Wrong);
    for token in ["", "x", "' OR 1", &"x".repeat(1000)] {
        assert_eq!(office.accounts.session(token, now()).unwrap(), None);
    }
    assert_eq!(office.accounts.account(&village.account).unwrap().state, State::Disabled);
}

#[test]
fn a_citizen_is_one_account_however_they_come() {
    let office = Office::new();
    let (one, two) = (id_number(1), id_number(2));
    let come = |issuer: &str, subject: &str, number: &str| {
        office.accounts.citizen_by_oidc((issuer, subject), ("赵虚构", number), now(), IP)
    };
    let first = come("https://a.example", "s1", &one).unwrap();
    assert_eq!(first.actor.role, Role::Citizen);
    assert_eq!(first.actor.person, Some(office.store.index(&one).unwrap()));
    let again = come("https://b.example", "t1", &one.to_lowercase()).unwrap();
    assert_eq!(again.account.id, first.account.id);
    assert!(matches!(come("https://a.example", "s1", &two), Err(Error::OtherPerson)));
    assert_ne!(come("https://a.example", "s2", &two).unwrap().account.id, first.account.id);
    let wrong = come("https://a.example", "s3", "999101199003076635");
    assert!(matches!(wrong, Err(Error::Input { name: "id_number", .. })));
    // An account without a password is opened by none.
    let login = &first.account.login;
    assert_eq!(office.sign_in(login, "", now()), SignIn::Wrong);
}

#[test]
fn a_role_that_was_changed_in_the_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = Accounts::new(Arc::new(open(folder.path())), Cost::CHEAP);
    let account = accounts.establish(("cunyi", "甲"), &VILLAGER, PASSWORD, false, now()).unwrap();
    let file = rusqlite::Connection::open(folder.path().join("cases/casework.db")).unwrap();
    for (change, back) in [
        ("role = 'county'", "role = 'village'"),
        ("scope = '14'", "scope = '141128101201'"),
        ("department = 'housing'", "department = NULL"),
        ("state = 'disabled'", "state = 'active'"),
        ("person = 'x'", "person = NULL"),
    ] {
        file.execute(&format!("UPDATE account SET {change}"), []).unwrap();
        let read = accounts.account(&account.id);
        assert!(matches!(read, Err(Error::Tampered { table: "account", .. })), "{change}");
        let entered = accounts.sign_in("cunyi", PASSWORD, now(), IP);
        assert!(matches!(entered, Err(Error::Tampered { .. })), "{change}");
        file.execute(&format!("UPDATE account SET {back}"), []).unwrap();
    }
    accounts.account(&account.id).unwrap();
}

#[test]
fn a_reset_password_must_be_changed_and_ends_what_was_open() {
    let office = Office::new();
    let security = office.establish("security", Role::SecurityAdmin, "");
    let village = office.establish("cunyi", Role::Village, VILLAGE);
    let session = office.signed_in("cunyi", now());
    let first = office.accounts.reset(&security, &village.account, now(), IP).unwrap();
    assert_eq!(office.accounts.session(&session.token, now()).unwrap(), None);
    assert_eq!(office.sign_in("cunyi", PASSWORD, now()), SignIn::Wrong);
    assert!(matches!(office.sign_in("cunyi", &first, now()), SignIn::MustChange(_)));
    let listed = office.accounts.list("", 10).unwrap();
    assert_eq!(listed.len(), 2);
    let later = now().checked_add(91.days()).unwrap();
    assert!(listed.iter().all(|account| Accounts::is_unused(account, later)));
    assert!(!listed.iter().any(|account| Accounts::is_unused(account, now())));
}
