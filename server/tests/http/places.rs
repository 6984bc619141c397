//! What there is to ask; places and maps.

use serde_json::{Value, json};

use crate::server::{Server, check_problem, sum};
use crate::small;

#[tokio::test]
async fn meta_says_what_there_is_to_ask() {
    let server = Server::new();
    let meta = server.get("/api/v1/meta").await.json();
    assert_eq!((&meta["name"], &meta["as_of"]), (&json!("registry"), &json!("2026-10-31")));
    let tables = meta["tables"].as_array().unwrap();
    let person = tables.iter().find(|table| table["name"] == "person").unwrap();
    assert_eq!(
        (&person["parent"], &person["rows"]),
        (&json!("household"), &json!(sum(small::size)))
    );
    let columns = person["columns"].as_array().unwrap();
    let personal = columns.iter().filter(|column| column["personal"] == true);
    let personal: Vec<&Value> = personal.map(|column| &column["name"]).collect();
    assert_eq!(personal, ["name", "id_number"]);
    assert_eq!(meta["path"]["levels"][2], json!({ "name": "county", "label": "县", "digits": 6 }));
    assert_eq!(meta["limits"]["batch_queries"], 64);
    let sexes = meta["lists"].as_array().unwrap();
    let sexes = sexes.iter().find(|list| list["name"] == "sex").unwrap();
    assert_eq!(sexes["codes"][1], json!({ "code": "1", "name": "male", "label": "男" }));
    // Every measure is a question that the page can ask as it stands.
    let measures = meta["measures"].as_array().unwrap();
    assert!(measures.len() >= 15);
    let queries: Vec<Value> = measures
        .iter()
        .map(|measure| {
            let text = |name: &str| measure[name].as_str().unwrap().to_owned();
            let (from, q) = (text("from"), text("q_measure"));
            let q = format!(
                "from {from} where region within 14 by region.county measure value = {q} totals"
            );
            json!({ "id": text("id"), "q": q })
        })
        .collect();
    let answered = server.post("/api/v1/batch", json!({ "queries": queries })).await.json();
    for (measure, result) in measures.iter().zip(answered["results"].as_array().unwrap()) {
        assert_eq!(result["problem"], json!(null), "{result}");
        assert_eq!(result["columns"][1]["type"], measure["kind"], "{}", measure["id"]);
    }
}

#[tokio::test]
async fn a_place_has_those_above_and_those_beneath() {
    let server = Server::new();
    let area = server.get("/api/v1/areas/1401?depth=1").await.json();
    let place =
        |code: &str, name: &str, level: &str| json!({ "code": code, "name": name, "level": level });
    assert_eq!(
        (&area["code"], &area["name"], &area["level"]),
        (&json!("1401"), &json!("太原市"), &json!("city"))
    );
    assert_eq!(area["parent"], "14");
    assert_eq!(area["ancestors"], json!([place("14", "山西省", "province")]));
    let counties = [place("140105", "小店区", "county"), place("140106", "迎泽区", "county")];
    assert_eq!(area["children"], json!(counties));
    let full = server.get("/api/v1/areas/140100000000").await.json();
    assert_eq!(full["code"], "1401", "the zeros behind a code change nothing");
    let top = server.get("/api/v1/areas/14?depth=0").await.json();
    assert_eq!((&top["parent"], &top["children"]), (&json!(null), &json!([])));
    let village = server.get("/api/v1/areas/140105001001").await.json();
    assert_eq!(village["ancestors"].as_array().unwrap().len(), 4);
    for code in ["99", "1", "140x", "14010500100199", "..%2F..", "%E5%B1%B1"] {
        check_problem(&server.get(&format!("/api/v1/areas/{code}")).await, 404, "area.unknown");
    }
    for query in ["depth=2", "depth=x", "deep=1"] {
        let answered = server.get(&format!("/api/v1/areas/14?{query}")).await;
        check_problem(&answered, 400, "request.parameter");
    }
}

#[tokio::test]
async fn zero_is_not_no_data_on_the_map() {
    let server = Server::new();
    let map = server.get("/api/v1/map/values?measure=dibao&level=county&area=14").await.json();
    let county = |code: &str| {
        sum(|h| i64::from(small::is_on_dibao(h) && small::village(h).starts_with(code)))
    };
    let (one, two) = (county("140105"), county("140106"));
    assert_eq!(map["values"], json!({ "140105": one, "140106": two, "140212": 0 }));
    assert_eq!(map["state"], json!({ "140213": "n" }));
    assert_eq!(map["total"], one + two);
    assert_eq!(map["legend"]["no_data"], json!({ "mark": "n", "n": 1 }));
    assert_eq!(map["legend"]["unit"], "人");
    let zeros = [one, two, 0].iter().filter(|value| **value == 0).count();
    assert_eq!(map["legend"]["zero"], json!({ "mark": "0", "n": zeros }));
    let classed =
        map["classes"].as_array().unwrap().iter().map(|class| class["n"].as_u64().unwrap());
    assert_eq!(classed.sum::<u64>(), 3 - zeros as u64);
    assert_eq!((&map["layer"], &map["join"]), (&json!("county"), &json!("code")));
    // A ratio over nobody is no data, also where there are rows.
    let map = server.get("/api/v1/map/values?measure=aid_per_recipient").await.json();
    assert_eq!(map["state"]["140212"], "n", "{map}");
    let map =
        server.get("/api/v1/map/values?measure=persons&level=city&method=equal&classes=2").await;
    assert_eq!(map.json()["classes"].as_array().unwrap().len(), 2, "{}", map.text());
    let map =
        server.get("/api/v1/map/values?measure=persons&level=township&area=140213").await.json();
    assert_eq!(
        (&map["values"], &map["state"], &map["classes"]),
        (&json!({}), &json!({}), &json!([]))
    );
}

#[tokio::test]
async fn a_senseless_map_is_refused() {
    let server = Server::new();
    let check = |query: &'static str, status, code: &'static str, detail: &'static str| {
        let server = &server;
        async move {
            let answered = server.get(&format!("/api/v1/map/values?{query}")).await;
            let problem = check_problem(&answered, status, code);
            assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        }
    };
    check("", 400, "request.parameter", "measure").await;
    check("measure=people", 400, "map.unknown_measure", "persons, households").await;
    check("measure=persons&level=street", 400, "request.parameter", "`street`").await;
    check("measure=persons&area=77", 404, "area.unknown", "`77`").await;
    check("measure=persons&area=140105&level=city", 400, "request.parameter", "beneath").await;
    check("measure=persons&classes=0", 400, "request.parameter", "1 to 9").await;
    check("measure=persons&classes=10", 400, "request.parameter", "1 to 9").await;
    check("measure=persons&method=best", 400, "request.parameter", "quantile").await;
    check("measure=persons&color=red", 400, "request.parameter", "color").await;
}

#[tokio::test]
async fn outlines_are_those_of_cities_and_counties() {
    let server = Server::new();
    for (layer, found) in [("city", 11), ("county", 117)] {
        let answered = server.get(&format!("/api/v1/map/{layer}.geojson")).await;
        assert_eq!(answered.header("content-type"), "application/geo+json");
        assert_eq!(answered.json()["features"].as_array().unwrap().len(), found);
    }
    for file in ["village.geojson", "city", "city.json"] {
        let answered = server.get(&format!("/api/v1/map/{file}")).await;
        check_problem(&answered, 404, "map.unknown_layer");
    }
}
