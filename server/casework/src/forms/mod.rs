//! Forms as data: what is asked, how it is checked, how it is hidden, where it goes.
//!
//! One definition (`server/casework/forms/*.toml`) gives the pages their fields, the server its
//! check and the registry its columns. Answers are JSON by block: `{family: {…}, members: [{…}]}`,
//! money in whole fen, days as `YYYY-MM-DD`, codes as the text of their list.
//!
//! Invariants: every field is declared once (`fields.toml`), a form chooses among them; an answer
//! that no field asks for is a fault; no text of a fault repeats what was answered.
//!
//! ```
//! use jiff::civil::date;
//! use serde_json::json;
//! use yiku_casework::forms::{Strictness, form};
//!
//! let assessment = form("assessment").unwrap();
//! let answers = json!({"family": {"region": "999101", "urban": false}, "members": [{
//!     "relation": "02", "sex": "2", "age": 71, "labour_ability": "4",
//! }]});
//! assert!(assessment.check(&answers, date(2026, 3, 2), Strictness::Submit).is_empty());
//! ```

mod check;
mod hide;
pub mod id_number;
pub mod path;
mod read;
mod say;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use check::{Fault, Strictness};
pub use read::FormError;

/// A text in both languages of the pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// Whole fen, 0 to below 10^13.
    Money,
    /// A whole number from 0.
    Int,
    /// A day, `YYYY-MM-DD`, not in the future.
    Date,
    /// Yes or no.
    Flag,
    /// A code of the field's list.
    Code,
    /// Several codes of the field's list.
    Codes,
    /// A citizen's number of 18 characters (GB 11643).
    IdNumber,
    /// 11 digits.
    Phone,
    /// An account number of 12 to 19 digits.
    Bank,
    /// The digits of a region.
    Region,
    /// Digests of attachments.
    Files,
    /// The digest of an attached picture of a signature.
    Signature,
}

/// Something is asked only where another answer is one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// `aid.kind`; without a block, a field of the same entry.
    pub field: String,
    /// The answers it is asked for.
    pub is: Vec<Value>,
}

/// One thing that is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its name within the block.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// What stands before it.
    pub label: Text,
    /// Whether it must be answered before the form is handed in, where it is asked.
    pub required: bool,
    /// The list its codes come from.
    pub list: Option<String>,
    /// How it is shown to whoever has not asked for it: a kind of [`crate::secret::mask`].
    pub mask: Option<String>,
    /// The registry's column it goes to, `person.sex`.
    pub column: Option<String>,
    /// What helps to answer it.
    pub help: Option<Text>,
    /// What a person reads behind it.
    pub unit: Option<Text>,
    /// When it is asked.
    pub when: Option<When>,
    /// The least number.
    pub min: Option<i64>,
    /// The greatest number, amount in fen, length in characters or count, by kind.
    pub max: Option<i64>,
    /// Whether only yes will do.
    pub agree: bool,
}

/// Fields of one block of the answers that are asked together. A block may be asked in several
/// parts: the report asks for the members, and later for the health of each.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// The block of the answers.
    pub name: String,
    /// What stands above it.
    pub label: Text,
    /// The section that this part and its neighbours belong to.
    pub section: Option<Text>,
    /// What helps.
    pub help: Option<Text>,
    /// Whether the block is a list of entries.
    pub repeats: bool,
    /// Whether entries are added and removed here: only in the first part of a block.
    pub adds: bool,
    /// The fewest entries.
    pub min: usize,
    /// The most entries.
    pub max: usize,
    /// The field that an entry is called by.
    pub title: Option<String>,
    /// When the part is asked.
    pub when: Option<When>,
    /// Groups of fields of which one at least must be answered.
    pub any_of: Vec<Vec<String>>,
    /// The lengths that a region may have here.
    pub digits: Vec<usize>,
    /// Fields in which no two entries may agree.
    pub unique: Vec<String>,
    /// What is asked.
    pub fields: Vec<Field>,
}

