//! Known cases of amounts and limits, what an assessment says of them, and hostile answers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use serde_json::{Value, json};
use yiku::{Schema, calendar};

use super::{Assessment, Error, Outcome, PolicyBook, Rounding, assess};

const PLACE: &str = "140105";

fn day(text: &str) -> i64 {
    calendar::parse_date(text).unwrap()
}

/// The policies that come with the program, over standards of one place.
fn book(lines: &[(&str, Option<bool>, &str, &str)]) -> PolicyBook {
    let mut book = PolicyBook::built_in().unwrap();
    let mut text = String::new();
    for (name, urban, value, unit) in lines {
        let urban = urban.map_or_else(String::new, |u| format!("urban = {u}\n"));
        text += &format!(
            "[[standard]]\nname = \"{name}\"\nzh = \"z\"\nen = \"e\"\nregion = \"{PLACE}\"\n{urban}\
             from = \"2020-01-01\"\nvalue = \"{value}\"\nunit = \"{unit}\"\ninvented = true\n"
        );
    }
    let general = include_str!("../../catalog/standards.toml");
    book.standards = super::standards::Standards::read(&format!("{general}\n{text}")).unwrap();
    book
}

fn member(birth: &str) -> Value {
    json!({ "relation": "02", "birth_date": birth, "labour_ability": "1" })
}

/// A household of so many grown members without property, with so much income in 12 months.
fn household(urban: bool, members: usize, income_fen: i64) -> Value {
    json!({
        "family": { "region": PLACE, "urban": urban },
        "members": vec![member("1980-05-05"); members],
        "income": { "wages12": income_fen, "business12": 0, "property12": 0, "transfer12": 0,
                    "other12": 0 },
        "expense": { "medical12": 0, "education12": 0, "rehabilitation12": 0, "housing12": 0,
                     "other12": 0, "aid12": 0 },
        "property": { "deposits": 0, "houses": 1, "vehicle_value": 0, "machinery_value": 0,
                      "company": false },
    })
}

fn ask(book: &PolicyBook, answers: &Value) -> Assessment {
    match assess(book, answers, day("2026-10-31"), "") {
        Ok(assessment) => assessment,
        Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
    }
}

fn outcome(assessment: &Assessment, policy: &str) -> Outcome {
    assessment.of(policy).unwrap().outcome
}

fn cents(assessment: &Assessment, policy: &str) -> Option<i64> {
    assessment.of(policy).unwrap().amount.as_ref().map(|amount| amount.cents)
}

/// Rounded to the fen, where a vector does not speak of rounding.
const EXACT: (&str, Option<bool>, &str, &str) = ("dibao_rounding", None, "none", "rounding");

#[test]
fn v1_a_standard_of_a_year_is_compared_and_paid_by_the_month() {
    let book = book(&[("dibao_line", Some(false), "5400.00", "yuan/year"), EXACT]);
    let found = ask(&book, &household(false, 3, 960_000));
    assert_eq!((outcome(&found, "dibao"), cents(&found, "dibao")), (Outcome::Met, Some(55_000)));
    let amount = found.of("dibao").unwrap().amount.clone().unwrap();
    let steps: Vec<(f64, bool)> = amount.steps.iter().map(|s| (s.value, s.money)).collect();
    assert_eq!(steps, [(450.0, true), (3.0, false), (800.0, true)]);
    let clause = &found.of("dibao").unwrap().clauses[0];
    assert_eq!((clause.value, clause.threshold), (Some(3200.0), Some(5400.0)));
    assert_eq!((clause.unit.as_str(), clause.op), ("yuan/year", Some("<")));
    assert_eq!(clause.parameter.as_deref(), Some("dibao_line.rural@140105@2020-01-01"));
}

#[test]
fn v2_totals_first_then_one_rounding() {
    for (rounding, expected) in [("none", 200), ("up_yuan", 200), ("up_5_yuan", 500)] {
        let line = ("dibao_line", Some(true), "632.00", "yuan/month");
        let book = book(&[line, ("dibao_rounding", None, rounding, "rounding")]);
        let found = ask(&book, &household(true, 3, 189_400 * 12));
        assert_eq!(cents(&found, "dibao"), Some(expected), "{rounding}");
    }
}

