//! People on the platform: signing in and out, sessions, what a role may, the first accounts.

use yiku_casework::accounts::{Grant, SignIn};
use yiku_casework::{Error as CaseworkError, Role, secret};

use super::Platform;
use super::oidc::Person;
use crate::error::Error;
use crate::http::signed::Signed;
use crate::problem::{Code, Problem};

/// The accounts that a store begins with: login, name, role.
const FIRST: [(&str, &str, Role); 3] = [
    ("system", "系统管理员", Role::SystemAdmin),
    ("security", "安全管理员", Role::SecurityAdmin),
    ("audit", "审计管理员", Role::AuditAdmin),
];
/// Letters and digits of a first password: none that looks like another.
const PLAIN: &str = "abcdefghjkmnpqrstuvwxyz23456789";
const PLAIN_LENGTH: usize = 14;

/// What an invited person is there for.
const INVITED: [&str; 2] = ["/api/v1/authorisations/document", "/api/v1/authorisations/sign"];

fn told(error: &CaseworkError) -> Problem {
    Problem::of_casework(error)
}

impl Platform {
    /// Whether somebody may ask a route: by their role, and within what their session is for.
    pub(crate) fn allows(&self, method: &str, route: &str, signed: Option<&Signed>) -> bool {
        let role = signed.map(|signed| signed.actor.role);
        if !self.rights.allows(role, method, route) {
            return false;
        }
        // Who came by an invitation signs, and does nothing else that needs a session.
        let limited = signed.is_some_and(|signed| signed.session.only.is_some());
        let open = self.rights.route(method, route).is_some_and(|found| found.anyone);
        !limited || open || INVITED.contains(&route)
    }

    /// Whoever a session's token names, while the session runs; each call is a use of it.
    pub(crate) fn session(&self, token: &str, ip: &str) -> Result<Option<Signed>, Problem> {
        let found = self.accounts.session(token, self.now()).map_err(|error| told(&error))?;
        Ok(found.map(|session| Signed::new(session, ip)))
    }

    /// Signs somebody in with a password.
    pub(crate) fn sign_in(&self, login: &str, password: &str, ip: &str) -> Result<Signed, Problem> {
        let answer = self.accounts.sign_in(login, password, self.now(), ip);
        match answer.map_err(|error| told(&error))? {
            SignIn::Ok(session) | SignIn::MustChange(session) => Ok(Signed::new(session, ip)),
            SignIn::Locked { until } => {
                Err(Problem::new(Code::SessionLocked).and("until", until.to_string()))
            }
            SignIn::Wrong => Err(Problem::new(Code::SessionWrong)),
        }
    }

    /// Signs somebody out.
    pub(crate) fn sign_out(&self, signed: &Signed) -> Result<(), Problem> {
        let token = &signed.session.token;
        self.accounts.sign_out(token, self.now(), &signed.ip).map_err(|error| told(&error))
    }

    /// Changes somebody's own password; the session is another one afterwards.
    pub(crate) fn change_password(
        &self,
        signed: &Signed,
        old: &str,
        new: &str,
    ) -> Result<Signed, Problem> {
        let (now, ip) = (self.now(), &signed.ip);
        let session = self.accounts.change_password(&signed.session, old, new, now, ip);
        Ok(Signed::new(session.map_err(|error| told(&error))?, ip))
    }

    /// The token of a session of a citizen whom another service signed in.
    pub(crate) fn citizen(&self, person: &Person, ip: &str) -> Result<String, Problem> {
        let Person { issuer, subject, name, id_number } = person;
        let (known, told_of) =
            ((issuer.as_str(), subject.as_str()), (name.as_str(), id_number.as_str()));
        let session = self.accounts.citizen_by_oidc(known, told_of, self.now(), ip);
        Ok(session.map_err(|error| told(&error))?.token)
    }

    /// Makes the three administrators of a store without accounts, each with a password that must
    /// be changed; gives login and password of each, or nothing where there are accounts.
    ///
    /// # Errors
    /// [`Error::Platform`] when the store cannot be read or written.
    pub fn first_accounts(&self) -> Result<Vec<(&'static str, String)>, Error> {
        let failed = |source| Error::Platform { source };
        if !self.accounts.list("", 1).map_err(failed)?.is_empty() {
            return Ok(Vec::new());
        }
        let mut made = Vec::new();
        for (login, name, role) in FIRST {
            let plain = secret::code(PLAIN, PLAIN_LENGTH).map_err(failed)?;
            let password = format!("Y-{plain}7");
            let grant = Grant { role, scope: "", department: None, id_number: None };
            let now = self.now();
            let done = self.accounts.establish((login, name), &grant, &password, true, now);
            done.map_err(failed)?;
            made.push((login, password));
        }
        Ok(made)
    }
}
