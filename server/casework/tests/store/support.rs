//! What the tests of the store share: a store in a folder of its own, people of two neighbouring
//! counties, and invented households.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::{Date, DateTime, date};
use serde_json::{Value, json};
use yiku_casework::case::Workdays;
use yiku_casework::secret::{FileKeys, KeyProvider};
use yiku_casework::store::{Call, Command, Opening, Raised, Store};
use yiku_casework::{Actor, CaseFile, Context, Evidence, Kind, Role};

/// Monday to Friday; no holidays.
#[derive(Debug)]
pub(crate) struct Weekdays;

impl Workdays for Weekdays {
    fn after(&self, day: Date, days: u32) -> Date {
        let mut day = day;
        let mut left = days;
        while left > 0 {
            day = day.tomorrow().unwrap();
            if day.weekday().to_monday_zero_offset() < 5 {
                left -= 1;
            }
        }
        day
    }
}

/// A moment of a Tuesday morning.
pub(crate) fn now() -> DateTime {
    date(2026, 3, 3).at(9, 30, 0, 0)
}

/// What a command needs when it needs nothing.
pub(crate) fn context(at: DateTime) -> Context<'static> {
    with(at, Evidence::default())
}

/// What a command needs.
pub(crate) fn with(at: DateTime, evidence: Evidence) -> Context<'static> {
    Context { now: at, workdays: &Weekdays, evidence }
}

/// The store of a folder, with its keys beside it.
pub(crate) fn open(folder: &Path) -> Store {
    Store::open(&folder.join("cases"), keys(folder)).unwrap()
}

/// The keys beside a folder's store.
pub(crate) fn keys(folder: &Path) -> Arc<dyn KeyProvider> {
    Arc::new(FileKeys::open(&folder.join("keys"), &folder.join("cases")).unwrap())
}

/// A store in a folder.
pub(crate) struct Place {
    folder: PathBuf,
    /// The store.
    pub(crate) store: Store,
    /// Removes the folder in the end.
    _kept: Option<tempfile::TempDir>,
}

impl Place {
    /// A new, empty store in a folder of its own.
    pub(crate) fn new() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let place = Self::at(kept.path());
        Self { _kept: Some(kept), ..place }
    }

    /// The store of a folder that stays.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), store: open(folder), _kept: None }
    }

    /// The folder, with the store in `cases` and its keys beside.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// The invented person of a number, as a citizen.
    pub(crate) fn citizen(&self, number: u32) -> Actor {
        Actor {
            account: format!("citizen-{number}"),
            name: name(number),
            role: Role::Citizen,
            scope: String::new(),
            department: None,
            person: Some(self.store.index(&id_number(number)).unwrap()),
        }
    }

    /// A declaration that a citizen began.
    pub(crate) fn declaration(&self, number: u32, command_id: &str) -> CaseFile {
        let input = json!({ "answers": answers(number) });
        let owner = id_number(number);
        let opening = Opening {
            kind: Kind::Declaration,
            region: VILLAGE,
            owner: Some(&owner),
            input: &input,
        };
        let call = Call { command_id, ip: "192.0.2.1" };
        self.store.open_case(&self.citizen(number), &opening, &context(now()), &call).unwrap()
    }

    /// Gives a case a command.
    pub(crate) fn act(
        &self,
        actor: &Actor,
        case: &CaseFile,
        (name, command_id): (&str, &str),
        input: &Value,
        evidence: Evidence,
    ) -> yiku_casework::Result<CaseFile> {
        let command = Command { name, version: case.version, input };
        let call = Call { command_id, ip: "192.0.2.1" };
        self.store.act(actor, &case.id, &command, &with(now(), evidence), &call)
    }

    /// Gives a case a command at a moment.
    pub(crate) fn act_at(
        &self,
        at: DateTime,
        actor: &Actor,
        case: &CaseFile,
        (name, input): (&str, &Value),
        evidence: Evidence,
    ) -> CaseFile {
        let command = Command { name, version: case.version, input };
        let command_id = format!("{name}-{}-{}", case.id, case.version);
        let call = Call { command_id: &command_id, ip: "192.0.2.1" };
        self.store.act(actor, &case.id, &command, &with(at, evidence), &call).unwrap()
    }

    /// Opens a case for an actor.
    pub(crate) fn opened(
        &self,
        actor: &Actor,
        kind: Kind,
        owner: Option<u32>,
        (input, command_id): (&Value, &str),
        evidence: Evidence,
    ) -> yiku_casework::Result<CaseFile> {
        let owner = owner.map(id_number);
        let opening = Opening { kind, region: VILLAGE, owner: owner.as_deref(), input };
        let call = Call { command_id, ip: "192.0.2.1" };
        self.store.open_case(actor, &opening, &with(now(), evidence), &call)
    }

    /// A declaration that was submitted with a valid authorisation.
    pub(crate) fn submitted(&self, number: u32) -> CaseFile {
        let case = self.declaration(number, &format!("open-{number}"));
        let person = case.owner.clone().unwrap();
        let evidence =
            Evidence { authorised: vec![(person, "S2026X".to_owned())], ..Evidence::default() };
        let id = format!("submit-{number}");
        self.act(&self.citizen(number), &case, ("submit", &id), &json!({}), evidence).unwrap()
    }
}

/// A village of the county.
pub(crate) const VILLAGE: &str = "141128101201";
/// Its township.
pub(crate) const TOWNSHIP: &str = "141128101";
/// Its county.
pub(crate) const COUNTY: &str = "141128";
/// The county beside it.
pub(crate) const NEIGHBOUR: &str = "141127";

/// Somebody of the staff.
pub(crate) fn staff(account: &str, role: Role, scope: &str) -> Actor {
    Actor {
        account: account.to_owned(),
        name: format!("{account} officer"),
        role,
        scope: scope.to_owned(),
        department: None,
        person: None,
    }
}

/// The invented name of a number.
pub(crate) fn name(number: u32) -> String {
    let family = "赵钱孙李周".chars().nth(number as usize % 5).unwrap();
    let given = "甲乙丙".chars().nth(number as usize % 3).unwrap();
    format!("{family}试验{given}")
}

/// The invented phone number of a number.
pub(crate) fn phone(number: u32) -> String {
    format!("199{:08}", 10_000_000 + number)
}

/// The invented ID number of a number, of an area that does not exist, with its check character.
pub(crate) fn id_number(number: u32) -> String {
    let body = format!("999101199001{:02}{:03}", 1 + number % 28, number % 1000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().zip(weights).map(|(c, w)| c.to_digit(10).unwrap() * w).sum();
    format!("{body}{}", "10X98765432".chars().nth(sum as usize % 11).unwrap())
}

/// The answers of an invented household of one.
pub(crate) fn answers(number: u32) -> Value {
    json!({
        "family": {
            "region": VILLAGE, "urban": false, "address": "试验县虚构镇不存在村九十九号",
            "phone": phone(number), "bank_account": format!("6222000000{number:08}"),
        },
        "members": [{
            "name": name(number), "id_number": id_number(number), "relation": "02",
            "illness": "虚构病症", "monthly_income": 35_000,
        }],
    })
}

/// A warning about an invented household.
pub(crate) fn raised(rule: &str, household: &str, period: &str, silence_days: u32) -> Raised {
    Raised {
        rule: rule.to_owned(),
        level: "red".to_owned(),
        household: household.to_owned(),
        region: VILLAGE.to_owned(),
        period: period.to_owned(),
        silence_days,
        input: json!({
            "snapshot": 7,
            "reasons": [{"label": {"zh": "虚构", "en": "invented"}, "value": 1, "threshold": 0}],
        }),
    }
}
