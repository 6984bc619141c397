//! Forms: what is asked, what is a fault and how it is told, what is hidden, and that lists and
//! columns are the registry's.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use yiku_casework::forms::{Fault, Form, Strictness, form, forms, path};
use yiku_casework::machine::lists::{AIDS, DEPARTMENTS};

const TODAY: Date = date(2026, 3, 2);
const HEAD_ID: &str = "999101197001010018";
const WIFE_ID: &str = "999101197203050026";

fn get(name: &str) -> &'static Form {
    form(name).unwrap()
}

/// A whole application of a couple for the minimum living allowance.
fn application() -> Value {
    json!({
        "aid": {"kind": "dibao", "reason": "收入不够生活"},
        "family": {
            "region": "999101001001", "urban": false, "address": "某村一组一号",
            "phone": "19900000001", "bank_account": "6200000000000005",
        },
        "members": [
            {"name": "甲", "id_number": HEAD_ID, "relation": "02", "sex": "1",
             "birth_date": "1970-01-01", "labour_ability": "2", "disability_type": "4",
             "disability_grade": "2", "monthly_income": 30_000},
            {"name": "乙", "id_number": WIFE_ID, "relation": "10", "sex": "2",
             "birth_date": "1972-03-05", "labour_ability": "1"},
        ],
        "income": {"wages12": 360_000, "business12": 0, "property12": 0, "transfer12": 0,
                   "other12": 0},
        "property": {"deposits": 100_000, "houses": 1},
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut answers = application();
    assert!(path::set(&mut answers, path, value), "{path}");
    answers
}

fn found(answers: &Value, strictness: Strictness) -> Vec<(String, &'static str)> {
    let faults = get("application").check(answers, TODAY, strictness);
    for fault in &faults {
        assert!(!fault.zh.is_ascii() && fault.en.is_ascii(), "{fault:?}");
    }
    faults.into_iter().map(|fault| (fault.path, fault.code)).collect()
}

#[test]
fn a_whole_application_has_no_fault() {
    assert_eq!(found(&application(), Strictness::Submit), []);
    assert_eq!(found(&application(), Strictness::Draft), []);
}

/// One answer is changed; its fault, when handed in and as a draft.
#[test]
fn one_wrong_answer_is_one_fault() {
    let id = |end: &str| json!(format!("99910119700101{end}"));
    let long = |length: usize| json!("字".repeat(length));
    let cases = [
        ("family.address", Value::Null, "required", ""),
        ("family.address", json!("  "), "required", ""),
        ("family.address", json!(7), "kind", "kind"),
        ("family.address", long(201), "long", "long"),
        ("family.address", json!("一\u{0}二"), "kind", "kind"),
        ("family.urban", json!("yes"), "kind", "kind"),
        ("family.region", json!("999101"), "region", "region"),
        ("family.region", json!("99910100100é"), "region", "region"),
        ("family.phone", json!("1990000"), "phone", ""),
        ("family.phone", json!("199****0001"), "phone", ""),
        ("family.phone", json!("１９９００００００００１"), "phone", ""),
        ("family.bank_account", json!("62000000000"), "bank", ""),
        ("family.bank_account", json!("6".repeat(40)), "bank", "long"),
        ("family.colour", json!("red"), "unknown", "unknown"),
        ("aid.kind", json!("lottery"), "code", "code"),
        ("aid.reason", long(1001), "long", "long"),
        ("members[0].name", json!(""), "required", ""),
        ("members[0].id_number", id("001"), "id_number.length", ""),
        ("members[0].id_number", id("001Y"), "id_number.characters", ""),
        ("members[0].id_number", id("0019"), "id_number.check", ""),
        ("members[0].id_number", json!("999101197002300015"), "id_number.birth", ""),
        ("members[0].id_number", json!(42), "kind", "kind"),
        ("members[0].sex", json!("2"), "id_number.sex", ""),
        ("members[0].birth_date", json!("1970-01-02"), "id_number.birth_date", ""),
        ("members[0].birth_date", json!("1970-02-30"), "date", "date"),
        ("members[0].birth_date", json!("1970-1-1"), "date", "date"),
        ("members[0].birth_date", json!("19700101"), "date", "date"),
        ("members[1].id_number", json!(HEAD_ID), "twice", ""),
        ("members[0].disability_grade", Value::Null, "required", ""),
        ("members[0].disability_grade", json!("9"), "code", "code"),
        ("members[0].monthly_income", json!(-1), "money", "money"),
        ("members[0].monthly_income", json!(1.5), "money", "money"),
        ("members[0].monthly_income", json!(10_000_000_000_000_i64), "money", "money"),
        ("members[0].monthly_income", json!(u64::MAX), "money", "money"),
        ("members[0].monthly_income", json!("300"), "money", "money"),
        ("members[0].self_care", json!(7), "number", "number"),
        ("income.wages12", Value::Null, "required", ""),
        ("property.houses", json!(-1), "number", "number"),
    ];
    for (path, value, code, draft) in cases {
        // The number of somebody else also has another sex and day of birth than the answers say.
        let twice = code == "twice";
        let answers = with(path, value);
        let faults = found(&answers, Strictness::Submit);
        let own: Vec<_> = faults.iter().filter(|(at, _)| !twice || at == path).collect();
        assert_eq!(own, [&(path.to_owned(), code)], "{path} {code}");
        let drafted = found(&answers, Strictness::Draft);
        let expected: Vec<_> = [(path.to_owned(), draft)].into();
        assert_eq!(drafted, if draft.is_empty() { vec![] } else { expected }, "draft {path}");
    }
}

#[test]
fn days_and_numbers_of_the_future_are_faults() {
    let mut answers = with("members[1].birth_date", json!("2026-03-03"));
    path::set(&mut answers, "members[1].id_number", Value::Null);
    let expected = [
        ("members[1].id_number".to_owned(), "required"),
        ("members[1].birth_date".to_owned(), "future"),
    ];
    assert_eq!(found(&answers, Strictness::Submit), expected);
    let today = with("members[1].birth_date", json!("2026-03-02"));
    let faults = found(&today, Strictness::Submit);
    assert_eq!(faults, [("members[1].birth_date".to_owned(), "id_number.birth_date")]);
    // Right in itself, of somebody born after today.
    let unborn = get("authorisation").check(
        &json!({"signer": {"name": "丙", "id_number": "999101203006070035"}}),
        TODAY,
        Strictness::Submit,
    );
    assert_eq!(unborn[0].path, "signer.id_number");
}

#[test]
fn a_household_has_one_head_and_somebody() {
    let one = |answers: &Value| {
        let faults = found(answers, Strictness::Submit);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].0, "members");
        faults[0].1
    };
    assert_eq!(one(&with("members[0].relation", json!("80"))), "head.missing");
    assert_eq!(one(&with("members[1].relation", json!("02"))), "head.twice");
    assert_eq!(one(&with("members", json!([]))), "few");
    assert_eq!(one(&with("members", json!({"0": {}}))), "kind");
    assert_eq!(one(&with("members", Value::Null)), "few");
    // A grown son who lives elsewhere heads his own household.
    let mut answers = with("members[1].relation", json!("02"));
    path::set(&mut answers, "members[1].obligor", json!(true));
    assert_eq!(found(&answers, Strictness::Submit), []);
    assert_eq!(found(&with("members", json!([])), Strictness::Draft), []);
}