/// A code list that forms offer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The registry's list that it is a copy of.
    pub registry: Option<String>,
    /// Codes of the registry's list that no form offers.
    #[serde(default)]
    pub leaves_out: Vec<String>,
    /// Code, Chinese, English.
    pub codes: Vec<(String, String, String)>,
}

/// A form.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Its name.
    pub name: String,
    /// What it is called.
    pub label: Text,
    /// What it asks, in the order of the pages.
    pub parts: Vec<Part>,
    lists: BTreeMap<String, List>,
}

/// All forms and lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Forms {
    forms: Vec<Form>,
    lists: BTreeMap<String, List>,
}

static BUILT_IN: LazyLock<Result<Forms, FormError>> = LazyLock::new(read::built_in);

/// The forms built into the program.
///
/// # Errors
/// Where a definition is wrong, which the tests rule out.
pub fn forms() -> Result<&'static Forms, &'static FormError> {
    BUILT_IN.as_ref()
}

/// A form by name: `assessment`, `application`, `declaration`, `change`, `report`, `survey`,
/// `authorisation`.
#[must_use]
pub fn form(name: &str) -> Option<&'static Form> {
    forms().ok()?.form(name)
}

/// A code list by name, for other pages than forms.
#[must_use]
pub fn list(name: &str) -> Option<&'static List> {
    forms().ok()?.lists.get(name)
}

impl Forms {
    /// A form by name.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.name == name)
    }

    /// The names of the forms.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.forms.iter().map(|form| form.name.as_str())
    }

    /// Every code list by name.
    #[must_use]
    pub fn lists(&self) -> &BTreeMap<String, List> {
        &self.lists
    }
}

impl Form {
    /// The form as pages read it:
    /// `{name, label, blocks: [part…], lists: {name: [[code, zh, en]…]}}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let lists: Map<String, Value> =
            self.lists.iter().map(|(name, list)| (name.clone(), json!(list.codes))).collect();
        json!({
            "name": self.name,
            "label": self.label,
            "blocks": self.parts,
            "lists": lists,
        })
    }

    /// Which answers go to the registry: `members.sex` and `person.sex`.
    #[must_use]
    pub fn columns(&self) -> Vec<(String, String)> {
        let columns = self.parts.iter().flat_map(|part| {
            part.fields.iter().filter_map(|field| {
                Some((format!("{}.{}", part.name, field.name), field.column.clone()?))
            })
        });
        columns.collect()
    }

    /// The field that a path of the answers leads to: `members[1].id_number`.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&Field> {
        let steps = path::steps(path)?;
        let (block, name) = match steps.as_slice() {
            [path::Step::Name(block), path::Step::Name(name)]
            | [path::Step::Name(block), path::Step::Entry(_), path::Step::Name(name)] => {
                (block, name)
            }
            _ => return None,
        };
        let mut parts = self.parts.iter().filter(|part| part.name == *block);
        parts.find_map(|part| part.fields.iter().find(|field| field.name == *name))
    }

    /// The answers with what is personal hidden. What no field asks for is left out.
    #[must_use]
    pub fn masked(&self, answers: &Value) -> Value {
        hide::masked(self, answers)
    }

    /// What the form asks of other answers, to begin with: the rest is left out.
    #[must_use]
    pub fn prefilled(&self, answers: &Value) -> Value {
        hide::asked(self, answers)
    }

    /// New answers in which every value that stands as [`Form::masked`] showed it is put back to
    /// what it was in the kept answers. An entry is known by all its masked values together.
    #[must_use]
    pub fn unmasked(&self, new: &Value, kept: &Value) -> Value {
        hide::unmasked(self, new, kept)
    }

    /// What is wrong with the answers, in the order of the pages; nothing is when it is empty.
    #[must_use]
    pub fn check(
        &self,
        answers: &Value,
        today: jiff::civil::Date,
        strictness: Strictness,
    ) -> Vec<Fault> {
        check::faults(self, answers, today, strictness)
    }

    /// What may be a slip but does not stop anybody: a bank account whose check digit is unusual.
    #[must_use]
    pub fn doubts(&self, answers: &Value) -> Vec<Fault> {
        check::doubts(self, answers)
    }
}
