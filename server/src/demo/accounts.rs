//! The people of the demonstration: one of every role, and citizens who do not exist.

use serde_json::Value;
use yiku::Snapshot;
use yiku_casework::accounts::Grant;
use yiku_casework::forms::id_number;
use yiku_casework::{Actor, Role};
use yiku_indexer::{HouseholdRecord, household};

use super::places::{Places, Village};
use crate::cases::shown::place_name;
use crate::platform::{DemoAccount, Platform};
use crate::problem::Problem;

/// The password of every account of the demonstration.
pub(crate) const PASSWORD: &str = "Yiku-demo-2026";

/// Somebody of the demonstration.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) actor: Actor,
    shown: DemoAccount,
}

/// Everybody, by login name.
#[derive(Debug)]
pub(super) struct Cast(Vec<Person>);

impl Cast {
    /// Who signs in with a name.
    pub(super) fn of(&self, login: &str) -> Option<&Person> {
        self.0.iter().find(|person| person.shown.login == login)
    }

    pub(super) fn shown(&self) -> Vec<DemoAccount> {
        self.0.iter().map(|person| person.shown.clone()).collect()
    }
}

/// An account to be made.
struct Wanted {
    login: &'static str,
    name: String,
    role: Role,
    scope: String,
    department: Option<&'static str>,
    number: Option<String>,
    label: String,
}

fn staff(login: &'static str, role: Role, scope: &str, snapshot: &Snapshot) -> Wanted {
    let place = place_name(snapshot, scope).unwrap_or_default();
    let (post, name) = match role {
        Role::Province => ("省级", "省厅值班"),
        Role::City => ("市级", "市局经办"),
        Role::County => ("县级经办", "县局经办"),
        Role::Township => ("乡镇经办", "乡镇经办"),
        Role::Village => ("村(社区)工作人员", "村级专干"),
        _ => ("", ""),
    };
    Wanted {
        login,
        name: format!("{place}{name}"),
        role,
        scope: scope.to_owned(),
        department: None,
        number: None,
        label: format!("{place} · {post}"),
    }
}

fn wanted(snapshot: &Snapshot, places: &Places) -> Result<Vec<Wanted>, Problem> {
    let Places { here, there } = places;
    let mut all = vec![
        staff("sheng", Role::Province, "14", snapshot),
        staff("shi", Role::City, here.city(), snapshot),
        staff("xian", Role::County, here.county(), snapshot),
        staff("xian2", Role::County, there.county(), snapshot),
        staff("xiang", Role::Township, here.township(), snapshot),
        staff("xiang2", Role::Township, there.township(), snapshot),
        staff("cun", Role::Village, &here.code, snapshot),
        staff("cun2", Role::Village, &there.code, snapshot),
    ];
    let departments =
        [("yibao", "medical_insurance", "医保"), ("canlian", "disabled_federation", "残联")];
    for (login, department, name) in departments {
        let place = place_name(snapshot, here.county()).unwrap_or_default();
        all.push(Wanted {
            login,
            name: format!("{place}{name}"),
            role: Role::Department,
            scope: here.county().to_owned(),
            department: Some(department),
            number: None,
            label: format!("{place} · {name}部门"),
        });
    }
    let administrators = [
        ("xitong", "系统管理员", Role::SystemAdmin),
        ("anquan", "安全管理员", Role::SecurityAdmin),
        ("shenji", "审计管理员", Role::AuditAdmin),
    ];
    for (login, name, role) in administrators {
        all.push(Wanted {
            login,
            name: name.to_owned(),
            role,
            scope: String::new(),
            department: None,
            number: None,
            label: name.to_owned(),
        });
    }
    all.extend(registered(snapshot, "jumin1", here, "已登记居民")?);
    all.push(Wanted {
        login: "jumin2",
        name: "高小满".to_owned(),
        role: Role::Citizen,
        scope: String::new(),
        department: None,
        number: nobody("19880307", "012"),
        label: "居民(尚未登记)".to_owned(),
    });
    all.extend(registered(snapshot, "jumin3", there, "邻县已登记居民")?);
    Ok(all)
}