#[test]
fn what_is_asked_depends_on_other_answers() {
    // Temporary assistance asks what happened, not the year's income.
    let mut answers = with("aid.kind", json!("temporary"));
    path::set(&mut answers, "income", Value::Null);
    path::set(&mut answers, "property", Value::Null);
    assert_eq!(found(&answers, Strictness::Submit), [("aid.urgent".to_owned(), "required")]);
    path::set(&mut answers, "aid.urgent", json!("房屋倒塌"));
    assert_eq!(found(&answers, Strictness::Submit), []);
    // Rigid expenditure asks the expenditure.
    let rigid = with("aid.kind", json!("rigid"));
    let expected = ["expense.medical12", "expense.education12"].map(|p| (p.to_owned(), "required"));
    assert_eq!(found(&rigid, Strictness::Submit), expected);
    // A grave illness has a name; no illness has none.
    let ill = with("members[1].severe_illness", json!(true));
    let expected = [("members[1].illness".to_owned(), "required")];
    assert_eq!(found(&ill, Strictness::Submit), expected);
    assert_eq!(found(&with("members[1].severe_illness", json!(false)), Strictness::Submit), []);
}

#[test]
fn any_json_is_checked_without_a_panic_and_with_few_faults() {
    let deep = (0..50).fold(json!(1), |value, _| json!([value]));
    let many: BTreeMap<String, Value> =
        (0..10_000).map(|at| (format!("x{at}"), json!("y"))).collect();
    let hostile = [
        Value::Null,
        json!([]),
        json!("text"),
        deep.clone(),
        json!({"members": deep.clone(), "family": [], "aid": 1}),
        json!({"members": vec![json!({"x": 1}); 5000]}),
        json!({"members": [[], 1, null, {"id_number": [1]}]}),
        json!({"family": many}),
        json!({"字".repeat(10_000): 1, "__proto__": {}}),
        json!({"aid": {"files": vec!["f"; 1000]}}),
    ];
    for name in forms().unwrap().names() {
        let form = get(name);
        for answers in &hostile {
            for strictness in [Strictness::Draft, Strictness::Submit] {
                let faults: Vec<Fault> = form.check(answers, TODAY, strictness);
                assert!((1..=100).contains(&faults.len()), "{name}: {}", faults.len());
                let longest = faults.iter().map(|fault| fault.path.len()).max().unwrap();
                assert!(longest < 100, "{name}: {longest}");
            }
            let masked = form.masked(answers);
            let _ = (form.unmasked(&masked, answers), form.doubts(answers));
        }
    }
}

