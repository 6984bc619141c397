//! 救助申请: from a citizen's draft to aid that is paid.
//!
//! Nobody is confirmed without an authorised check, a survey, a review and, where the aid is
//! posted, seven days without an open objection; who reviewed may not confirm.

mod decision;
mod table;

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::brings::{Brings, read_marks};
use super::declaration::saved;
use super::lists::{AIDS, has, label_of};
use super::refuse::refuse;
use super::registry;
use super::step::Step;
use super::table::{Spec, plain_missing};
use crate::case::{Action, Actor, CaseFile, Decision, Effect, Kind, Refusal, Role};
use crate::forms;

pub(super) static SPEC: Spec = Spec {
    opening: "begin",
    states: table::STATES,
    actions: table::ACTIONS,
    clock: table::clock,
    decide,
    missing: plain_missing,
    offered,
};

/// Days for which an application is posted.
const POSTING_DAYS: i64 = 7;

/// Working days for the decision after the posting.
const DECISION_DAYS: u32 = 10;

fn decide(step: &Step<'_>) -> Result<Decision, Refusal> {
    match step.action.name {
        "begin" => begin(step),
        "save" => Ok(step.go(&step.case.state, filled(step)?)),
        "submit" => submit(step),
        "request_supplement" => request_supplement(step),
        "supplement" => {
            step.complete()?;
            Ok(step.go("submitted", filled(step)?.marks(&[])))
        }
        "accept" => {
            let brings = Brings::nothing().fact("accepted_on", step.today().to_string());
            Ok(step.go("accepted", brings))
        }
        "check" => check(step),
        "record_survey" => record_survey(step),
        "review" => review(step),
        "post" => post(step),
        "object" => Ok(object(step)),
        "settle" => settle(step),
        "confirm" => decision::confirm(step),
        "refuse" => decision::refuse_it(step),
        "pay" => decision::pay(step),
        "end" => decision::end(step),
        _ => Ok(step.go("withdrawn", Brings::nothing())),
    }
}

/// What the case knows of itself that the table does not.
fn offered(case: &CaseFile, actor: &Actor, action: &Action) -> bool {
    let fact = |name: &str| case.facts.get(name);
    let aid = fact("aid").and_then(Value::as_str).unwrap_or_default();
    let posted = case.state == "posted";
    match action.name {
        "request_supplement" => fact("supplement").is_none(),
        "post" => is_posted(aid) && supported(case),
        "settle" => open_objections(case).next().is_some(),
        "confirm" => {
            supported(case) && posted == is_posted(aid) && reviewer(case) != Some(&actor.account)
        }
        "refuse" => actor.role == Role::County || fact("review").is_none() || !supported(case),
        "pay" => is_paid(aid),
        _ => true,
    }
}

/// Kinds of aid that are posted; recognition alone is not.
fn is_posted(aid: &str) -> bool {
    matches!(aid, "dibao" | "tekun" | "temporary")
}

/// Kinds of aid that are money; recognition alone is not.
fn is_paid(aid: &str) -> bool {
    is_posted(aid)
}

fn supported(case: &CaseFile) -> bool {
    case.facts.get("review").and_then(|review| review.get("opinion"))
        == Some(&Value::String("support".to_owned()))
}

fn reviewer(case: &CaseFile) -> Option<&str> {
    case.facts.get("review")?.get("account")?.as_str()
}

/// The places of the objections that have no finding yet.
fn open_objections(case: &CaseFile) -> impl Iterator<Item = usize> {
    let objections = case.facts.get("objections").and_then(Value::as_array);
    let settled = case.facts.get("settled").and_then(Value::as_array);
    let is_settled = move |place: usize| {
        let mut all = settled.into_iter().flatten();
        all.any(|one| one.get("objection").and_then(Value::as_u64) == u64::try_from(place + 1).ok())
    };
    (0..objections.map_or(0, Vec::len)).filter(move |place| !is_settled(*place))
}