#[test]
fn v3_v4_the_line_itself_is_not_below_the_line() {
    let line = ("dibao_line", Some(true), "670.00", "yuan/month");
    let exact = book(&[line, EXACT]);
    let at = ask(&exact, &household(true, 2, 134_000 * 12));
    assert_eq!((outcome(&at, "dibao"), cents(&at, "dibao")), (Outcome::NotMet, None));
    let clause = &at.of("dibao").unwrap().clauses[0];
    assert_eq!((clause.value, clause.threshold), (Some(670.0), Some(670.0)));
    let nearest = clause.nearest.unwrap();
    assert_eq!((nearest.value, nearest.change), (669.99, -0.01));
    let below = household(true, 2, 133_999 * 12);
    let found = ask(&exact, &below);
    assert_eq!((outcome(&found, "dibao"), cents(&found, "dibao")), (Outcome::Met, Some(1)));
    // Half a fen a head below the line is never shown as the line itself.
    let clause = &found.of("dibao").unwrap().clauses[0];
    assert_eq!((clause.value, clause.threshold), (Some(669.99), Some(670.0)));
    let yuan = book(&[line, ("dibao_rounding", None, "up_yuan", "rounding")]);
    assert_eq!(cents(&ask(&yuan, &below), "dibao"), Some(100));
}

#[test]
fn v5_v6_the_edge_ends_below_one_and_a_half_lines() {
    let book = book(&[("dibao_line", Some(true), "600.00", "yuan/month")]);
    for (head, expected) in
        [(89_999, Outcome::Met), (90_000, Outcome::NotMet), (60_000, Outcome::Met)]
    {
        let found = ask(&book, &household(true, 1, head * 12));
        assert_eq!(outcome(&found, "dibao_edge"), expected, "{head}");
        assert_eq!(outcome(&found, "dibao"), Outcome::NotMet, "{head}");
    }
    let below = ask(&book, &household(true, 1, 59_999 * 12));
    assert_eq!(outcome(&below, "dibao_edge"), Outcome::NotMet);
    assert_eq!(outcome(&below, "dibao"), Outcome::Met);
}

#[test]
fn v7_v8_rigid_expenditure_exceeds_its_share() {
    let book = book(&[
        ("dibao_line", Some(true), "600.00", "yuan/month"),
        ("disposable_income", Some(true), "35000.00", "yuan/year"),
        ("rigid_ratio", None, "0.60", "number"),
    ]);
    for (rigid, expected) in
        [(6_500_000, Outcome::Met), (6_000_000, Outcome::NotMet), (6_000_001, Outcome::Met)]
    {
        let mut answers = household(true, 4, 10_000_000);
        answers["expense"]["medical12"] = json!(rigid + 50_000);
        answers["expense"]["aid12"] = json!(50_000);
        let found = ask(&book, &answers);
        assert_eq!(outcome(&found, "rigid"), expected, "{rigid}");
    }
    // Without any income every expense is beyond its share.
    let mut answers = household(true, 1, 0);
    answers["property"]["company"] = json!(true);
    answers["expense"]["medical12"] = json!(1);
    let found = ask(&book, &answers);
    assert_eq!(outcome(&found, "dibao"), Outcome::NotMet);
    assert_eq!(outcome(&found, "rigid"), Outcome::Met);
    // Whoever has dibao has no rigid expenditure beside it.
    answers["property"]["company"] = json!(false);
    let found = ask(&book, &answers);
    assert_eq!(
        (outcome(&found, "dibao"), outcome(&found, "rigid")),
        (Outcome::Met, Outcome::NotMet)
    );
}