#[test]
fn an_answer_is_never_repeated_in_a_fault() {
    let secret = "秘密secret";
    for form in forms().unwrap().names().map(get) {
        for part in &form.parts {
            let fields: serde_json::Map<String, Value> =
                part.fields.iter().map(|f| (f.name.clone(), json!(secret.repeat(100)))).collect();
            let block = if part.repeats { json!([fields]) } else { json!(fields) };
            for fault in form.check(&json!({ &part.name: block }), TODAY, Strictness::Submit) {
                assert!(!format!("{fault:?}").contains("secret"), "{fault:?}");
            }
        }
    }
}

#[test]
fn assessment_needs_no_name_and_an_age_or_birthday() {
    let assessment = get("assessment");
    for field in assessment.parts.iter().flat_map(|part| &part.fields) {
        assert!(field.mask.is_none(), "{} would be personal", field.name);
    }
    let member = |extra: Value| {
        let mut member = json!({"relation": "02", "sex": "1", "labour_ability": "1"});
        member.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"family": {"region": "999101", "urban": true}, "members": [member]})
    };
    for (extra, expected) in [
        (json!({}), vec![("members[0].birth_date", "required")]),
        (json!({"age": 40}), vec![]),
        (json!({"birth_date": "1986-01-01"}), vec![]),
        (json!({"age": 151}), vec![("members[0].age", "number")]),
        (json!({"age": 40, "name": "甲"}), vec![("members[0].name", "unknown")]),
    ] {
        let faults = assessment.check(&member(extra), TODAY, Strictness::Submit);
        let faults: Vec<_> = faults.iter().map(|f| (f.path.as_str(), f.code)).collect();
        assert_eq!(faults, expected);
    }
}

#[test]
fn a_survey_begins_with_what_was_declared_and_is_dated() {
    let survey = get("survey");
    let mut answers = survey.prefilled(&application());
    assert_eq!(path::get(&answers, "members[1].labour_ability"), Some(&json!("1")));
    assert_eq!(path::get(&answers, "members[1].name"), Some(&json!("乙")));
    assert_eq!((answers.get("aid"), path::get(&answers, "members[1].sex")), (None, None));
    let codes = |answers: &Value| {
        let faults = survey.check(answers, TODAY, Strictness::Submit);
        faults.into_iter().map(|fault| (fault.path, fault.code)).collect::<Vec<_>>()
    };
    assert_eq!(codes(&answers), [("visit.visited_on".to_owned(), "required")]);
    path::set(&mut answers, "visit.visited_on", json!("2026-03-01"));
    assert_eq!(codes(&answers), []);
    let missed = json!({"on": "2026-02-27", "note": "无人"});
    path::set(&mut answers, "attempts", json!([missed, missed]));
    assert_eq!(codes(&answers), [("attempts[1].on".to_owned(), "twice")]);
}