/// The first head of a household of a village who has a name and an ID number.
fn registered(
    snapshot: &Snapshot,
    login: &'static str,
    village: &Village,
    label: &str,
) -> Result<Option<Wanted>, Problem> {
    for record in households_of(snapshot, village, 20)? {
        if let Some((name, number)) = head(&record) {
            return Ok(Some(Wanted {
                login,
                name,
                role: Role::Citizen,
                scope: String::new(),
                department: None,
                number: Some(number),
                label: label.to_owned(),
            }));
        }
    }
    Ok(None)
}

/// The name and ID number of an adult head of a household who is alive.
pub(super) fn head(record: &HouseholdRecord) -> Option<(String, String)> {
    let head = record.persons.iter().find(|person| {
        person.values.get("relation").is_some_and(|relation| relation == "02")
            && !person.values.contains_key("death_date")
    })?;
    let text = |column: &str| head.values.get(column).and_then(Value::as_str).map(str::to_owned);
    let number = text("id_number")
        .filter(|number| id_number::read(number).is_ok_and(|told| told.birth_date.year() < 2005))?;
    Some((text("name")?, number))
}

/// Some households of a village, in the order of their keys.
pub(super) fn households_of(
    snapshot: &Snapshot,
    village: &Village,
    most: usize,
) -> Result<Vec<HouseholdRecord>, Problem> {
    let wrong = |error: yiku_indexer::Error| Problem::of_indexer(&error);
    let mut found = Vec::new();
    for key in keys_of(snapshot, village, most).map_err(|error| Problem::of_engine(&error))? {
        found.extend(household(snapshot, &key).map_err(wrong)?);
    }
    Ok(found)
}

/// Keys of households of a village.
fn keys_of(snapshot: &Snapshot, village: &Village, most: usize) -> yiku::Result<Vec<String>> {
    let Some(node) = snapshot.tree().find(&village.code) else { return Ok(Vec::new()) };
    let (low, high) = snapshot.tree().range(node);
    let key = snapshot.schema().tables.first().map_or(0, |table| table.key);
    let mut keys = Vec::new();
    for segment in snapshot.segments() {
        let rows = segment.path_rows(low, high)?;
        let live = segment.live(0)?;
        segment.column(0, key)?.texts(rows, &mut |row, text| {
            if live.contains(row) {
                keys.extend(text.map(str::to_owned));
            }
        })?;
    }
    keys.sort();
    keys.dedup();
    keys.truncate(most);
    Ok(keys)
}

/// A number that passes every check and belongs to nobody: 999 is no area.
pub(super) fn nobody(born: &str, order: &str) -> Option<String> {
    let begin = format!("999001{born}{order}");
    let signs = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "X"];
    signs.iter().map(|sign| format!("{begin}{sign}")).find(|text| id_number::read(text).is_ok())
}

/// Makes the accounts that are missing; gives everybody.
pub(super) fn establish(
    platform: &Platform,
    snapshot: &Snapshot,
    places: &Places,
) -> Result<Cast, Problem> {
    let wrong = |error: yiku_casework::Error| Problem::of_casework(&error);
    let accounts = platform.accounts();
    let mut cast = Vec::new();
    for wanted in wanted(snapshot, places)? {
        let account = match accounts.by_login(wanted.login).map_err(wrong)? {
            Some(account) => account,
            None => {
                let grant = Grant {
                    role: wanted.role,
                    scope: &wanted.scope,
                    department: wanted.department,
                    id_number: wanted.number.as_deref(),
                };
                let who = (wanted.login, wanted.name.as_str());
                let now = platform.now();
                accounts.establish(who, &grant, PASSWORD, false, now).map_err(wrong)?
            }
        };
        let Some(actor) = account.actor() else { continue };
        let shown = DemoAccount {
            login: wanted.login.to_owned(),
            password: PASSWORD.to_owned(),
            role: wanted.role,
            label: wanted.label,
        };
        cast.push(Person { actor, shown });
    }
    Ok(Cast(cast))
}