#[test]
fn v9_care_follows_the_items_of_self_care() {
    let book = book(&[
        ("dibao_line", Some(false), "5400.00", "yuan/year"),
        ("tekun_line", Some(false), "7020.00", "yuan/year"),
        ("nursing_full", None, "300.00", "yuan/month"),
        ("nursing_half", None, "200.00", "yuan/month"),
        ("nursing_self", None, "100.00", "yuan/month"),
    ]);
    for (items, care) in [(6, 100), (5, 200), (3, 200), (2, 300), (0, 300)] {
        let mut answers = household(false, 1, 0);
        answers["members"][0] = json!({ "birth_date": "1950-01-01", "self_care": items });
        let found = ask(&book, &answers);
        assert_eq!(outcome(&found, "tekun"), Outcome::Met, "{items}");
        assert_eq!(cents(&found, "tekun"), Some((585 + care) * 100), "{items}");
        // The only member is kept as tekun, so there is no dibao beside it.
        assert_eq!(outcome(&found, "dibao"), Outcome::NotMet);
    }
}

#[test]
fn temporary_aid_is_of_persons_and_months_up_to_a_limit() {
    let book = book(&[("dibao_line", Some(true), "671.00", "yuan/month")]);
    for (months, expected) in [(None, 135_000), (Some(2), 269_000), (Some(9), 806_000)] {
        let mut answers = household(false, 2, 0);
        answers["aid"] = json!({ "urgent": "火灾", "months": months });
        let found = ask(&book, &answers);
        // 671 × 2 × months, up to ten yuan: a rural household is helped by the urban line.
        assert_eq!(cents(&found, "temporary"), Some(expected), "{months:?}");
        assert_eq!(found.of("temporary").unwrap().amount.clone().unwrap().period, "once");
    }
    let calm = ask(&book, &household(true, 2, 100));
    assert_eq!(outcome(&calm, "temporary"), Outcome::NotMet);
}

#[test]
fn allowances_are_of_each_member() {
    let book = book(&[("dibao_line", Some(true), "600.00", "yuan/month")]);
    let mut answers = household(true, 3, 0);
    answers["members"][0]["disability_grade"] = json!("2");
    answers["members"][1]["disability_grade"] = json!("3");
    answers["members"][1]["disability_type"] = json!("6");
    let found = ask(&book, &answers);
    assert_eq!(cents(&found, "disability_living"), Some(2 * 7_500));
    assert_eq!(cents(&found, "disability_care"), Some(8_500));
    let members = &found.of("disability_care").unwrap().members;
    let outcomes: Vec<Outcome> = members.iter().map(|m| m.outcome).collect();
    assert_eq!(outcomes, [Outcome::Met, Outcome::NotMet, Outcome::NotMet]);
    // Without dibao there is no living allowance, the care allowance stays.
    answers["income"]["wages12"] = json!(100_000_000);
    let found = ask(&book, &answers);
    assert_eq!(outcome(&found, "disability_living"), Outcome::NotMet);
    assert_eq!(outcome(&found, "disability_care"), Outcome::Met);
    // Extended, grade three mental has care too.
    let wide = self::book(&[("care_extended", None, "1", "number")]);
    assert_eq!(cents(&ask(&wide, &answers), "disability_care"), Some(2 * 8_500));
}

#[test]
fn an_obligor_who_can_excludes_tekun_and_is_not_counted() {
    let book = book(&[("dibao_line", Some(true), "600.00", "yuan/month")]);
    let mut answers = household(true, 1, 0);
    answers["members"] = json!([
        { "birth_date": "1950-01-01", "self_care": 6 },
        { "birth_date": "1980-01-01", "obligor": true },
    ]);
    let found = ask(&book, &answers);
    assert_eq!(outcome(&found, "tekun"), Outcome::NotMet);
    let unmet = found.of("tekun").unwrap().clauses.iter().find(|c| c.outcome == Outcome::NotMet);
    assert_eq!(unmet.unwrap().id, "no_obligor");
    assert_eq!(found.of("dibao").unwrap().amount.clone().unwrap().steps[1].value, 1.0);
    answers["members"][1]["disability_grade"] = json!("1");
    assert_eq!(outcome(&ask(&book, &answers), "tekun"), Outcome::Met);
    answers["members"][1] = json!({ "birth_date": "1950-01-01", "obligor": true });
    assert_eq!(outcome(&ask(&book, &answers), "tekun"), Outcome::Met);
}

