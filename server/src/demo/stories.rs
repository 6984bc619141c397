//! What happened in the demonstration: every kind of case, in every state.

use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_casework::{CaseFile, Kind};

use super::accounts::{Cast, head, households_of, nobody};
use super::director::{Director, Scene};
use super::places::Places;
use crate::cases::answers::{answers_of, members, text};
use crate::cases::{form_of, watch};
use crate::platform::Platform;
use crate::problem::Problem;

/// The states in which applications are left, each with the kind of aid.
const APPLICATIONS: [(&str, &str); 13] = [
    ("draft", "dibao"),
    ("submitted", "tekun"),
    ("supplementing", "dibao"),
    ("accepted", "temporary"),
    ("checked", "dibao_edge"),
    ("surveyed", "dibao"),
    ("reviewed", "rigid"),
    ("posted", "dibao"),
    ("confirmed", "dibao"),
    ("paying", "dibao"),
    ("refused", "rigid"),
    ("withdrawn", "temporary"),
    ("ended", "dibao"),
];

/// The states in which warnings are left; the rest waits to be signed for.
const WARNINGS: [&str; 9] = [
    "assessed",
    "signed",
    "investigating",
    "verified",
    "handling",
    "feedback",
    "review",
    "closed",
    "archived",
];

/// Plays everything once.
pub(super) fn play(
    platform: &Platform,
    snapshot: &Snapshot,
    places: &Places,
    cast: &Cast,
) -> Result<(), Problem> {
    let run = watch::run(platform, snapshot, 2, platform.now())?;
    platform.set_last_run(run);
    let mut director = Director::new(platform, snapshot, cast);
    let families = families(snapshot, places)?;
    let mut next = families.iter();
    for (state, aid) in APPLICATIONS {
        let Some(family) = next.next() else { break };
        hear("application", state, application(&mut director, family, aid, state));
    }
    for state in ["draft", "submitted", "returned", "agreed", "rejected", "withdrawn"] {
        hear("declaration", state, declaration(&mut director, places, state));
    }
    for state in ["draft", "submitted", "county_review", "returned", "agreed", "rejected"] {
        hear("report", state, report(&mut director, places, state));
    }
    for state in ["submitted", "returned"] {
        let Some(family) = next.next() else { break };
        hear("change", state, change(&mut director, family, state));
    }
    hear("warnings", "all", warnings(&mut director, places));
    Ok(())
}

/// One scene that cannot be played stops no other, and no demonstration: it is told.
fn hear(scene: &str, state: &str, played: Result<(), Problem>) {
    if let Err(problem) = played {
        crate::cli::say(&format!("left out: {scene} {state}: {}", problem.in_words()));
    }
}

/// A household of the demonstration.
struct Family {
    number: String,
    region: String,
    answers: Value,
}

/// Households of the village whose head is an adult, but for the first, which is a citizen's who
/// signs in; and behind them families that no department knows, so that there are enough.
fn families(snapshot: &Snapshot, places: &Places) -> Result<Vec<Family>, Problem> {
    let records = households_of(snapshot, &places.here, 80)?;
    let known = records.into_iter().filter_map(|record| {
        let (_, number) = head(&record)?;
        Some(Family { number, region: record.region.clone(), answers: answers_of(&record) })
    });
    let strange = (40..60).map(|order| {
        let (number, answers) = strangers(order, &places.here.code);
        Family { number, region: places.here.code.clone(), answers }
    });
    let mut all: Vec<Family> = known.skip(1).chain(strange).collect();
    // Families of several first: who lives alone and is old is helped in another way.
    all.sort_by_key(|family| members(&family.answers).count() < 2);
    Ok(all)
}

