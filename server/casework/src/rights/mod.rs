//! Who may do what: nothing, unless a line of the rights file says so.
//!
//! Invariants: the file `rights.toml` is the one truth, and tests call every route as every role
//! against it; a route, a method or a role that is not in it is denied.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::case::Role;
use crate::error::{Error, Result};
use crate::store::role_of;

/// The rights that this program was built with.
const BUILT_IN: &str = include_str!("../../rights.toml");

/// The word for who has no session.
const ANYONE: &str = "anyone";

/// Every role that an account can have.
pub const ROLES: [Role; 10] = [
    Role::Citizen,
    Role::Village,
    Role::Township,
    Role::County,
    Role::City,
    Role::Province,
    Role::Department,
    Role::SystemAdmin,
    Role::SecurityAdmin,
    Role::AuditAdmin,
];

/// How far a route reaches for who may ask it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Nothing of persons or cases.
    None,
    /// The own account and session.
    #[serde(rename = "self")]
    Itself,
    /// A citizen's own cases and household.
    Own,
    /// Cases within reach.
    Reach,
    /// Figures, households and lists of the own region.
    Region,
    /// Accounts and their roles.
    Accounts,
    /// The journal.
    Journal,
}

/// A method of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// The pattern: `/api/v1/cases/{id}`.
    pub path: String,
    /// Whether no session is needed; then every role may, too.
    pub anyone: bool,
    /// The roles that may.
    pub roles: BTreeSet<Role>,
    /// How far it reaches.
    pub scope: Scope,
}

/// Which role may ask which route.
#[derive(Debug, Clone)]
pub struct Rights {
    routes: BTreeMap<(String, String), Route>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: BTreeMap<String, Vec<String>>,
    route: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    path: String,
    methods: Vec<String>,
    roles: Vec<String>,
    scope: Scope,
}

impl Rights {
    /// The rights that this program was built with.
    ///
    /// # Errors
    /// When the file contradicts itself, which a test forbids.
    pub fn built_in() -> Result<Self> {
        Self::parse(BUILT_IN)
    }

    /// Reads a rights file.
    ///
    /// # Errors
    /// When it is not of its form, names no role or an unknown one, or gives a method twice.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text)
            .map_err(|source| Error::RightsText { source: Box::new(source) })?;
        let mut routes = BTreeMap::new();
        for line in &file.route {
            let wrong = |what| Error::Rights { what, name: line.path.clone() };
            if line.roles.is_empty() || line.methods.is_empty() {
                return Err(wrong("a route without roles or methods"));
            }
            let anyone = line.roles.iter().any(|word| word == ANYONE);
            let roles = roles_of(&file.groups, &line.roles)?;
            for method in &line.methods {
                let route = Route {
                    method: method.clone(),
                    path: line.path.clone(),
                    anyone,
                    roles: roles.clone(),
                    scope: line.scope,
                };
                if routes.insert((method.clone(), plain(&line.path)), route).is_some() {
                    return Err(wrong("a method that is given twice"));
                }
            }
        }
        Ok(Self { routes })
    }

    /// Whether somebody may ask a route; `None` is who has no session. The names between braces
    /// do not matter.
    pub fn allows(&self, role: Option<Role>, method: &str, path: &str) -> bool {
        self.route(method, path).is_some_and(|route| {
            route.anyone || role.is_some_and(|role| route.roles.contains(&role))
        })
    }

    /// The line of a route.
    pub fn route(&self, method: &str, path: &str) -> Option<&Route> {
        self.routes.get(&(method.to_owned(), plain(path)))
    }

    /// Every method of every route.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.values()
    }
}

fn roles_of(groups: &BTreeMap<String, Vec<String>>, words: &[String]) -> Result<BTreeSet<Role>> {
    let mut roles = BTreeSet::new();
    for word in words.iter().filter(|word| *word != ANYONE) {
        let members = groups.get(word).map_or(std::slice::from_ref(word), Vec::as_slice);
        for member in members {
            let role = role_of(member).filter(|role| *role != Role::System);
            let unknown = Error::Rights { what: "no role or group", name: member.clone() };
            roles.insert(role.ok_or(unknown)?);
        }
    }
    Ok(roles)
}

/// A pattern without the names of its parts.
fn plain(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Whether a region is within a scope: the scope has at least a province's two digits, and the
/// region begins with it.
///
/// ```
/// use yiku_casework::rights::within;
/// assert!(within("1411", "141124101"));
/// assert!(!within("141124", "1411"));
/// assert!(!within("", "1411"));
/// ```
pub fn within(scope: &str, region: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    scope.len() >= 2 && digits(scope) && digits(region) && region.starts_with(scope)
}
