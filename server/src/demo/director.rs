//! Gives commands as people would, on days before today, so that cases stand in every state.

use jiff::civil::DateTime;
use jiff::{Span, ToSpan};
use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_casework::store::{Call, Command, Filter, Opening, Reach};
use yiku_casework::{Actor, CaseFile, Context, Kind};

use super::accounts::Cast;
use crate::cases::evidence::{Asked, evidence, known};
use crate::cases::workdays;
use crate::platform::Platform;
use crate::problem::{Code, Problem};

/// A picture of one grey dot: it stands for photos and papers of the demonstration.
const DOT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b,
    0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x00, 0x00, 0x00,
    0x82, 0x00, 0x81, 0xda, 0x45, 0x08, 0x3b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];

/// Whether no case was ever opened.
pub(super) fn is_empty(platform: &Platform) -> Result<bool, Problem> {
    let filter = Filter {
        kinds: vec![Kind::Report, Kind::Declaration, Kind::Application],
        limit: 1,
        ..Filter::of(Reach::Platform)
    };
    let page = platform.store().list(&filter).map_err(|error| Problem::of_casework(&error))?;
    Ok(page.cases.is_empty())
}

/// Who gives the commands of the demonstration.
pub(super) struct Director<'a> {
    platform: &'a Platform,
    pub(super) snapshot: &'a Snapshot,
    cast: &'a Cast,
    /// Days before today on which it now plays.
    days_ago: i64,
    given: u64,
}

/// A case to open.
pub(super) struct Scene<'a> {
    pub(super) kind: Kind,
    pub(super) region: &'a str,
    pub(super) owner: Option<&'a str>,
    pub(super) input: Value,
}

impl<'a> Director<'a> {
    pub(super) fn new(platform: &'a Platform, snapshot: &'a Snapshot, cast: &'a Cast) -> Self {
        Self { platform, snapshot, cast, days_ago: 0, given: 0 }
    }

    /// Plays so many days before today from here on.
    pub(super) fn days_ago(&mut self, days: i64) {
        self.days_ago = days;
    }

    /// The day on which it plays now.
    pub(super) fn now(&self) -> DateTime {
        let back: Span = self.days_ago.days();
        self.platform.now().checked_sub(back).unwrap_or(DateTime::MIN)
    }

    fn actor(&self, login: &str) -> Result<Actor, Problem> {
        let person = self.cast.of(login);
        person.map(|person| person.actor.clone()).ok_or_else(|| Problem::new(Code::Fault))
    }

    fn number(&mut self) -> String {
        self.given += 1;
        format!("demonstration-{:04}", self.given)
    }

    /// The digest of something attached, new each time.
    pub(super) fn picture(&mut self, login: &str) -> Result<String, Problem> {
        let actor = self.actor(login)?;
        let now = self.now();
        let attached = self.platform.store().attach(&actor, DOT, "演示.png", now, "");
        attached.map(|one| one.digest).map_err(|error| Problem::of_casework(&error))
    }

    pub(super) fn open(&mut self, login: &str, scene: &Scene<'_>) -> Result<CaseFile, Problem> {
        let actor = self.actor(login)?;
        let platform = self.platform;
        let known = known(platform, self.snapshot, scene.kind, scene.owner, &scene.input)?;
        let mut input = scene.input.clone();
        if let (Value::Object(fields), Some(answers)) = (&mut input, &known.answers)
            && !fields.contains_key("answers")
        {
            fields.insert("answers".to_owned(), answers.clone());
        }
        let command = if scene.kind == Kind::Authorisation { "sign" } else { "begin" };
        let asked = Asked { kind: scene.kind, case: None, command, input: &input };
        let mut found = evidence(platform, self.snapshot, &asked, self.now())?;
        found.current = known.answers;
        found.duplicates.extend(known.household.map(|key| ("household".to_owned(), key)));
        let context = Context { now: self.now(), workdays: workdays()?, evidence: found };
        let opening =
            Opening { kind: scene.kind, region: scene.region, owner: scene.owner, input: &input };
        let number = self.number();
        let call = Call { command_id: &number, ip: "" };
        let opened = platform.store().open_case(&actor, &opening, &context, &call);
        opened.map_err(|error| Problem::of_casework(&error))
    }

    /// Gives a command.
    pub(super) fn act(
        &mut self,
        login: &str,
        case: &mut CaseFile,
        command: &str,
        input: Value,
    ) -> Result<(), Problem> {
        let actor = self.actor(login)?;
        let asked = Asked { kind: case.kind, case: Some(case), command, input: &input };
        let found = evidence(self.platform, self.snapshot, &asked, self.now())?;
        let context = Context { now: self.now(), workdays: workdays()?, evidence: found };
        let given = Command { name: command, version: case.version, input: &input };
        let number = self.number();
        let call = Call { command_id: &number, ip: "" };
        let done = self.platform.store().act(&actor, &case.id, &given, &context, &call);
        *case = done.map_err(|error| Problem::of_casework(&error))?;
        Ok(())
    }

    /// A person's authorisation, recorded by the village from paper.
    pub(super) fn authorise(&mut self, number: &str, region: &str) -> Result<(), Problem> {
        let paper = self.picture("cun")?;
        let input = json!({
            "scope": ["civil_affairs", "human_resources", "medical_insurance", "housing", "tax"],
            "months": 12, "document": paper, "paper": [paper],
        });
        let scene = Scene { kind: Kind::Authorisation, region, owner: Some(number), input };
        self.open("cun", &scene).map(|_| ())
    }

    /// The first case of a kind that a case is linked to.
    pub(super) fn linked(&self, case: &CaseFile, kind: Kind) -> Result<CaseFile, Problem> {
        for id in &case.links {
            let other = self.platform.store().case(id);
            let other = other.map_err(|error| Problem::of_casework(&error))?;
            if other.kind == kind {
                return Ok(other);
            }
        }
        Err(Problem::new(Code::CaseMissing))
    }

    /// Cases of a kind and state within a region.
    pub(super) fn cases(
        &self,
        kind: Kind,
        state: &str,
        region: &str,
        limit: usize,
    ) -> Result<Vec<CaseFile>, Problem> {
        let filter = Filter {
            kinds: vec![kind],
            states: vec![state.to_owned()],
            region: Some(region.to_owned()),
            limit,
            ..Filter::of(Reach::Platform)
        };
        let page = self.platform.store().list(&filter);
        page.map(|page| page.cases).map_err(|error| Problem::of_casework(&error))
    }
}