#[test]
fn what_is_not_told_is_named() {
    let book = PolicyBook::built_in().unwrap();
    let mut answers = household(true, 2, 0);
    answers["income"]["transfer12"] = Value::Null;
    answers["property"].as_object_mut().unwrap().remove("houses");
    let found = ask(&book, &answers);
    let dibao = found.of("dibao").unwrap();
    assert_eq!(dibao.outcome, Outcome::Unknown);
    let paths: Vec<&str> =
        dibao.clauses.iter().flat_map(|c| &c.missing).map(|m| m.path.as_str()).collect();
    assert_eq!(paths, ["income.transfer12", "property.houses"]);
    assert!(dibao.text.zh.contains("还缺:近12个月转移净收入、住房套数"), "{}", dibao.text.zh);
    assert!(dibao.text.en.contains("transfer income of 12 months"), "{}", dibao.text.en);
    // One clause that is not met decides, whatever is missing.
    answers["property"]["company"] = json!(true);
    assert_eq!(outcome(&ask(&book, &answers), "dibao"), Outcome::NotMet);
    // Nothing told: nothing decided, and no error.
    let found = ask(&book, &json!({}));
    assert!(found.outcomes.iter().all(|o| o.outcome != Outcome::Met));
    let asked = found.of("dibao").unwrap().clauses[0].missing.clone();
    assert_eq!(asked[0].path, "family.region");
    // Without the kind of household its line is not known, though its place is.
    let mut answers = household(true, 2, 0);
    answers["family"]["urban"] = Value::Null;
    let missing = &ask(&book, &answers).of("dibao").unwrap().clauses[0].missing.clone();
    assert_eq!(missing[0].path, "family.urban");
}

#[test]
fn members_tell_the_income_where_the_block_is_empty() {
    let book = book(&[("dibao_line", Some(true), "600.00", "yuan/month"), EXACT]);
    let mut answers = household(true, 2, 0);
    answers["income"] = Value::Null;
    answers["members"][0]["monthly_income"] = json!(30_000);
    assert_eq!(outcome(&ask(&book, &answers), "dibao"), Outcome::Unknown);
    answers["members"][1]["monthly_income"] = json!(0);
    assert_eq!(cents(&ask(&book, &answers), "dibao"), Some(120_000 - 30_000));
}

#[test]
fn the_day_of_birth_is_told_in_three_ways() {
    let book = PolicyBook::built_in().unwrap();
    let labour = |member: Value| {
        let mut answers = household(true, 1, 0);
        answers["members"] = json!([member]);
        let found = ask(&book, &answers);
        found.of("tekun").unwrap().clauses[0].outcome
    };
    assert_eq!(labour(json!({ "birth_date": "1966-10-31" })), Outcome::Met);
    assert_eq!(labour(json!({ "birth_date": "1966-11-01" })), Outcome::NotMet);
    assert_eq!(labour(json!({ "age": 60 })), Outcome::Met);
    assert_eq!(labour(json!({ "age": 59 })), Outcome::NotMet);
    assert_eq!(labour(json!({ "id_number": "999999196610310012" })), Outcome::Met);
    assert_eq!(labour(json!({ "id_number": "999999196611010012", "age": 70 })), Outcome::NotMet);
    assert_eq!(labour(json!({ "id_number": "999999999999999999" })), Outcome::Unknown);
    assert_eq!(labour(json!({ "id_number": "王王王王王王" })), Outcome::Unknown);
    assert_eq!(labour(json!({})), Outcome::Unknown);
    let old = json!({ "members": [{ "age": 200 }] });
    let error = assess(&book, &old, day("2026-10-31"), "").unwrap_err();
    assert!(error.to_string().starts_with("members[0].age: "), "{error}");
}