fn begin(step: &Step<'_>) -> Result<Decision, Refusal> {
    let mut answers = step.answers()?.clone();
    let aid = step.text("aid").or_else(|| kind_of(step.answers().ok()?));
    let aid = aid.ok_or_else(|| super::step::missing(step.action, "aid"))?;
    // The form asks by the kind of aid, so it has to stand in the answers too.
    if let Value::Object(blocks) = &mut answers
        && let Value::Object(block) = blocks.entry("aid").or_insert_with(|| json!({}))
    {
        block.insert("kind".to_owned(), json!(aid));
    }
    let mut brings = Brings::nothing().answers(answers).fact("aid", aid);
    if step.flag("notice_read") {
        brings = brings.fact("notice_read", true);
    }
    Ok(step.go("draft", brings))
}

/// Answers, the notice, and the kind of aid where the answers name another one.
fn filled(step: &Step<'_>) -> Result<Brings, Refusal> {
    let mut brings = saved(step)?;
    if step.flag("notice_read") {
        brings = brings.fact("notice_read", true);
    }
    match kind_of(step.answers()?) {
        Some(aid) if step.fact("aid") == Some(aid) => {}
        Some(aid) if step.case.state == "draft" => brings = brings.fact("aid", aid),
        Some(_) => {
            return Err(refuse(
                "application.aid_changed",
                "已受理的申请不能改为另一类救助，请撤回后重新申请。",
                "the kind of aid cannot change now: withdraw, and apply for the other",
            )
            .at("aid.kind"));
        }
        None => {}
    }
    Ok(brings)
}

/// The kind of aid that the answers name.
fn kind_of(answers: &Value) -> Option<&str> {
    answers.get("aid").and_then(|aid| registry::text(aid, "kind")).filter(|aid| has(AIDS, aid))
}

fn submit(step: &Step<'_>) -> Result<Decision, Refusal> {
    let read = step.case.facts.get("notice_read") == Some(&Value::Bool(true));
    if !read && !step.flag("notice_read") {
        return Err(refuse(
            "application.notice_unread",
            "请先阅读告知书。",
            "read the notice first",
        )
        .at("notice_read"));
    }
    step.complete()?;
    step.authorised()?;
    let brings = filled(step)?.marks(&[]).fact("submitted_on", step.today().to_string());
    Ok(step.go("submitted", brings))
}

fn request_supplement(step: &Step<'_>) -> Result<Decision, Refusal> {
    if step.case.facts.get("supplement").is_some() {
        return Err(refuse(
            "application.supplement_once",
            "补正材料只能一次性告知，该申请已告知过。",
            "what is missing is named once, and for this application it has been named",
        ));
    }
    let marks = step.input.get("marks").and_then(|marks| read_marks(marks).ok());
    let reason = step.need("reason")?;
    let asked = json!({"on": step.today().to_string(), "reason": reason});
    let brings = Brings::nothing()
        .marks(&marks.unwrap_or_default())
        .fact("supplement", asked)
        .note(Some(reason));
    Ok(step.go("supplementing", brings))
}

fn check(step: &Step<'_>) -> Result<Decision, Refusal> {
    let evidence = step.evidence();
    let authorised = |person: &str| evidence.authorised.iter().any(|(known, _)| known == person);
    let lacking: Vec<&str> = evidence
        .adults
        .iter()
        .filter(|(person, _)| !authorised(person))
        .map(|(_, name)| name.as_str())
        .collect();
    if !lacking.is_empty() {
        return Err(refuse(
            "authorisation.missing",
            format!("以下家庭成员没有有效的核对授权：{}。", lacking.join("、")),
            format!("these members have no valid authorisation: {}", lacking.join(", ")),
        ));
    }
    step.authorised()?;
    let relied: Vec<&str> = evidence.authorised.iter().map(|(_, case)| case.as_str()).collect();
    let mut brings = Brings::nothing()
        .fact("checked_on", step.today().to_string())
        .fact("checks", json!(evidence.checks))
        .fact("authorisations", json!(relied));
    for case in relied {
        brings = brings.link(case);
    }
    // The sheet of the visit begins with what was declared, beside what departments say.
    let sheet = forms::form("survey").map(|form| form.prefilled(&step.case.answers));
    let input = json!({
        "purpose": "application",
        "case": step.case.id,
        "answers": sheet,
        "checks": evidence.checks,
    });
    let effect = Effect::Open { kind: Kind::Survey, region: step.case.region.clone(), input };
    Ok(step.go_with("checked", brings, effect))
}

