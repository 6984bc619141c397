//! Which cases somebody may see at all.
//!
//! Invariant: nothing is the answer to whatever was not thought of. What is in a draft is its
//! writer's alone.

use rusqlite::types::Value;

use super::outbox::Notice;
use crate::case::{Actor, CaseFile, Role};
use crate::rights::within;

/// Which cases somebody may see at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// None: administrators, and staff without a scope.
    Nothing,
    /// Those of one citizen.
    Own {
        /// The blind index of their ID number.
        person: Option<String>,
        /// Their account.
        account: String,
    },
    /// Those of a region, drafts of others excepted.
    Region {
        /// The digits every region of theirs begins with, at least two.
        scope: String,
        /// Their account.
        account: String,
    },
    /// Warnings of a region that were transferred to a department.
    Department {
        /// The digits every region of theirs begins with, at least two.
        scope: String,
        /// The department.
        department: String,
    },
    /// All: the platform itself.
    Platform,
}

/// What reach is decided on.
struct Seen<'a> {
    region: &'a str,
    state: &'a str,
    owner: Option<&'a str>,
    author: &'a str,
    departments: &'a str,
}

impl Reach {
    /// The reach of an actor.
    pub fn of(actor: &Actor) -> Self {
        let scope = actor.scope.clone();
        let account = actor.account.clone();
        match actor.role {
            Role::Citizen => Self::Own { person: actor.person.clone(), account },
            Role::System => Self::Platform,
            Role::SystemAdmin | Role::SecurityAdmin | Role::AuditAdmin => Self::Nothing,
            _ if !within(&scope, &scope) => Self::Nothing,
            Role::Department => match actor.department.clone() {
                Some(department) => Self::Department { scope, department },
                None => Self::Nothing,
            },
            Role::Village | Role::Township | Role::County | Role::City | Role::Province => {
                Self::Region { scope, account }
            }
        }
    }

    /// Whether a case is within it.
    pub fn covers(&self, case: &CaseFile) -> bool {
        self.sees(&Seen {
            region: &case.region,
            state: &case.state,
            owner: case.owner.as_deref(),
            author: &case.author,
            departments: &super::found::departments(case),
        })
    }

    /// Whether a notice is of a case within it.
    pub fn hears(&self, notice: &Notice) -> bool {
        self.sees(&Seen {
            region: &notice.region,
            state: &notice.state,
            owner: notice.owner.as_deref(),
            author: &notice.author,
            departments: &notice.departments,
        })
    }

    fn sees(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Own { person, account } => {
                seen.author == account || (person.is_some() && seen.owner == person.as_deref())
            }
            Self::Region { scope, account } => {
                within(scope, seen.region) && (seen.state != "draft" || seen.author == account)
            }
            Self::Department { scope, department } => {
                within(scope, seen.region) && seen.departments.contains(&format!(" {department} "))
            }
            Self::Platform => true,
        }
    }

    /// The same as one clause of SQL over `cases`, with its values.
    pub(super) fn clause(&self) -> (&'static str, Vec<Value>) {
        let text = |text: &str| Value::Text(text.to_owned());
        // The character after '9' ends the range of all codes with the same beginning.
        let past = |scope: &str| Value::Text(format!("{scope}:"));
        match self {
            Self::Nothing => ("0", Vec::new()),
            Self::Own { person: Some(person), account } => {
                ("(owner = ? OR author = ?)", vec![text(person), text(account)])
            }
            Self::Own { person: None, account } => ("author = ?", vec![text(account)]),
            Self::Region { scope, account } => (
                "(region >= ? AND region < ? AND (state <> 'draft' OR author = ?))",
                vec![text(scope), past(scope), text(account)],
            ),
            Self::Department { scope, department } => (
                "(region >= ? AND region < ? AND instr(departments, ?) > 0)",
                vec![text(scope), past(scope), text(&format!(" {department} "))],
            ),
            Self::Platform => ("1", Vec::new()),
        }
    }
}
