//! The county's decisions: confirm, refuse, pay, end.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{is_paid, is_posted, open_objections, reviewer, supported};
use crate::case::{Decision, Effect, Refusal, Role};
use crate::machine::brings::Brings;
use crate::machine::refuse::refuse;
use crate::machine::registry::{self, Discovery, put};
use crate::machine::step::Step;

/// The amount that the policy book computed, in fen.
pub(super) fn calculated(calculation: Option<&Value>) -> Option<i64> {
    calculation?.get("amount")?.as_i64()
}

/// The township's review opposes it.
pub(super) fn opposed() -> Refusal {
    refuse(
        "application.opposed",
        "乡镇审核意见为不予救助，不能公示或确认。",
        "the township's review opposes it, so it can be neither posted nor confirmed",
    )
}

pub(super) fn confirm(step: &Step<'_>) -> Result<Decision, Refusal> {
    let aid = step.fact("aid").unwrap_or_default();
    if reviewer(step.case) == Some(step.actor.account.as_str()) {
        return Err(refuse(
            "four_eyes",
            "审核与确认须由不同人员办理。",
            "who reviewed may not confirm: another person must",
        ));
    }
    if !supported(step.case) {
        return Err(opposed());
    }
    posting_is_over(step, aid)?;
    let calculation = step.evidence().calculation.as_ref();
    let computed = calculated(calculation);
    let amount = amount(step, aid, computed)?;
    let today = step.today();
    let mut decided = json!({
        "on": today.to_string(),
        "start": term(step, aid).0.to_string(),
        "account": step.actor.account,
        "name": step.actor.name,
        "amount": amount,
        "calculated": computed,
        "deviation_reason": step.text("deviation_reason"),
    });
    if let Some(calculation) = calculation {
        put(&mut decided, "calculation", calculation.clone());
    }
    let household = registry::household_of(step);
    let mut body = registry::admitted(step, &step.case.answers, household, Discovery::Declared)?;
    grant(step, &mut body, aid, amount);
    let brings = Brings::nothing()
        .fact("decision", decided)
        .household(Some(&registry::key_after(step, household)))
        .note(step.text("deviation_reason"));
    Ok(step.go_with("confirmed", brings, Effect::Registry { body }))
}

/// The posting, where the aid has one, has lasted and left no objection open.
fn posting_is_over(step: &Step<'_>, aid: &str) -> Result<(), Refusal> {
    if !is_posted(aid) {
        return Ok(());
    }
    if step.case.state != "posted" {
        return Err(refuse(
            "application.unposted",
            "该申请须先公示再确认。",
            "an application of this kind is posted before it is confirmed",
        ));
    }
    let until = step.fact("posted_until").and_then(|day| day.parse::<Date>().ok());
    if until.is_none_or(|until| step.today() <= until) {
        let until = until.map(|until| until.to_string()).unwrap_or_default();
        return Err(refuse(
            "application.posting_running",
            format!("公示期至{until}，期满后方可确认。"),
            format!("it is posted until {until} and can be confirmed after that"),
        ));
    }
    if open_objections(step.case).next().is_some() {
        return Err(refuse(
            "application.objection_open",
            "公示期间的异议尚未核查完毕。",
            "an objection heard while it was posted is not settled",
        ));
    }
    Ok(())
}

/// The confirmed amount: the computed one, or another with a reason.
fn amount(step: &Step<'_>, aid: &str, computed: Option<i64>) -> Result<i64, Refusal> {
    let given = step.money("amount")?;
    if !is_paid(aid) {
        return Ok(0);
    }
    let Some(amount) = given else {
        return Err(crate::machine::step::missing(step.action, "amount"));
    };
    if computed != Some(amount) && step.text("deviation_reason").is_none() {
        return Err(refuse(
            "application.amount_deviates",
            "确认金额与计算金额不一致，请说明理由。",
            "the amount is not the computed one: give the reason",
        )
        .at("deviation_reason"));
    }
    if amount == 0 {
        return Err(refuse(
            "application.amount_zero",
            "救助金额为零，不能确认。",
            "an amount of nothing cannot be confirmed",
        )
        .at("amount"));
    }
    Ok(amount)
}

/// The code of the registry's list of aid.
fn aid_code(aid: &str, answers: &Value) -> &'static str {
    let urban = answers.get("family").and_then(|family| family.get("urban"));
    let urban = urban == Some(&Value::Bool(true));
    match (aid, urban) {
        ("dibao", true) => "11",
        ("dibao", false) => "12",
        ("tekun", true) => "21",
        ("tekun", false) => "22",
        ("dibao_edge", _) => "31",
        ("rigid", _) => "32",
        _ => "41",
    }
}