#[test]
fn words_say_by_how_much() {
    let book = book(&[("dibao_line", Some(true), "600.00", "yuan/month")]);
    let found = ask(&book, &household(true, 2, 140_000 * 12));
    let text = &found.of("dibao").unwrap().text;
    assert_eq!(
        text.zh,
        "您家不符合最低生活保障的条件。家庭人均收入低于当地低保标准:现为700.00元/月,\
         要求低于600.00元/月,须减少100.01元/月。"
    );
    assert!(text.en.contains("700.00 yuan/month, required below 600.00 yuan/month"), "{}", text.en);
    let met = ask(&book, &household(true, 2, 0));
    assert!(met.of("dibao").unwrap().text.zh.contains("预计每月1200.00元"));
    // Of persons: who is nearest, and by how much.
    let mut answers = household(true, 2, 0);
    answers["members"][1]["birth_date"] = json!("1970-01-01");
    let text = &ask(&book, &answers).of("tekun").unwrap().text.zh.clone();
    assert!(text.starts_with("没有成员符合特困人员救助供养的条件。第1位成员最接近:"), "{text}");
    assert!(text.contains("现为46岁,要求不低于60岁,还差14岁"), "{text}");
    answers["members"][0]["disability_grade"] = json!("1");
    answers["members"][1]["disability_grade"] = json!("2");
    let text = &ask(&book, &answers).of("disability_care").unwrap().text.zh.clone();
    assert!(text.starts_with("第1、2位成员符合重度残疾人护理补贴的条件。"), "{text}");
}

#[test]
fn the_most_particular_place_and_the_latest_day_decide() {
    let book = PolicyBook::built_in().unwrap();
    let line = |region: &str, urban: bool, on: &str| {
        let mut answers = household(urban, 1, 0);
        answers["family"]["region"] = json!(region);
        let found = assess(&book, &answers, day(on), "").unwrap();
        found.of("dibao").unwrap().clauses[0].threshold
    };
    assert_eq!(line("140702", true, "2021-06-01"), Some(670.0));
    assert_eq!(line("140702001001", false, "2021-06-01"), Some(5460.0));
    assert_eq!(line("140729", false, "2021-06-01"), Some(5400.0));
    assert_eq!(line("140827", false, "2021-06-01"), Some(5400.0));
    assert_eq!(line("140827", false, "2022-06-01"), Some(5832.0));
    assert_eq!(line("141128", true, "2026-10-31"), Some(690.0));
    assert_eq!(line("141128", true, "2020-10-31"), None);
    let kept = book.standards("141128100", day("2026-10-31"));
    let lines = kept.iter().filter(|s| s.name == "dibao_line").count();
    assert_eq!(lines, 2);
}

#[test]
fn answers_of_the_wrong_shape_are_refused_by_their_field() {
    let book = PolicyBook::built_in().unwrap();
    let many: Vec<Value> = vec![json!({}); 65];
    for (answers, path) in [
        (json!([]), "answers"),
        (json!({ "family": 3 }), "family"),
        (json!({ "family": { "urban": "yes" } }), "family.urban"),
        (json!({ "family": { "region": "14010" } }), "family.region"),
        (json!({ "family": { "region": "14-105" } }), "family.region"),
        (json!({ "income": { "wages12": -1 } }), "income.wages12"),
        (json!({ "income": { "wages12": 1.5 } }), "income.wages12"),
        (json!({ "income": { "wages12": "100" } }), "income.wages12"),
        (json!({ "income": { "wages12": i64::MAX } }), "income.wages12"),
        (json!({ "property": { "houses": 1_000_000 } }), "property.houses"),
        (json!({ "members": {} }), "members"),
        (json!({ "members": many }), "members"),
        (json!({ "members": ["x"] }), "members[0]"),
        (json!({ "members": [{}, { "birth_date": "1980-02-30" }] }), "members[1].birth_date"),
        (json!({ "members": [{ "birth_date": "2030-01-01" }] }), "members[0].birth_date"),
        (json!({ "members": [{ "disability_grade": "9" }] }), "members[0].disability_grade"),
        (json!({ "members": [{ "severe_illness": 1 }] }), "members[0].severe_illness"),
        (json!({ "aid": { "urgent": "x".repeat(9_000) } }), "aid.urgent"),
    ] {
        let error = assess(&book, &answers, day("2026-10-31"), "").unwrap_err();
        assert!(matches!(&error, Error::Answers { path: found, .. } if found == path), "{error}");
    }
}

