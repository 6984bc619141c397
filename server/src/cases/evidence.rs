//! What a command must be told beyond the case itself: found here, judged by case-work.
//!
//! Invariant: nothing of it is taken from whoever gives the command, but for what they attached.

use jiff::civil::{Date, DateTime};
use serde_json::Value;
use yiku::Snapshot;
use yiku_casework::forms::Strictness;
use yiku_casework::secret::mask;
use yiku_casework::store::{Filter, Reach, Store};
use yiku_casework::{CaseFile, Evidence, Kind, machine};
use yiku_indexer::{find_person, household};

use super::answers::{answers_of, head_number, members, text};
use super::calculation::calculation;
use super::findings::findings;
use super::form_of;
use crate::platform::Platform;
use crate::problem::Problem;

/// The age from which somebody signs for themselves.
const ADULT: i16 = 18;
/// The most open cases of one ID number that are looked at.
const SAME_MAX: usize = 50;

/// A command about to be given.
pub(crate) struct Asked<'a> {
    /// The kind of the case.
    pub(crate) kind: Kind,
    /// The case, once it is open.
    pub(crate) case: Option<&'a CaseFile>,
    /// The command.
    pub(crate) command: &'a str,
    /// What it brings.
    pub(crate) input: &'a Value,
}

impl Asked<'_> {
    /// The answers that the command is about.
    fn answers(&self) -> Option<&Value> {
        let own = self.case.map(|case| &case.answers);
        self.input.get("answers").filter(|answers| answers.is_object()).or(own)
    }

    fn aid(&self) -> Option<&str> {
        self.case?.facts.get("aid")?.as_str()
    }
}

/// Everything that a command needs to be told.
pub(crate) fn evidence(
    platform: &Platform,
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    now: DateTime,
) -> Result<Evidence, Problem> {
    let (store, today) = (platform.store(), now.date());
    let mut found = Evidence {
        attachments: attached(store, asked)?,
        linked: linked(store, asked)?,
        ..Evidence::default()
    };
    if matches!(asked.command, "submit" | "supplement" | "complete") {
        found.faults = faults(asked, today);
    }
    let Some(answers) = asked.answers() else { return Ok(found) };
    if matches!(asked.command, "submit" | "supplement" | "check") {
        authorised(store, asked, answers, today, &mut found)?;
    }
    if matches!(asked.command, "submit" | "agree" | "confirm") {
        found.duplicates = duplicates(platform, snapshot, asked, answers)?;
    }
    let region = asked.case.map_or("", |case| case.region.as_str());
    match (asked.kind, asked.command) {
        (Kind::Application, "check") => {
            found.checks = Some(findings(answers, snapshot, platform.db(), today)?);
        }
        (Kind::Application, "review" | "post" | "confirm") => {
            let aid = asked.aid().unwrap_or_default();
            found.calculation = calculation(answers, aid, today, region);
        }
        (Kind::Change, "agree") => found.current = current(snapshot, asked.case)?,
        _ => {}
    }
    Ok(found)
}

/// The household of a case as the registry has it now, as the answers of its form.
pub(crate) fn current(
    snapshot: &Snapshot,
    case: Option<&CaseFile>,
) -> Result<Option<Value>, Problem> {
    let Some(key) = case.and_then(|case| case.household.as_deref()) else { return Ok(None) };
    let record = household(snapshot, key).map_err(|error| Problem::of_indexer(&error))?;
    let form = case.and_then(|case| form_of(case.kind));
    Ok(record.map(|record| match form {
        Some(form) => form.prefilled(&answers_of(&record)),
        None => answers_of(&record),
    }))
}

fn faults(asked: &Asked<'_>, today: Date) -> Vec<(String, String, String)> {
    let (Some(form), Some(answers)) = (form_of(asked.kind), asked.answers()) else {
        return Vec::new();
    };
    let faults = form.check(answers, today, Strictness::Submit);
    faults.into_iter().map(|fault| (fault.path, fault.zh, fault.en)).collect()
}