/// Adds a row of aid to each member that counts. The amount is the household's: it is divided so
/// that the rows add up to it, the first rows taking what does not divide.
fn grant(step: &Step<'_>, body: &mut Value, aid: &str, amount: i64) {
    let answers = &step.case.answers;
    let code = aid_code(aid, answers);
    let (start, end) = term(step, aid);
    let counted: Vec<&str> = counted(answers).collect();
    let heads = i64::try_from(counted.len()).unwrap_or(i64::MAX).max(1);
    let (each, mut rest) = (amount / heads, amount % heads);
    let persons = body.get_mut("persons").and_then(Value::as_array_mut);
    for person in persons.into_iter().flatten() {
        let id = person.get("id_number").and_then(Value::as_str);
        if !id.is_some_and(|id| counted.contains(&id)) {
            continue;
        }
        let share = each + i64::from(rest > 0);
        rest -= 1;
        let row = json!({
            "kind": code,
            "start": start.to_string(),
            "end": end.map(|end| end.to_string()),
            "amount": is_paid(aid).then_some(share),
        });
        put(person, "aid", json!([row]));
    }
}

/// The ID numbers of the members that count.
fn counted(answers: &Value) -> impl Iterator<Item = &str> {
    registry::members(answers)
        .filter(|member| member.get("counted") != Some(&Value::Bool(false)))
        .filter_map(registry::id_number)
}

/// When aid runs: monthly aid from the month after the decision, temporary aid from the decision
/// for its months, recognition for twelve months.
fn term(step: &Step<'_>, aid: &str) -> (Date, Option<Date>) {
    let today = step.today();
    let months =
        |from: Date, months: i64| from.checked_add(months.months()).and_then(Date::yesterday).ok();
    match aid {
        "dibao" | "tekun" => (next_month(today), None),
        "temporary" => {
            let asked = step.case.answers.get("aid").and_then(|aid| aid.get("months"));
            let asked = asked.and_then(Value::as_i64).unwrap_or(1).clamp(1, 12);
            (today, months(today, asked))
        }
        _ => (today, months(today, 12)),
    }
}

fn next_month(day: Date) -> Date {
    day.first_of_month().checked_add(1.month()).unwrap_or(Date::MAX)
}

fn month_of(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

pub(super) fn refuse_it(step: &Step<'_>) -> Result<Decision, Refusal> {
    let reviewed = step.case.facts.get("review").is_some();
    if step.actor.role == Role::Township && reviewed && supported(step.case) {
        return Err(refuse(
            "application.supported",
            "审核意见为予以救助，乡镇不能不予确认。",
            "the review supports it, so the township cannot refuse it",
        ));
    }
    let refused = json!({
        "ground": step.need("ground")?,
        "reason": step.need("reason")?,
        "on": step.today().to_string(),
        "account": step.actor.account,
        "name": step.actor.name,
    });
    Ok(step.go("refused", Brings::nothing().fact("refusal", refused).note(step.text("reason"))))
}

pub(super) fn pay(step: &Step<'_>) -> Result<Decision, Refusal> {
    let aid = step.fact("aid").unwrap_or_default();
    let decision = step.case.facts.get("decision");
    let amount = decision.and_then(|decision| decision.get("amount")?.as_i64()).unwrap_or(0);
    if !is_paid(aid) || amount == 0 {
        return Err(refuse(
            "application.no_payment",
            "该类认定不发放资金。",
            "recognition of this kind is not paid",
        ));
    }
    let decided = decision.and_then(|decision| decision.get("on")?.as_str()?.parse().ok());
    let decided: Date = decided.unwrap_or_else(|| step.today());
    let once = aid == "temporary";
    let from = month_of(if once { decided } else { next_month(decided) });
    let code = aid_code(aid, &step.case.answers);
    let brings = Brings::nothing().fact("paid_from", from.as_str());
    let effect = Effect::Pay { from, aid: code.to_owned(), amount, once };
    Ok(step.go_with("paying", brings, effect))
}

pub(super) fn end(step: &Step<'_>) -> Result<Decision, Refusal> {
    let aid = step.fact("aid").unwrap_or_default();
    let last = step.today().last_of_month();
    // Aid that has not begun is left with its first day, and nothing of it is paid.
    let start = step.case.facts.get("decision").and_then(|decision| decision.get("start"));
    let start = start.and_then(|start| start.as_str()?.parse::<Date>().ok());
    let until = start.map_or(last, |start| start.max(last));
    let ended = json!({
        "ground": step.need("ground")?,
        "reason": step.need("reason")?,
        "on": step.today().to_string(),
        "last_month": month_of(last),
    });
    let code = aid_code(aid, &step.case.answers);
    let mut body = registry::empty(step, step.case.household.as_deref());
    let persons: Vec<Value> = counted(&step.case.answers)
        .map(|id| {
            let mut person = registry::person(id, Map::new());
            put(&mut person, "end_aid", json!([{"kind": code, "end": until.to_string()}]));
            person
        })
        .collect();
    put(&mut body, "head", json!(registry::head(&step.case.answers)));
    put(&mut body, "persons", Value::Array(persons));
    let brings = Brings::nothing().fact("ended", ended).note(step.text("reason"));
    let mut decision = step.go_with("ended", brings, Effect::Registry { body });
    if step.case.state == "paying" {
        decision.effects.push(Effect::StopPay { last: month_of(last) });
    }
    Ok(decision)
}
