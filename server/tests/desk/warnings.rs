//! From a department's file to a closed warning, and the same numbers on both sides.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yiku_casework::Role;
use yiku_casework::store::{Filter, Reach};
use yiku_casework::{CaseFile, Kind};
use yiku_fixtures::province::{Forms, Options, generate};
use yiku_indexer::{LoadOptions, load_departments, parse_tree, registry_schema};

use crate::office::{MONDAY, Office, Person};

/// A province of a few thousand, loaded from departments' files.
fn province() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let (files, db) = (folder.path().join("files"), folder.path().join("db"));
    let options = Options { persons: 4_000, months: 3, seed: 7, forms: Forms::Files, threads: 2 };
    generate(&files, &options, &mut |_| {}).unwrap();
    let regions = yiku_fixtures::reference::REGIONS_CSV;
    let path = registry_schema().unwrap().path;
    let tree = parse_tree(regions, "regions".as_ref(), &path).unwrap();
    let options = LoadOptions { db: &db, tree: Some(tree), as_of: None, threads: 2 };
    load_departments(&[files], &options, &mut |_| {}).unwrap();
    Office::within(folder, MONDAY)
}

/// Every warning there is.
fn warnings(office: &Office) -> Vec<CaseFile> {
    office.with_store(|store| {
        let mut all = Vec::new();
        let mut filter =
            Filter { kinds: vec![Kind::Warning], limit: 200, ..Filter::of(Reach::Platform) };
        loop {
            let page = store.list(&filter).unwrap();
            all.extend(page.cases);
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return all,
            }
        }
    })
}

/// Warnings of the registry by county and status, as the statistics count them.
async fn counted(person: &Person<'_>) -> BTreeMap<(String, String), i64> {
    let q = "from warning by region.county, status measure n = count()";
    let answer = person.post("/api/v1/query", &json!({ "q": q })).await.done();
    let column = |at: usize| answer["columns"][at]["values"].as_array().unwrap().clone();
    let (counties, states, counts) = (column(0), column(1), column(2));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (0..counts.len())
        .map(|row| ((text(&counties[row]), text(&states[row])), counts[row].as_i64().unwrap()))
        .collect()
}

/// The same of the case files.
fn kept(office: &Office) -> BTreeMap<(String, String), i64> {
    let mut counts = BTreeMap::new();
    for case in warnings(office) {
        let status = match case.state.as_str() {
            "generated" | "assessed" | "dispatched" => "open",
            "closed" | "archived" => "closed",
            _ => "handling",
        };
        *counts.entry((case.region[..6].to_owned(), status.to_owned())).or_insert(0) += 1;
    }
    counts
}

async fn funnel(person: &Person<'_>) -> Vec<u64> {
    let told = person.get("/api/v1/funnel").await.done();
    let stages = told["stages"].as_array().unwrap();
    stages.iter().map(|stage| stage["cases"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_warning_is_raised_worked_on_and_closed_and_both_sides_agree() {
    let office = province();
    office.settle().await;
    let all = warnings(&office);
    assert!(all.len() > 20, "{} warnings", all.len());
    office.settle().await;
    assert_eq!(warnings(&office).len(), all.len(), "running the rules again raises nothing");
    let case = &all[0];
    let (county, township) = (&case.region[..6], &case.region[..9]);
    office.staff("sheng", Role::Province, "14");
    office.staff("xian", Role::County, county);
    office.staff("xiang", Role::Township, township);
    office.staff("yibao", Role::Department, county);
    let other = all.iter().find(|one| one.region[..6] != *county).unwrap();
    office.staff("lin", Role::County, &other.region[..6]);
    let province = office.person("sheng").await;
    assert_eq!(counted(&province).await, kept(&office));
    let total = all.len() as u64;
    assert_eq!(funnel(&province).await, [total, 0, 0, 0, 0]);
    let rules = office.person("xian").await.get("/api/v1/warnings/rules").await.done();
    let rules = rules["rules"].as_array().unwrap().clone();
    assert!(rules.len() >= 20, "{}", rules.len());
    let of = |word: &str| rules.iter().filter(|rule| rule["outcome"] == word).count();
    assert!(of("fires") > 0 && of("fires") + of("quiet") + of("not_evaluated") == rules.len());

    worked_on(&office, &case.id).await;
    office.settle().await;
    assert_eq!(counted(&province).await, kept(&office));
    let total = warnings(&office).len() as u64;
    assert_eq!(funnel(&province).await, [total, 1, 1, 1, 1]);
    let neighbour = office.person("lin").await;
    neighbour.get(&format!("/api/v1/cases/{}", case.id)).await.problem(404, "case.missing");
    assert_eq!(funnel(&neighbour).await[1..], [0, 0, 0, 0]);
    let chain = format!("/api/v1/households/{}/chain", case.household.as_deref().unwrap());
    let line = office.person("xian").await.get(&chain).await.done();
    let line = line["timeline"].as_array().unwrap().clone();
    assert!(line.iter().any(|event| event["state"] == "closed"), "{line:?}");
    neighbour.get(&chain).await.problem(404, "case.missing");
}

/// The whole way of a warning, with what is refused on it.
async fn worked_on(office: &Office, id: &str) {
    let (county, township) = (office.person("xian").await, office.person("xiang").await);
    let department = office.person("yibao").await;
    let case = json!({ "id": id });
    let seen = township.see(&case).await;
    assert_eq!(seen["state"], "dispatched");
    let reasons = seen["facts"]["reasons"].as_array().unwrap();
    assert!(!reasons.is_empty() && seen["facts"]["snapshot"].is_u64(), "{}", seen["facts"]);
    // Nothing was transferred to the department yet: the warning is not there for it.
    department.get(&format!("/api/v1/cases/{id}")).await.problem(404, "case.missing");
    township.act(&case, "sign", json!({})).await;
    let visited = township.act(&case, "visit", json!({})).await;
    let bare = township.try_act(&visited, "verify", json!({ "outcome": "false" })).await;
    bare.refused("warning.note_missing");
    let verified = json!({ "outcome": "needs_help", "note": "入户核实,情况属实。" });
    let verified = township.act(&case, "verify", verified).await;
    township.try_act(&verified, "finish", json!({})).await.refused("warning.measure_missing");
    let transfer = json!({ "code": "transfer_medical", "text": "请核实医疗救助待遇。" });
    let handled = township.act(&case, "measure", transfer.clone()).await;
    township.try_act(&handled, "finish", json!({})).await.refused("warning.transfer_open");
    let decline = json!({ "answer": "decline", "reason": "材料不全。" });
    let declined = department.act(&case, "reply", decline).await;
    assert_eq!(declined["state"], "handling");
    let now = township.see(&case).await;
    township.try_act(&now, "finish", json!({})).await.refused("warning.transfer_declined");
    township.act(&case, "measure", transfer).await;
    department.act(&case, "reply", json!({ "answer": "accept", "reason": "已受理。" })).await;
    township.act(&case, "finish", json!({})).await;
    let review = township.act(&case, "submit", json!({ "note": "医保部门已受理。" })).await;
    county.try_act(&review, "close", json!({})).await.refused("warning.no_result");
    let admitted = json!({ "result": "dibao" });
    county.try_act(&review, "close", admitted).await.refused("warning.unconfirmed");
    let result = json!({ "result": "transfer_medical", "reason": "已转医保办理。" });
    assert_eq!(county.act(&case, "close", result).await["state"], "closed");
}
