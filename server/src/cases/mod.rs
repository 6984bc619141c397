//! Where case-work meets the registry and the rules: what a command must be told, what a viewer is
//! shown, what goes into the registry, and which households a rule points at.
//!
//! Invariants: case-work decides, this module only finds out; whatever is shown to staff is masked
//! unless they wrote it themselves or asked for it with a reason.

pub(crate) mod answers;
pub(crate) mod calculation;
pub(crate) mod delivery;
pub(crate) mod evidence;
pub(crate) mod findings;
pub(crate) mod shown;
pub(crate) mod watch;
pub(crate) mod worker;

use std::sync::LazyLock;

use yiku_casework::Kind;
use yiku_casework::forms::{Form, form};
use yiku_casework::workdays::Calendar;
use yiku_queries::household::PolicyBook;
use yiku_queries::warnings::Rules;

use crate::problem::{Code, Problem};

static WORKDAYS: LazyLock<Option<Calendar>> = LazyLock::new(|| Calendar::built_in().ok());
static BOOK: LazyLock<Option<PolicyBook>> = LazyLock::new(|| PolicyBook::built_in().ok());
static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| Rules::built_in().ok());

/// The holiday calendar in the program.
pub(crate) fn workdays() -> Result<&'static Calendar, Problem> {
    WORKDAYS.as_ref().ok_or_else(|| Problem::new(Code::Fault))
}

/// The policies in the program.
pub(crate) fn book() -> Result<&'static PolicyBook, Problem> {
    BOOK.as_ref().ok_or_else(|| Problem::new(Code::Fault))
}

/// The warning rules in the program.
pub(crate) fn rules() -> Result<&'static Rules, Problem> {
    RULES.as_ref().ok_or_else(|| Problem::new(Code::Fault))
}

/// The form whose answers a kind of case has.
pub(crate) fn form_of(kind: Kind) -> Option<&'static Form> {
    match kind {
        Kind::Declaration => form("declaration"),
        Kind::Change => form("change"),
        Kind::Report => form("report"),
        Kind::Application => form("application"),
        Kind::Survey => form("survey"),
        Kind::Authorisation | Kind::Warning | Kind::LifeCheck => None,
    }
}