/// Attachments that the input names anywhere, with their kind by content.
fn attached(store: &Store, asked: &Asked<'_>) -> Result<Vec<(String, String)>, Problem> {
    let mut found = Vec::new();
    let mut open = vec![asked.input];
    open.extend(asked.case.map(|case| &case.answers));
    let mut seen = 0_usize;
    while let Some(value) = open.pop() {
        seen += 1;
        match value {
            Value::String(text) if is_digest(text) && seen < 5_000 => {
                let known = store.attachment(text).map_err(|error| Problem::of_casework(&error))?;
                found.extend(known.map(|known| (known.digest, known.media)));
            }
            Value::Array(list) => open.extend(list),
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    Ok(found)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Cases that the case is linked to, or that the input names: of these only such as are about the
/// same household, or nobody could tell one family's decision from another's.
fn linked(store: &Store, asked: &Asked<'_>) -> Result<Vec<(String, Kind, String)>, Problem> {
    let own = asked.case.map(|case| case.links.as_slice()).unwrap_or_default();
    let named = ["survey", "application", "case"];
    let named = named.iter().filter_map(|name| text(asked.input, name));
    let mut found: Vec<(String, Kind, String)> = Vec::new();
    for id in own.iter().map(String::as_str).chain(named) {
        if found.iter().any(|(known, _, _)| known == id) {
            continue;
        }
        match store.case(id) {
            Ok(other) if !own.contains(&other.id) && !is_same_household(asked.case, &other) => {}
            Ok(other) => found.push((other.id, other.kind, other.state)),
            Err(yiku_casework::Error::Unknown { .. }) => {}
            Err(error) => return Err(Problem::of_casework(&error)),
        }
    }
    Ok(found)
}

fn is_same_household(case: Option<&CaseFile>, other: &CaseFile) -> bool {
    let own = case.and_then(|case| case.household.as_ref());
    own.is_some() && own == other.household.as_ref()
}

/// Who has signed an authorisation that holds, and who must have.
fn authorised(
    store: &Store,
    asked: &Asked<'_>,
    answers: &Value,
    today: Date,
    found: &mut Evidence,
) -> Result<(), Problem> {
    let mut persons: Vec<String> = Vec::new();
    persons.extend(asked.case.and_then(|case| case.owner.clone()));
    for member in members(answers) {
        let Some(number) = text(member, "id_number") else { continue };
        let index = store.index(number).map_err(|error| Problem::of_casework(&error))?;
        if is_adult(number, today) {
            let name = mask("name", text(member, "name").unwrap_or_default());
            found.adults.push((index.clone(), name));
        }
        persons.push(index);
    }
    persons.sort();
    persons.dedup();
    for person in persons {
        if let Some(case) = authorisation_of(store, &person, today)? {
            found.authorised.push((person, case));
        }
    }
    Ok(())
}

/// The authorisation of a person that holds on a day.
pub(crate) fn authorisation_of(
    store: &Store,
    person: &str,
    today: Date,
) -> Result<Option<String>, Problem> {
    let filter = Filter {
        kinds: vec![Kind::Authorisation],
        states: vec!["signed".to_owned()],
        person: Some(person.to_owned()),
        limit: SAME_MAX,
        ..Filter::of(Reach::Platform)
    };
    let page = store.list(&filter).map_err(|error| Problem::of_casework(&error))?;
    let valid = |case: &&CaseFile| {
        case.owner.as_deref() == Some(person) && machine::authorisation_is_valid(case, today)
    };
    Ok(page.cases.iter().find(valid).map(|case| case.id.clone()))
}

/// Whether the day of birth in an ID number is that of an adult.
fn is_adult(number: &str, today: Date) -> bool {
    let born = yiku_casework::forms::id_number::read(number).map(|told| told.birth_date);
    born.is_ok_and(|born| {
        let years = today.year() - born.year();
        let had = (today.month(), today.day()) >= (born.month(), born.day());
        years - i16::from(!had) >= ADULT
    })
}

/// Open reports, declarations and the household of the registry with the same ID number.
fn duplicates(
    platform: &Platform,
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    answers: &Value,
) -> Result<Vec<(String, String)>, Problem> {
    let mut found = Vec::new();
    let Some(number) = head_number(answers) else { return Ok(found) };
    let store = platform.store();
    let person = store.index(number).map_err(|error| Problem::of_casework(&error))?;
    let filter = Filter {
        kinds: vec![Kind::Report, Kind::Declaration],
        person: Some(person),
        limit: SAME_MAX,
        ..Filter::of(Reach::Platform)
    };
    let page = store.list(&filter).map_err(|error| Problem::of_casework(&error))?;
    let own = asked.case.map(|case| case.id.as_str());
    for case in page.cases.iter().filter(|case| machine::is_open(case) && case.state != "draft") {
        if Some(case.id.as_str()) != own {
            let kind = yiku_casework::store::kind_word(case.kind).to_owned();
            found.push((kind, case.id.clone()));
        }
    }
    let known = find_person(snapshot, platform.db(), number);
    let known = known.map_err(|error| Problem::of_indexer(&error))?;
    found.extend(known.map(|known| ("household".to_owned(), known.household)));
    Ok(found)
}

/// What is known before a new case is opened.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The household in the registry.
    pub(crate) household: Option<String>,
    /// The answers of the case's form as the registry has them.
    pub(crate) answers: Option<Value>,
}

/// What the registry knows of the person whose case is opened, or the case that a visit is for.
pub(crate) fn known(
    platform: &Platform,
    snapshot: &Snapshot,
    kind: Kind,
    owner: Option<&str>,
    input: &Value,
) -> Result<Known, Problem> {
    let Some(form) = form_of(kind) else { return Ok(Known::default()) };
    if let (Kind::Survey, Some(id)) = (kind, text(input, "case")) {
        let case = platform.store().case(id).map_err(|error| Problem::of_casework(&error))?;
        if case.answers.get("members").is_some() {
            let answers = Some(form.prefilled(&case.answers));
            return Ok(Known { household: case.household, answers });
        }
        return of_household(snapshot, form, case.household);
    }
    let Some(owner) = owner else { return Ok(Known::default()) };
    let found = find_person(snapshot, platform.db(), owner);
    let found = found.map_err(|error| Problem::of_indexer(&error))?;
    of_household(snapshot, form, found.map(|found| found.household))
}

fn of_household(
    snapshot: &Snapshot,
    form: &yiku_casework::forms::Form,
    key: Option<String>,
) -> Result<Known, Problem> {
    let Some(key) = key else { return Ok(Known::default()) };
    let record = household(snapshot, &key).map_err(|error| Problem::of_indexer(&error))?;
    let answers = record.map(|record| form.prefilled(&answers_of(&record)));
    Ok(Known { household: Some(key), answers })
}
