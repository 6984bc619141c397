//! Families who do not exist, and what they answer.

use serde_json::{Value, json};

use crate::office::HERE;

/// An ID number of nobody, of an area that was never assigned, born on a day.
pub(crate) fn nobody(born: &str, order: u32) -> String {
    let digits = format!("999001{born}{order:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    format!("{digits}{}", char::from(check))
}

/// The ID number of the head of a family, a man.
pub(crate) fn head_of(family: u32) -> String {
    nobody("19750412", 101 + 4 * family)
}

/// The ID number of the head's wife.
pub(crate) fn wife_of(family: u32) -> String {
    nobody("19780923", 102 + 4 * family)
}

/// The ID number of their child, who is twelve years old.
pub(crate) fn child_of(family: u32) -> String {
    nobody("20140305", 103 + 4 * family)
}

/// A rural family of three with 9 600 yuan a year: 800 yuan a month.
pub(crate) fn answers(family: u32) -> Value {
    json!({
        "family": { "region": HERE, "urban": false, "address": "幸福路十八号院三单元",
                    "phone": "13800001234", "cause": "1" },
        "members": [
            { "name": "冯大有", "id_number": head_of(family), "relation": "02", "sex": "1",
              "birth_date": "1975-04-12", "labour_ability": "2", "counted": true },
            { "name": "孟秀兰", "id_number": wife_of(family), "relation": "10", "sex": "2",
              "birth_date": "1978-09-23", "labour_ability": "1", "counted": true },
            { "name": "冯小宝", "id_number": child_of(family), "relation": "20", "sex": "1",
              "birth_date": "2014-03-05", "labour_ability": "4", "counted": true },
        ],
        "income": { "wages12": 960_000, "business12": 0, "property12": 0, "transfer12": 0,
                    "other12": 0 },
        "property": { "deposits": 0, "houses": 1, "vehicle_value": 0, "machinery_value": 0,
                      "company": false },
    })
}

/// What the same family answers to a form of a report.
pub(crate) fn report(family: u32) -> Value {
    let mut answers = answers(family);
    answers["living"] = json!({ "food": "short", "water_safe": true });
    answers["housing"] = json!({ "kind": "own", "housing_grade": "B" });
    answers.as_object_mut().unwrap().remove("property");
    answers
}

/// What the same family answers to an application for dibao.
pub(crate) fn application(family: u32) -> Value {
    let mut answers = answers(family);
    answers["family"]["bank_account"] = json!("6228000000000000018");
    answers["aid"] = json!({ "kind": "dibao", "reason": "家中有人长期患病,收入不足。" });
    answers["housing"] = json!({ "kind": "own", "housing_grade": "B" });
    answers
}