#[test]
fn an_authorisation_is_agreed_to() {
    let mut answers = json!({
        "signer": {"name": "甲", "id_number": HEAD_ID},
        "authorisation": {"scope": ["health"], "months": 12, "read": true, "sensitive": true},
    });
    let codes = |answers: &Value| {
        let faults = get("authorisation").check(answers, TODAY, Strictness::Submit);
        faults.into_iter().map(|fault| (fault.path, fault.code)).collect::<Vec<_>>()
    };
    assert_eq!(codes(&answers), []);
    for (name, value, code) in [
        ("scope", json!([]), "required"),
        ("scope", json!(["health", "health"]), "twice"),
        ("scope", json!(["nobody"]), "code"),
        ("months", json!(13), "number"),
        ("months", json!(0), "number"),
        ("read", json!(false), "agree"),
        ("sensitive", Value::Null, "required"),
    ] {
        let path = format!("authorisation.{name}");
        let before = path::get(&answers, &path).cloned().unwrap();
        path::set(&mut answers, &path, value);
        assert_eq!(codes(&answers), [(path.clone(), code)]);
        path::set(&mut answers, &path, before);
    }
}

#[test]
fn an_unusual_account_is_a_doubt_not_a_fault() {
    let answers = with("family.bank_account", json!("6200000000000006"));
    assert_eq!(found(&answers, Strictness::Submit), []);
    let doubts = get("application").doubts(&answers);
    assert_eq!(doubts.len(), 1);
    assert_eq!((doubts[0].path.as_str(), doubts[0].code), ("family.bank_account", "bank.check"));
    assert_eq!(get("application").doubts(&application()), []);
}

