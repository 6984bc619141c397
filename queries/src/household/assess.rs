//! The assessment of one household by every policy of a book.

use serde::Serialize;
use serde_json::Value;
use yiku::calendar;

use super::amount::Amount;
use super::answers::{Answers, HOUSEHOLD, PERSON};
use super::clause::{Assessable, Light, Outcome, unasked};
use super::policy::{Policy, PolicyBook, Subject};
use super::words::{self, Who};
use super::{Result, Text};

/// What a policy says of one member.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberAssessed {
    /// The place in `members`, from 0.
    pub member: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// The clauses.
    pub clauses: Vec<Assessable>,
    /// The amount for this member.
    pub amount: Option<Amount>,
}

/// What a policy says of the household.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessed {
    /// The policy.
    pub policy: String,
    /// What it is called.
    pub label: Text,
    /// Whom it speaks of.
    pub subject: Subject,
    /// The rule it follows.
    pub basis: String,
    /// What came of it; of a policy that speaks of persons, for the one who is nearest to it.
    pub outcome: Outcome,
    /// The outcome in words, with by how much.
    pub text: Text,
    /// The clauses; of a policy that speaks of persons, those of the one who is nearest to it.
    pub clauses: Vec<Assessable>,
    /// Each counted member, where the policy speaks of persons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberAssessed>,
    /// What would be granted, where it is met and everything is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What to bring.
    pub bring: Vec<Text>,
}

/// An assessment: no decision, and kept nowhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// The day it is made for, `2026-10-31`.
    pub as_of: String,
    /// The place whose standards were used.
    pub region: String,
    /// One for each policy.
    pub outcomes: Vec<Assessed>,
}

impl Assessment {
    /// What a policy said.
    #[must_use]
    pub fn of(&self, policy: &str) -> Option<&Assessed> {
        self.outcomes.iter().find(|outcome| outcome.policy == policy)
    }
}

/// Asks every policy about the answers of one household, as of a day (days since 1970-01-01).
/// `region` is the place whose standards count; empty, it is that of the answers.
///
/// # Errors
/// [`super::Error::Answers`] with the field that is not what it should be; what is only absent is
/// no error. The other errors are those of an unsound book.
pub fn assess(book: &PolicyBook, answers: &Value, as_of: i64, region: &str) -> Result<Assessment> {
    let answers = Answers::read(answers, as_of)?;
    let region = if region.is_empty() { answers.region.clone() } else { region.to_owned() };
    let light = Light { answers: &answers, standards: &book.standards, region: &region, as_of };
    let mut outcomes: Vec<Assessed> = Vec::with_capacity(book.policies.len());
    for policy in &book.policies {
        let assessed = match policy.subject {
            Subject::Household => of_household(&light, policy, &outcomes)?,
            Subject::Person => of_persons(&light, policy, &outcomes)?,
        };
        outcomes.push(assessed);
    }
    Ok(Assessment { as_of: calendar::date_text(as_of), region, outcomes })
}

fn of_household(light: &Light<'_>, policy: &Policy, before: &[Assessed]) -> Result<Assessed> {
    let clauses = asked(light, policy, 0, before)?;
    let outcome = Outcome::all(clauses.iter().map(|clause| clause.outcome));
    let amount = match &policy.amount {
        Some(rule) if outcome == Outcome::Met => light.amount(&policy.id, rule, (HOUSEHOLD, 0))?,
        _ => None,
    };
    let text = words::told(policy, outcome, &clauses, amount.as_ref(), &Who::Household);
    Ok(assessed(policy, outcome, text, clauses, amount))
}

fn of_persons(light: &Light<'_>, policy: &Policy, before: &[Assessed]) -> Result<Assessed> {
    let mut members: Vec<MemberAssessed> = Vec::new();
    for member in 0..light.answers.members_count() {
        if !light.answers.is_counted(member) {
            continue;
        }
        let clauses = asked(light, policy, member, before)?;
        let outcome = Outcome::all(clauses.iter().map(|clause| clause.outcome));
        let amount = match &policy.amount {
            Some(rule) if outcome == Outcome::Met => {
                light.amount(&policy.id, rule, (PERSON, member))?
            }
            _ => None,
        };
        members.push(MemberAssessed { member, outcome, clauses, amount });
    }
    if members.is_empty() {
        return Ok(nobody(policy));
    }
    let outcome = Outcome::any(members.iter().map(|member| member.outcome));
    let nearest = members.iter().min_by_key(|member| distance(member));
    let clauses = nearest.map(|member| member.clauses.clone()).unwrap_or_default();
    let amount = summed(&members);
    let met = members.iter().filter(|member| member.outcome == Outcome::Met);
    let mut places: Vec<usize> = met.map(|member| member.member).collect();
    if places.is_empty() {
        places.extend(nearest.map(|member| member.member));
    }
    let text = words::told(policy, outcome, &clauses, amount.as_ref(), &Who::Members(&places));
    let mut found = assessed(policy, outcome, text, clauses, amount);
    found.members = members;
    Ok(found)
}