fn record_survey(step: &Step<'_>) -> Result<Decision, Refusal> {
    let survey = step.need("survey")?;
    step.ours(survey, "survey")?;
    if !step.linked(survey, Kind::Survey, &["completed"]) {
        return Err(refuse(
            "survey.incomplete",
            "入户调查尚未完成，不能登记。",
            "the survey is not completed, so it cannot be recorded",
        )
        .at("survey"));
    }
    Ok(step.go("surveyed", Brings::nothing().fact("survey", survey).link(survey)))
}

fn review(step: &Step<'_>) -> Result<Decision, Refusal> {
    let calculated = decision::calculated(step.evidence().calculation.as_ref());
    let amount = step.money("amount")?.or(calculated);
    let review = json!({
        "opinion": step.need("opinion")?,
        "reason": step.need("reason")?,
        "account": step.actor.account,
        "name": step.actor.name,
        "on": step.today().to_string(),
        "amount": amount,
    });
    let mut brings = Brings::nothing().fact("review", review).note(step.text("reason"));
    if let Some(calculation) = &step.evidence().calculation {
        brings = brings.fact("calculation", calculation.clone());
    }
    Ok(step.go("reviewed", brings))
}

fn post(step: &Step<'_>) -> Result<Decision, Refusal> {
    let aid = step.fact("aid").unwrap_or_default();
    if !is_posted(aid) {
        return Err(refuse(
            "application.not_posted",
            "该类认定不公示。",
            "recognition of this kind is not posted",
        ));
    }
    if !supported(step.case) {
        return Err(decision::opposed());
    }
    let today = step.today();
    let over = over_on(today);
    let answers = &step.case.answers;
    let name = registry::members(answers).next().and_then(|member| registry::text(member, "name"));
    let amount = step.case.facts.get("review").and_then(|review| review.get("amount"));
    // Nothing else may be shown: no address, number, income or illness.
    let posting = json!({
        "name": name.map(masked),
        "region": step.case.region,
        "members": registry::members(answers).count(),
        "aid": aid,
        "aid_label": label_of(AIDS, aid).map(|label| label.zh),
        "amount": amount,
    });
    let brings = Brings::nothing()
        .fact("posting", posting)
        .fact("posted_on", today.to_string())
        .fact("posted_until", over.yesterday().unwrap_or(over).to_string())
        .due(Some(step.context.workdays.after(over, DECISION_DAYS)));
    Ok(step.go("posted", brings))
}

/// The first day on which a posting is over.
fn over_on(posted: Date) -> Date {
    posted.checked_add(POSTING_DAYS.days()).unwrap_or(Date::MAX)
}

fn masked(name: &str) -> String {
    name.chars().take(1).chain(['*']).collect()
}

fn object(step: &Step<'_>) -> Decision {
    let objection = json!({
        "text": step.text("text"),
        "on": step.today().to_string(),
        "account": step.actor.account,
    });
    step.go("posted", Brings::nothing().append("objections", objection).note(step.text("text")))
}

fn settle(step: &Step<'_>) -> Result<Decision, Refusal> {
    let named = step.number("objection", 1, 1000)?;
    let mut open = open_objections(step.case);
    let place = match named {
        None => open.next(),
        Some(named) => open.find(|place| i64::try_from(place + 1).ok() == Some(named)),
    };
    let Some(place) = place else {
        return Err(refuse(
            "application.no_objection",
            "没有需要核查的异议。",
            "there is no such open objection",
        )
        .at("objection"));
    };
    let settled = json!({
        "objection": place + 1,
        "finding": step.need("finding")?,
        "upheld": step.flag("upheld"),
        "on": step.today().to_string(),
        "account": step.actor.account,
    });
    Ok(step.go("posted", Brings::nothing().append("settled", settled).note(step.text("finding"))))
}