#[test]
fn an_assessment_is_json_of_its_shape() {
    let book = PolicyBook::built_in().unwrap();
    let found = serde_json::to_value(ask(&book, &household(true, 2, 100_000 * 12))).unwrap();
    let dibao = &found["outcomes"][1];
    assert_eq!(dibao["policy"], "dibao");
    assert_eq!(dibao["outcome"], "met");
    let clause = &dibao["clauses"][0];
    for field in ["id", "label", "outcome", "value", "op", "threshold", "unit", "source"] {
        assert!(!clause[field].is_null(), "{field}");
    }
    assert!(clause["invented"].as_bool().unwrap());
    assert!(dibao["amount"]["cents"].is_i64());
    assert!(dibao["amount"]["formula"]["zh"].is_string());
    assert!(dibao["bring"][0]["zh"].is_string());
    assert_eq!(found["as_of"], "2026-10-31");
}

#[test]
fn amounts_are_rounded_exactly() {
    for (rounding, total, over, expected) in [
        (Rounding::None, 5, 2, 3),
        (Rounding::None, 7, 12, 1),
        (Rounding::None, 5, 12, 0),
        (Rounding::UpYuan, 1, 12, 100),
        (Rounding::UpYuan, 1_200, 12, 100),
        (Rounding::UpYuan, 1_201, 12, 200),
        (Rounding::UpFive, 50_001, 100, 1_000),
        (Rounding::UpTen, 0, 12, 0),
    ] {
        assert_eq!(rounding.of(total, over), expected, "{rounding:?} {total}/{over}");
    }
}

#[test]
fn the_code_lists_are_those_of_the_registry() {
    let registry = Schema::from_toml(include_str!("../../../indexer/registry.toml")).unwrap();
    let own = super::answers::schema().unwrap();
    assert_eq!(own.path, registry.path);
    for list in &own.lists {
        let same = registry.lists.iter().find(|other| other.name == list.name).unwrap();
        assert_eq!(list.codes, same.codes, "{}", list.name);
    }
}

#[test]
fn a_book_that_is_not_sound_is_refused() {
    let standards = include_str!("../../catalog/standards.toml");
    let head = "id = \"x\"\nlabel = { zh = \"z\", en = \"e\" }\nsubject = \"household\"\n\
                basis = \"b\"\n";
    let clause = "[[clause]]\nid = \"c\"\nlabel = { zh = \"z\", en = \"e\" }\nsource = \"s\"\n";
    let wrong = |policy: &str| PolicyBook::read(&[policy], standards).unwrap_err().to_string();
    assert!(wrong("id = 3").contains("policy: "));
    assert!(wrong(&format!("{head}requires = [\"dibao\"]\nclause = []\n")).contains("no policy"));
    let unread = format!("{head}{clause}expression = \"a and\"\n");
    assert!(wrong(&unread).contains("x.c"));
    let row = |value: &str, unit: &str, more: &str| {
        let text = format!(
            "[[standard]]\nname = \"n\"\nzh = \"\"\nen = \"\"\nregion = \"14\"\n\
             from = \"2020-01-01\"\nvalue = \"{value}\"\nunit = \"{unit}\"\n{more}\n"
        );
        PolicyBook::read(&[], &text).is_err()
    };
    assert!(!row("1.00", "yuan", "invented = true"));
    assert!(row("1.00", "yuan", ""));
    assert!(row("1.001", "yuan", "invented = true"));
    assert!(row("up", "rounding", "invented = true"));
    assert!(row("x", "number", "invented = true"));
}