/// Without members nothing can be told of any.
fn nobody(policy: &Policy) -> Assessed {
    let missing = Answers::no_members();
    let clauses = policy.clauses.iter().map(|clause| unasked(clause, missing.clone()));
    let clauses: Vec<Assessable> = clauses.collect();
    let text = words::told(policy, Outcome::Unknown, &clauses, None, &Who::Household);
    assessed(policy, Outcome::Unknown, text, clauses, None)
}

fn assessed(
    policy: &Policy,
    outcome: Outcome,
    text: Text,
    clauses: Vec<Assessable>,
    amount: Option<Amount>,
) -> Assessed {
    Assessed {
        policy: policy.id.clone(),
        label: policy.label.clone(),
        subject: policy.subject,
        basis: policy.basis.clone(),
        outcome,
        text,
        clauses,
        members: Vec::new(),
        amount,
        bring: policy.bring.clone(),
    }
}

/// How far somebody is from a policy: clauses that are not met, then those that are unknown.
fn distance(member: &MemberAssessed) -> (usize, usize, usize) {
    let count = |outcome| member.clauses.iter().filter(|c| c.outcome == outcome).count();
    let rank = match member.outcome {
        Outcome::Met => 0,
        Outcome::Unknown => 1,
        Outcome::NotMet => 2,
    };
    (rank, count(Outcome::NotMet), count(Outcome::Unknown))
}

/// The amounts of all members as one, each rounded by itself.
fn summed(members: &[MemberAssessed]) -> Option<Amount> {
    let mut amounts = members.iter().filter_map(|member| member.amount.as_ref());
    let mut whole = amounts.next()?.clone();
    for amount in amounts {
        whole.cents = whole.cents.saturating_add(amount.cents);
        whole.steps.extend(amount.steps.iter().cloned());
    }
    Some(whole)
}

/// The clauses of a policy for a member or the household, and what other policies make of it.
fn asked(
    light: &Light<'_>,
    policy: &Policy,
    row: usize,
    before: &[Assessed],
) -> Result<Vec<Assessable>> {
    let mut clauses = Vec::with_capacity(policy.clauses.len() + 1);
    for clause in &policy.clauses {
        clauses.push(light.clause(&policy.id, clause, row)?);
    }
    let of = |id: &String| before.iter().find(|one| one.policy == *id);
    for other in policy.requires.iter().filter_map(of) {
        let label =
            Text::new(format!("符合{}", other.label.zh), format!("entitled to {}", other.label.en));
        clauses.push(by_policy(policy, other, other.outcome, label));
    }
    for other in policy.excluded_by.iter().filter_map(of) {
        let outcome = match (other.subject, other.outcome) {
            // One member who is kept otherwise takes nothing from the others.
            (Subject::Person, _) => {
                let all = other.members.iter().all(|one| one.outcome == Outcome::Met);
                Outcome::of(Some(other.members.is_empty() || !all))
            }
            (_, Outcome::Met) => Outcome::NotMet,
            (_, Outcome::NotMet) => Outcome::Met,
            (_, Outcome::Unknown) => Outcome::Unknown,
        };
        let label = Text::new(
            format!("不属于{}", other.label.zh),
            format!("not entitled to {}", other.label.en),
        );
        clauses.push(by_policy(policy, other, outcome, label));
    }
    Ok(clauses)
}

fn by_policy(policy: &Policy, other: &Assessed, outcome: Outcome, label: Text) -> Assessable {
    let missing = match outcome {
        Outcome::Unknown => other.clauses.iter().flat_map(|c| c.missing.clone()).collect(),
        _ => Vec::new(),
    };
    Assessable {
        id: format!("policy.{}", other.policy),
        label,
        outcome,
        value: None,
        op: None,
        threshold: None,
        unit: String::new(),
        source: policy.basis.clone(),
        parameter: None,
        invented: false,
        nearest: None,
        missing,
    }
}