/// Answers to everything that a form must know.
fn complete(kind: Kind, mut answers: Value, aid: &str, region: &str) -> Value {
    let mut set = |block: &str, values: Value| {
        let (Value::Object(answers), Value::Object(values)) = (&mut answers, values) else {
            return;
        };
        let block = answers.entry(block.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(block) = block {
            for (name, value) in values {
                block.entry(name).or_insert(value);
            }
        }
    };
    set(
        "family",
        json!({
            "region": region, "urban": false, "address": "幸福路18号", "phone": "13800000000",
            "bank_account": "6228000000000000018", "cause": "1",
        }),
    );
    set(
        "income",
        json!({
            "wages12": 480_000, "business12": 120_000, "property12": 0, "transfer12": 60_000,
            "other12": 0,
        }),
    );
    set(
        "property",
        json!({ "deposits": 300_000, "houses": 1, "vehicle_value": 0,
        "machinery_value": 0, "company": false }),
    );
    set("expense", json!({ "medical12": 1_860_000, "education12": 200_000 }));
    set("living", json!({ "food": "short", "water_safe": true }));
    set("housing", json!({ "kind": "own", "housing_grade": "B" }));
    set("aid", json!({ "kind": aid, "reason": "家中有人长期患病,收入不足以维持基本生活。" }));
    if aid == "temporary" {
        set("aid", json!({ "urgent": "上周突发急病住院,家中积蓄已经用尽。", "months": 2 }));
    }
    let members = answers.get_mut("members").and_then(Value::as_array_mut);
    for member in members.into_iter().flatten() {
        if let Value::Object(member) = member {
            member.entry("relation").or_insert(json!("80"));
            member.entry("labour_ability").or_insert(json!("2"));
            member.entry("counted").or_insert(json!(true));
            if member.get("severe_illness") == Some(&json!(true)) {
                member.entry("illness").or_insert(json!("慢性肾病"));
            }
            if member.contains_key("disability_type") {
                member.entry("disability_grade").or_insert(json!("2"));
            }
        }
    }
    // What a form does not ask is left out of it.
    form_of(kind).map_or(answers.clone(), |form| form.prefilled(&answers))
}

fn application(
    director: &mut Director<'_>,
    family: &Family,
    aid: &str,
    until: &str,
) -> Result<(), Problem> {
    let region = family.region.as_str();
    let answers = complete(Kind::Application, family.answers.clone(), aid, region);
    director.days_ago(20);
    for member in members(&answers) {
        if let Some(number) = text(member, "id_number") {
            director.authorise(number, region)?;
        }
    }
    let input = json!({ "aid": aid, "answers": answers, "notice_read": true });
    let owner = Some(family.number.as_str());
    let scene = Scene { kind: Kind::Application, region, owner, input };
    let mut case = director.open("cun", &scene)?;
    let mut surveyed = String::new();
    for (state, login, command) in [
        ("withdrawn", "cun", "withdraw"),
        ("submitted", "cun", "submit"),
        ("supplementing", "xiang", "request_supplement"),
        ("accepted", "xiang", "accept"),
        ("checked", "xiang", "check"),
        ("surveyed", "xiang", "record_survey"),
        ("reviewed", "xiang", "review"),
        ("refused", "xian", "refuse"),
        ("posted", "xiang", "post"),
        ("confirmed", "xian", "confirm"),
        ("paying", "xian", "pay"),
        ("ended", "xian", "end"),
    ] {
        if case.state == until {
            return Ok(());
        }
        let aside = matches!(state, "withdrawn" | "supplementing" | "refused");
        if aside && until != state {
            continue;
        }
        if state == "surveyed" {
            surveyed = survey(director, &case)?;
        }
        if state == "confirmed" {
            director.days_ago(2);
        }
        let input = told(director, &case, command, &surveyed)?;
        director.act(login, &mut case, command, input)?;
    }
    Ok(())
}

/// What a command of an application brings.
fn told(
    director: &Director<'_>,
    case: &CaseFile,
    command: &str,
    surveyed: &str,
) -> Result<Value, Problem> {
    let opposed = case.facts.get("aid") == Some(&json!("rigid"));
    Ok(match command {
        "request_supplement" => json!({
            "reason": "请补充近12个月的医疗票据。",
            "marks": [{ "path": "aid.reason", "note": "请写明患病成员和治疗情况" }],
        }),
        "record_survey" => json!({ "survey": surveyed }),
        "review" => json!({
            "opinion": if opposed { "oppose" } else { "support" },
            "reason": "经入户调查和信息核对,情况属实。",
        }),
        "refuse" => json!({
            "ground": "property_over", "reason": "家庭财产超过规定,不符合认定条件。",
        }),
        "confirm" => {
            let aid = case.facts.get("aid").and_then(Value::as_str).unwrap_or_default();
            let today = director.now().date();
            let computed =
                crate::cases::calculation::calculation(&case.answers, aid, today, &case.region);
            let amount = computed.and_then(|one| one.get("amount")?.as_i64()).unwrap_or(0);
            match amount {
                0 => json!({ "amount": 30_000, "deviation_reason": "演示:按当地分档标准确认。" }),
                amount => json!({ "amount": amount }),
            }
        }
        "end" => json!({ "ground": "income_over", "reason": "家庭成员就业,收入超过标准。" }),
        _ => json!({}),
    })
}

/// The visit that the check of an application opened, completed.
fn survey(director: &mut Director<'_>, case: &CaseFile) -> Result<String, Problem> {
    let mut survey = director.linked(case, Kind::Survey)?;
    let mut answers = survey.answers.clone();
    if let Value::Object(answers) = &mut answers {
        let day = director.now().date().to_string();
        answers
            .insert("visit".to_owned(), json!({ "visited_on": day, "record": "家中情况属实。" }));
    }
    director.act("cun", &mut survey, "save", json!({ "answers": answers }))?;
    let picture = director.picture("cun")?;
    let input = json!({
        "conclusion": "agrees", "suggestion": "建议纳入救助。",
        "household_signature": picture, "photos": [picture],
        "investigators": [
            { "name": "李守田", "signature": picture }, { "name": "王巧云", "signature": picture },
        ],
    });
    director.act("cun", &mut survey, "complete", input)?;
    Ok(survey.id)
}

/// A family that the registry does not know: two who do not exist, of another ID number each time.
fn strangers(order: u32, region: &str) -> (String, Value) {
    let one = nobody("19650412", &format!("{:03}", 101 + 2 * order)).unwrap_or_default();
    let two = nobody("19680923", &format!("{:03}", 102 + 2 * order)).unwrap_or_default();
    let answers = json!({
        "family": { "region": region, "urban": false },
        "members": [
            { "name": "冯大有", "id_number": one, "relation": "02", "sex": "1",
              "birth_date": "1965-04-12", "labour_ability": "2", "severe_illness": true,
              "illness": "尘肺病", "monthly_income": 30_000 },
            { "name": "孟秀兰", "id_number": two, "relation": "10", "sex": "2",
              "birth_date": "1968-09-23", "labour_ability": "1", "monthly_income": 45_000 },
        ],
    });
    (one, answers)
}

fn declaration(director: &mut Director<'_>, places: &Places, until: &str) -> Result<(), Problem> {
    let region = places.here.code.as_str();
    let order = ["draft", "submitted", "returned", "agreed", "rejected", "withdrawn"];
    let order = order.iter().position(|state| *state == until).unwrap_or(0);
    let (number, answers) = strangers(u32::try_from(order).unwrap_or(0), region);
    let answers = complete(Kind::Declaration, answers, "", region);
    director.days_ago(9);
    for member in members(&answers) {
        if let Some(number) = text(member, "id_number") {
            director.authorise(number, region)?;
        }
    }
    let input = json!({ "answers": answers });
    let scene = Scene { kind: Kind::Declaration, region, owner: Some(&number), input };
    let mut case = director.open("cun", &scene)?;
    if until == "draft" {
        return Ok(());
    }
    director.act("cun", &mut case, "submit", json!({}))?;
    director.days_ago(4);
    match until {
        "returned" => director.act(
            "xiang",
            &mut case,
            "return",
            json!({
                "reason": "收入与工资单不一致,请核实后再交。",
                "marks": [{ "path": "members[1].monthly_income", "note": "请按近三个月平均填写" }],
            }),
        ),
        "agreed" => director.act("xiang", &mut case, "agree", json!({})),
        "rejected" => director.act(
            "xian",
            &mut case,
            "reject",
            json!({
                "ground": "income_over", "reason": "家庭收入高于当地标准,不属于低收入人口。",
            }),
        ),
        "withdrawn" => director.act("cun", &mut case, "withdraw", json!({})),
        _ => Ok(()),
    }
}

fn report(director: &mut Director<'_>, places: &Places, until: &str) -> Result<(), Problem> {
    let region = places.here.code.as_str();
    let order = ["draft", "submitted", "county_review", "returned", "agreed", "rejected"];
    let order = order.iter().position(|state| *state == until).unwrap_or(0);
    let (number, answers) = strangers(20 + u32::try_from(order).unwrap_or(0), region);
    let answers = complete(Kind::Report, answers, "", region);
    director.days_ago(8);
    let input = json!({ "answers": answers });
    let scene = Scene { kind: Kind::Report, region, owner: Some(&number), input };
    let mut case = director.open("cun", &scene)?;
    if until == "draft" {
        return Ok(());
    }
    director.act("cun", &mut case, "submit", json!({}))?;
    if until == "submitted" {
        return Ok(());
    }
    director.days_ago(5);
    director.act("xiang", &mut case, "pass", json!({}))?;
    director.days_ago(3);
    match until {
        "returned" => director.act(
            "xian",
            &mut case,
            "return",
            json!({
                "reason": "住房情况填写不完整。",
                "marks": [{ "path": "housing.kind", "note": "请写明是自有还是借住" }],
            }),
        ),
        "agreed" => director.act("xian", &mut case, "agree", json!({})),
        "rejected" => director.act(
            "xian",
            &mut case,
            "reject",
            json!({
                "ground": "not_in_hardship", "reason": "经核实不属于低收入家庭。",
            }),
        ),
        _ => Ok(()),
    }
}

fn change(director: &mut Director<'_>, family: &Family, until: &str) -> Result<(), Problem> {
    director.days_ago(6);
    let region = family.region.as_str();
    let input = json!({ "purpose": "change" });
    let owner = Some(family.number.as_str());
    let mut case = director.open("cun", &Scene { kind: Kind::Change, region, owner, input })?;
    let mut answers = case.answers.clone();
    if let Value::Object(blocks) = &mut answers {
        blocks.insert("change".to_owned(), json!({ "reason": "moved" }));
    }
    if let Some(Value::Object(family)) = answers.get_mut("family") {
        family.insert("address".to_owned(), json!("新居路6号"));
    }
    director.act(
        "cun",
        &mut case,
        "submit",
        json!({
            "answers": answers, "reason": "已搬到新居。",
        }),
    )?;
    match until {
        "returned" => director.act(
            "xiang",
            &mut case,
            "return",
            json!({
                "reason": "请补充新住址的证明。",
                "marks": [{ "path": "family.address", "note": "请写明门牌号" }],
            }),
        ),
        _ => Ok(()),
    }
}

/// Some of the warnings are taken a part of their way.
fn warnings(director: &mut Director<'_>, places: &Places) -> Result<(), Problem> {
    let open = director.cases(Kind::Warning, "dispatched", places.here.township(), 60)?;
    director.days_ago(0);
    for (mut case, until) in open.into_iter().zip(WARNINGS) {
        for (login, command, input) in [
            ("xiang", "sign", json!({})),
            ("xiang", "visit", json!({})),
            ("xiang", "verify", json!({ "outcome": "needs_help", "note": "入户核实,情况属实。" })),
            (
                "xiang",
                "measure",
                json!({
                    "code": "transfer_medical", "department": "medical_insurance",
                    "text": "请核实医疗救助待遇。",
                }),
            ),
            ("yibao", "reply", json!({ "answer": "accept", "reason": "已受理,按规定救助。" })),
            ("xiang", "finish", json!({})),
            ("xiang", "submit", json!({ "note": "医保部门已受理。" })),
            ("xian", "close", json!({ "result": "transfer_medical", "reason": "已转医保办理。" })),
            ("xian", "archive", json!({})),
        ] {
            if until == "assessed" {
                let reason = json!({ "reason": "该户已迁往邻村,请重新派发。" });
                director.act("xiang", &mut case, "send_back", reason)?;
                break;
            }
            if case.state == until {
                break;
            }
            director.act(login, &mut case, command, input)?;
        }
    }
    Ok(())
}