#[test]
fn masked_answers_show_nothing_personal_and_are_put_back() {
    let form = get("application");
    let kept = {
        let mut answers = with("members[1].severe_illness", json!(true));
        path::set(&mut answers, "members[1].illness", json!("尿毒症"));
        path::set(&mut answers, "family.phone", json!(["19900000001"]));
        path::set(&mut answers, "family.stranger", json!("19900000001"));
        answers
    };
    let shown = form.masked(&kept);
    let text = shown.to_string();
    for secret in ["19900000001", HEAD_ID, WIFE_ID, "尿毒症", "6200000000000005", "一组一号"]
    {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert_eq!(path::get(&shown, "members[0].id_number"), Some(&json!("9991**********0018")));
    assert_eq!(path::get(&shown, "family.phone"), Some(&json!("****")));
    assert_eq!(path::get(&shown, "members[0].birth_date"), Some(&json!("1970-01-01")));

    let kept = application();
    assert_eq!(form.unmasked(&form.masked(&kept), &kept), kept);
    // The first member is taken out, the second one's name is written anew.
    let mut new = form.masked(&kept);
    let mut second = path::get(&new, "members[1]").cloned().unwrap();
    path::set(&mut second, "name", json!("新"));
    path::set(&mut new, "members", json!([second]));
    let back = form.unmasked(&new, &kept);
    assert_eq!(path::get(&back, "members[0].id_number"), Some(&json!(WIFE_ID)));
    assert_eq!(path::get(&back, "members[0].name"), Some(&json!("新")));
    // What was never shown is not put back: it stays a fault.
    path::set(&mut new, "members[0].id_number", json!("1101**********002X"));
    let back = form.unmasked(&new, &kept);
    assert_eq!(path::get(&back, "members[0].id_number"), Some(&json!("1101**********002X")));
}

#[test]
fn paths_are_read_and_set_or_refused() {
    let refused = [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a[",
        "a[]",
        "a[x]",
        "a[-1]",
        "a[200]",
        "a[0001]",
        "[0]",
        "A",
        "a b",
        "a[0]b",
        "__proto__",
        "a.b.c.d.e.f.g.h.i",
    ];
    for path in refused {
        assert_eq!(path::steps(path), None, "{path}");
        let mut answers = json!({"a": [1]});
        assert!(!path::set(&mut answers, path, json!(2)), "{path}");
        assert_eq!(answers, json!({"a": [1]}));
    }
    let mut answers = json!({"a": {"b": "text"}});
    assert!(
        !path::set(&mut answers, "a.b.c", json!(1)) && !path::set(&mut answers, "a[0]", json!(1))
    );
    assert!(!path::set(&mut answers, "new[1].x", json!(1)));
    assert_eq!(answers, json!({"a": {"b": "text"}}));
    assert!(
        path::set(&mut answers, "list[0].x", json!(1))
            && path::set(&mut answers, "list[1]", json!(2))
    );
    assert_eq!(answers["list"], json!([{"x": 1}, 2]));
}

#[test]
fn the_report_asks_five_sections_over_the_fields_of_a_declaration() {
    let report = get("report");
    let mut sections: Vec<&str> =
        report.parts.iter().map(|part| part.section.as_ref().unwrap().zh.as_str()).collect();
    sections.dedup();
    let plan = ["家庭基本信息", "基本生活情况", "住房情况", "家庭医疗情况", "子女就学情况"];
    assert_eq!(sections, plan);
    let adds: Vec<bool> =
        report.parts.iter().filter(|part| part.name == "members").map(|part| part.adds).collect();
    assert_eq!(adds, [true, false, false]);
    assert_eq!(
        report.field("members[3].school_stage").unwrap().list.as_deref(),
        Some("school_stage")
    );
    let shape = report.to_json();
    assert_eq!(shape["lists"]["school_stage"][0], json!(["1", "学前教育", "Preschool"]));
    assert_eq!(shape["blocks"][1]["fields"][1]["kind"], json!("id_number"));
}

#[test]
fn aids_and_departments_are_those_of_the_machines() {
    for (name, codes) in [("aid_applied", AIDS), ("department", DEPARTMENTS)] {
        let offered = &forms().unwrap().lists()[name].codes;
        for (code, zh, _) in offered {
            let known = codes.iter().any(|(known, label)| known == code && label.zh == zh);
            assert!(known, "{name}: {code} {zh}");
        }
    }
}

/// The registry as its file declares it.
fn registry() -> Value {
    toml::from_str(include_str!("../../../indexer/registry.toml")).unwrap()
}

#[test]
fn lists_are_the_registrys() {
    let registry = registry();
    for (name, list) in forms().unwrap().lists() {
        let Some(of) = &list.registry else { continue };
        let lists = registry["list"].as_array().unwrap();
        let theirs = lists.iter().find(|list| list["name"] == json!(of));
        assert!(theirs.is_some(), "{name}: the registry has no list {of}");
        let theirs = theirs.unwrap()["codes"].as_array().unwrap();
        for (code, zh, _) in &list.codes {
            let known = theirs.iter().any(|entry| entry[0] == json!(code) && entry[2] == json!(zh));
            assert!(known, "{name}: `{code}` {zh} is not of the registry");
        }
        for entry in theirs {
            let code = entry[0].as_str().unwrap();
            let offered = list.codes.iter().any(|(known, ..)| known == code);
            assert_ne!(offered, list.leaves_out.iter().any(|out| out == code), "{name} {code}");
        }
    }
}

#[test]
fn columns_are_the_registrys_and_of_the_same_kind() {
    let registry = registry();
    for form in forms().unwrap().names().map(get) {
        for (answer, column) in form.columns() {
            let (table, name) = column.split_once('.').unwrap();
            let tables = registry["table"].as_array().unwrap();
            let table = tables.iter().find(|each| each["name"] == json!(table)).unwrap();
            let columns = table["columns"].as_array().unwrap();
            let found = columns.iter().find(|each| each["name"] == json!(name));
            assert!(found.is_some(), "the registry has no column {column}");
            let found = found.unwrap();
            let field = form.field(&answer).unwrap();
            let kind = match found["kind"].as_str().unwrap() {
                "path" => "region",
                "text" if name == "id_number" => "id_number",
                kind => kind,
            };
            assert_eq!(json!(field.kind), json!(kind), "{column}");
            assert_eq!(
                json!(field.list),
                found.get("list").cloned().unwrap_or(Value::Null),
                "{column}"
            );
        }
    }
}
