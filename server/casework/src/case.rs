//! What all kinds of cases share: who acts, on what, and what comes of it.
//!
//! Invariants: everything here is plain data; a case is only ever changed by applying an event.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What somebody is to the platform. Roles and their scope follow the client's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 公众: themselves and their own household.
    Citizen,
    /// 村(社区)工作人员, scope of 12 digits.
    Village,
    /// 乡镇, scope of 9 digits.
    Township,
    /// 县, scope of 6 digits.
    County,
    /// 市, scope of 4 digits.
    City,
    /// 省, scope of 2 digits.
    Province,
    /// 部门用户: a department within a region.
    Department,
    /// 系统管理员.
    SystemAdmin,
    /// 安全管理员.
    SecurityAdmin,
    /// 审计管理员.
    AuditAdmin,
    /// The platform itself; never an account.
    System,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The account.
    pub account: String,
    /// The name that is shown beside what they did.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// The digits every region of theirs begins with; empty for citizens and administrators.
    pub scope: String,
    /// The department of a department's user.
    pub department: Option<String>,
    /// The blind index of a citizen's own ID number.
    pub person: Option<String>,
}

/// The kinds of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 自主申报.
    Declaration,
    /// 信息变更 and 注销.
    Change,
    /// 基层上报.
    Report,
    /// 救助申请.
    Application,
    /// 核对授权.
    Authorisation,
    /// 预警.
    Warning,
    /// 入户调查.
    Survey,
    /// 生存认证.
    LifeCheck,
}

/// A text in both languages of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// A field of the answers that somebody marked as wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where: `members[1].monthly_income`.
    pub path: String,
    /// What is wrong.
    pub note: String,
}

/// A case of any kind as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFile {
    /// Its number, which says nothing of a person.
    pub id: String,
    /// What kind of case.
    pub kind: Kind,
    /// The state, a word of the kind's table.
    pub state: String,
    /// How many events it has had.
    pub version: u64,
    /// The region it belongs to, 2 to 12 digits.
    pub region: String,
    /// The blind index of the ID number of the person whose case it is.
    pub owner: Option<String>,
    /// The account that opened it.
    pub author: String,
    /// The key of the household in the registry, once known.
    pub household: Option<String>,
    /// When it was opened.
    pub opened_at: DateTime,
    /// When it last changed.
    pub changed_at: DateTime,
    /// The day by which the next step is due.
    pub due_on: Option<Date>,
    /// The level of a warning: `red`, `orange`, `yellow`.
    pub level: Option<String>,
    /// The answers of its form, by block.
    pub answers: Value,
    /// What was marked as wrong in them.
    pub marks: Vec<Mark>,
    /// What is particular to the kind.
    pub facts: Value,
    /// Cases it is linked to.
    pub links: Vec<String>,
    /// SM3 digests of what is attached.
    pub attachments: Vec<String>,
}

/// Something that happened to a case; applying it gives the next version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The command that it came from.
    pub command: String,
    /// Who acted.
    pub actor: Actor,
    /// When, in the platform's local time.
    pub at: DateTime,
    /// The state after it.
    pub state: String,
    /// What it brings, particular to the kind.
    pub body: Value,
}

/// What a decision causes beyond its own case, done in the same transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Something for the registry; goes through the outbox once.
    Registry {
        /// The change, without its sequence number, which the outbox gives.
        body: Value,
    },
    /// Another case is opened by the platform and linked to this one.
    Open {
        /// Its kind.
        kind: Kind,
        /// Its region.
        region: String,
        /// The input of its first command.
        input: Value,
    },
    /// A line of the payment list.
    Pay {
        /// The month from which it is paid, `YYYY-MM`.
        from: String,
        /// Kind of aid, a code of the registry.
        aid: String,
        /// Fen a month, or once.
        amount: i64,
        /// Whether it is paid once.
        once: bool,
    },
    /// The case's line of the payment list ends.
    StopPay {
        /// The last month that is paid, `YYYY-MM`.
        last: String,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// At least one.
    pub events: Vec<Event>,
    /// Any number.
    pub effects: Vec<Effect>,
}

/// A rule says no. A citizen may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// A stable word: `authorisation.missing`.
    pub ground: &'static str,
    /// What to tell, in Chinese.
    pub zh: String,
    /// What to tell, in English.
    pub en: String,
    /// The input or answer that it is about.
    pub field: Option<String>,
}

/// What a decision may look at besides the case: all of it found by the caller.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Now, in the platform's local time.
    pub now: DateTime,
    /// Which days are worked: adds working days to a date.
    pub workdays: &'a dyn Workdays,
    /// What the caller found out for this command.
    pub evidence: Evidence,
}

/// A calendar of working days.
pub trait Workdays: std::fmt::Debug + Send + Sync {
    /// The day that many working days after a day; the day itself does not count.
    fn after(&self, day: Date, days: u32) -> Date;
}

/// What the caller found out for a command; what a command does not need is left empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Blind indexes of persons whose authorisation is valid now, with the case of each.
    pub authorised: Vec<(String, String)>,
    /// Blind index and masked name of each adult member who must have authorised.
    pub adults: Vec<(String, String)>,
    /// Open cases and households of the registry with the same ID number: kind or `household`, key.
    pub duplicates: Vec<(String, String)>,
    /// The answers as the registry has them now.
    pub current: Option<Value>,
    /// What the policy book computed: `{amount, formula, steps, policy, package}`.
    pub calculation: Option<Value>,
    /// Findings of the cross-department check, item by item.
    pub checks: Option<Value>,
    /// Linked cases: id, kind, state.
    pub linked: Vec<(String, Kind, String)>,
    /// Of a recording: `{score, threshold, quality, quality_least, model, reference: bool}`.
    pub voice: Option<Value>,
    /// Digest and media type of attachments the command names.
    pub attachments: Vec<(String, String)>,
    /// Faults of the form, as texts in both languages by path; empty when it is complete.
    pub faults: Vec<(String, String, String)>,
}

/// What a command asks for: pages draw it from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Input {
    /// The name in the command's input.
    pub name: &'static str,
    /// How it is asked: `text`, `long_text`, `money`, `date`, `code`, `codes`, `flag`, `marks`,
    /// `choices`, `case`, `files`, `region`, `amount`, `number`, `signature`, `signatures`.
    pub kind: &'static str,
    /// What stands before it.
    pub label: Label,
    /// Whether the command is refused without it.
    pub required: bool,
    /// The choices of a `code` or `codes`.
    pub options: &'static [(&'static str, Label)],
}

/// A command of a kind: who may give it, in which states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Action {
    /// The command.
    pub name: &'static str,
    /// What stands on its button.
    pub label: Label,
    /// `primary`, `plain` or `danger`.
    pub tone: &'static str,
    /// States in which it may be given.
    #[serde(skip)]
    pub from: &'static [&'static str],
    /// Roles that may give it within their scope.
    #[serde(skip)]
    pub roles: &'static [Role],
    /// Whether only the owner or author may give it.
    #[serde(skip)]
    pub own: bool,
    /// What it asks for.
    pub input: &'static [Input],
}
