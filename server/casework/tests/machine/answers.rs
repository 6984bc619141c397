//! Answers of an invented family, and what commands bring.

use serde_json::{Value, json};
use yiku_casework::case::{Evidence, Kind};

use crate::sample::{HEAD, SPOUSE};

pub(crate) const HEAD_ID: &str = "999001199003076639";
pub(crate) const SPOUSE_ID: &str = "999001195505200013";
pub(crate) const SON_ID: &str = "999001202402290012";
pub(crate) const PHOTO: &str = "a1b2";
pub(crate) const SOUND: &str = "c3d4";
const DOCUMENT: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";

/// A family of two parents and a child, with somebody who only owes them support.
pub(crate) fn family() -> Value {
    json!({
        "family": {
            "region": "141128101203", "urban": false, "address": "西村12号",
            "phone": "13800005678", "bank_account": "6222000000001234", "cause": "1",
        },
        "members": [
            {"name": "张三", "id_number": HEAD_ID, "relation": "02", "sex": "1",
             "birth_date": "1990-03-07", "labour_ability": "2", "employment": "5",
             "monthly_income": 30_000, "severe_illness": true, "illness": "尘肺", "counted": true},
            {"name": "李四", "id_number": SPOUSE_ID, "relation": "10", "employment": "2",
             "counted": true},
            {"name": "张小", "id_number": SON_ID, "relation": "20", "counted": true},
            {"name": "王五", "id_number": "999001194912310020", "relation": "50", "obligor": true},
        ],
        "income": {"wages12": 600_000, "business12": 360_000},
        "housing": {"kind": "own", "housing_grade": "C"},
    })
}

/// What a command needs to succeed, by variant: `verify=false`.
pub(crate) fn input(kind: Kind, command: &str, variant: &str) -> Value {
    match (kind, command) {
        (Kind::Change, "begin") => {
            json!({"purpose": if variant.is_empty() { "change" } else { variant }})
        }
        (Kind::Change, "save" | "submit") if variant != "bare" => {
            let mut answers = family();
            answers["family"]["address"] = json!("东村3号");
            json!({"answers": answers, "reason": "搬家"})
        }
        (Kind::Application, "begin") => json!({
            "aid": if variant.is_empty() { "dibao" } else { variant },
            "answers": family(), "notice_read": true,
        }),
        (Kind::Survey, "plan") => {
            json!({"purpose": "application", "case": "A9", "answers": family()})
        }
        (Kind::Survey, "save") => {
            let mut answers = family();
            answers["visit"] = json!({"visited_on": "2026-11-02", "record": "家中有病人"});
            json!({"answers": answers})
        }
        (Kind::Survey, "complete") => json!({
            "conclusion": "agrees", "suggestion": "尽快救助", "photos": [PHOTO],
            "household_signature": "s0",
            "investigators":
                [{"name": "赵一", "signature": "s1"}, {"name": "钱二", "signature": "s2"}],
        }),
        (Kind::Authorisation, "sign") => json!({
            "scope": ["tax", "housing"], "months": 12, "document": DOCUMENT, "paper": [PHOTO],
            "signature": {"value": "00"},
        }),
        (Kind::Warning, _) => warning_input(command, variant),
        (Kind::LifeCheck, "issue") => json!({"digits": "402817"}),
        (Kind::LifeCheck, "record") => json!({"recording": SOUND}),
        (Kind::LifeCheck, "visit_result") => {
            json!({"outcome": if variant.is_empty() { "alive" } else { variant }, "note": "在家"})
        }
        (_, "begin") => json!({"answers": family()}),
        (_, "return") => json!({
            "marks": [{"path": "members[0].monthly_income", "note": "与工资单不符"}],
            "reason": "请核对收入",
        }),
        (_, "reject" | "refuse" | "end") => {
            json!({"ground": "income_over", "reason": "收入超过标准"})
        }
        (_, "request_supplement" | "cancel") => json!({"reason": "缺少收入证明"}),
        (_, "record_survey") => json!({"survey": "S1"}),
        (_, "review") => json!({
            "opinion": if variant.is_empty() { "support" } else { variant }, "reason": "情况属实",
        }),
        (_, "object") => json!({"text": "有存款"}),
        (_, "settle") => json!({"finding": "经查不属实"}),
        (_, "confirm") => json!({"amount": 55_000}),
        _ => json!({}),
    }
}

fn warning_input(command: &str, variant: &str) -> Value {
    match command {
        "raise" => json!({
            "rule": "A07", "group": "A", "household": "H1", "period": "2026-11", "snapshot": 42,
            "level": if variant.is_empty() { "red" } else { variant }, "load": "L7",
            "reasons": [{"label": "自付", "value": 1_200_000, "threshold": 1_000_000}],
        }),
        "dispatch" => json!({"region": "141128101203"}),
        "send_back" | "send_again" | "reopen" => json!({"reason": "不属于本村"}),
        "attempt" => json!({"note": "门锁着"}),
        "verify" => json!({
            "outcome": if variant.is_empty() { "needs_help" } else { variant },
            "note": "看过了", "measure": "已在低保",
        }),
        "measure" => json!({"code": if variant.is_empty() { "transfer_medical" } else { variant }}),
        "reply" => json!({
            "answer": if variant.is_empty() { "accept" } else { variant }, "reason": "已办",
        }),
        "close" => json!({
            "result": if variant.is_empty() { "transfer_medical" } else { variant },
            "reason": "已转办", "watch_until": "2027-06-30",
        }),
        _ => json!({}),
    }
}

/// Everything a caller may have found out, in favour of the command.
pub(crate) fn evidence() -> Evidence {
    Evidence {
        authorised: vec![(HEAD.to_owned(), "U1".to_owned()), (SPOUSE.to_owned(), "U2".to_owned())],
        adults: vec![(HEAD.to_owned(), "张*".to_owned()), (SPOUSE.to_owned(), "李*".to_owned())],
        duplicates: Vec::new(),
        current: Some(family()),
        calculation: Some(json!({"amount": 55_000, "formula": "450·3−800"})),
        checks: Some(json!([{"item": "住房", "finding": "一套"}])),
        linked: vec![("S1".to_owned(), Kind::Survey, "completed".to_owned())],
        voice: Some(json!({
            "score": 0.9, "threshold": 0.7, "quality": 20.0, "quality_least": 10.0,
            "reference": true,
        })),
        attachments: vec![
            (PHOTO.to_owned(), "image/jpeg".to_owned()),
            (SOUND.to_owned(), "audio/wav".to_owned()),
        ],
        faults: Vec::new(),
    }
}
