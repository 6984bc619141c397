//! HTTP through the router, without a socket: status, code and body of every route.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

#[expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test's registry")]
mod small;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;
use yiku::Database;
use yiku_server::{ServerState, Settings, router};

/// The program's router over the small registry.
struct Server {
    router: Router,
    database: Database,
    _folder: tempfile::TempDir,
}

/// What was answered.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answered {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn column(&self, name: &str) -> Value {
        column(&self.json(), name)
    }
}

fn column(answer: &Value, name: &str) -> Value {
    let columns = answer["columns"].as_array().unwrap();
    columns.iter().find(|column| column["name"] == name).unwrap()["values"].clone()
}

impl Server {
    fn new() -> Self {
        Self::with(Settings { threads: 2, ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = small::create(&folder.path().join("db"));
        let state = ServerState::new(database.clone(), settings).unwrap();
        Self { router: router(state), database, _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answered { status: parts.status, headers: parts.headers, bytes }
    }

    async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: impl ToString) -> Answered {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn ask(&self, q: &str) -> Answered {
        self.post("/api/v1/query", json!({ "q": q })).await
    }
}

fn check_problem(answered: &Answered, status: u16, code: &str) -> Value {
    let problem = answered.json();
    assert_eq!(answered.status.as_u16(), status, "{problem}");
    assert_eq!(answered.header("content-type"), "application/problem+json");
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], format!("urn:yiku:problem:{code}"));
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
    problem
}

/// A sum over the households of the small registry.
fn sum(of: impl Fn(i64) -> i64) -> i64 {
    (0..=small::HOUSEHOLDS).map(of).sum()
}

#[tokio::test]
async fn a_question_is_answered_in_columns() {
    let server = Server::new();
    let answered = server
        .ask("from person by region.county measure n = count(), ill = count(where severe_illness) totals")
        .await;
    let body = answered.json();
    assert_eq!(answered.status, StatusCode::OK, "{body}");
    let county =
        |code: &str| sum(|h| if small::village(h).starts_with(code) { small::size(h) } else { 0 });
    let counties = ["140105", "140106", "140212"];
    let expected: Vec<i64> = counties.iter().map(|code| county(code)).collect();
    let all: i64 = expected.iter().sum();
    assert_eq!(answered.column("region.county"), json!(["140105", "140106", "140212", null]));
    assert_eq!(answered.column("n"), json!([expected, vec![all]].concat()));
    let ill = sum(|h| i64::from(h % 4 == 0));
    assert_eq!(answered.column("ill")[3], ill);
    assert_eq!(body["levels"], json!([0, 0, 0, 1]));
    let labels = &body["columns"][0]["labels"];
    assert_eq!(labels, &json!(["小店区", "迎泽区", "新荣区", "合计"]));
    assert_eq!(body["columns"][0]["role"], "group");
    assert_eq!(body["columns"][0]["type"], "path");
    assert_eq!(body["columns"][1]["role"], "measure");
    for (name, value) in [("rows", 4), ("total_rows", 3), ("matched", all)] {
        assert_eq!(body[name], value, "{name}");
    }
    assert_eq!((&body["truncated"], &body["limit"]), (&json!(false), &json!(null)));
    assert_eq!((&body["data_version"], &body["as_of"]), (&json!("2"), &json!("2026-10-31")));
    assert_eq!(answered.header("x-data-version"), "2");
}

#[tokio::test]
async fn all_forms_of_a_question_are_one_question() {
    let server = Server::new();
    let text = server.ask("from  household where urban by region.city").await;
    let form = json!({ "from": "household", "where": "urban", "by": ["region.city"] });
    let form = server.post("/api/v1/query", form).await;
    let address = "/api/v1/query?q=from+household+where+urban+by+region.city";
    let address = server.get(address).await;
    assert_eq!(text.status, StatusCode::OK, "{}", text.text());
    assert_eq!((&text.bytes, text.header("etag")), (&form.bytes, form.header("etag")));
    assert_eq!((&text.bytes, text.header("etag")), (&address.bytes, address.header("etag")));
    assert!(text.header("etag").starts_with("W/\"v2-"), "{}", text.header("etag"));
}

#[tokio::test]
async fn money_is_fen_and_cut_answers_say_so() {
    let server = Server::new();
    let q = "from observation by region.county measure paid = sum(value) order -paid limit 1";
    let answered = server.ask(q).await;
    let body = answered.json();
    let county = |code: &str| {
        sum(|h| match small::is_on_dibao(h) && small::village(h).starts_with(code) {
            true => small::paid(h),
            false => 0,
        })
    };
    assert_eq!(body["columns"][1]["type"], "money");
    assert_eq!(body["columns"][1]["unit"], "元");
    assert_eq!(body["columns"][1]["values"], json!([county("140105").max(county("140106"))]));
    assert_eq!((&body["rows"], &body["limit"]), (&json!(1), &json!(1)));
    assert_eq!(body["total_rows"], i64::from(county("140105") > 0) + 1);
}

#[tokio::test]
async fn an_answer_that_has_not_changed_is_not_sent_again() {
    let server = Server::new();
    let batch = json!({ "queries": [{ "id": "a", "q": "from person" }] });
    let mut tags = Vec::new();
    let paths = [
        "/api/v1/query?q=from+person",
        "/api/v1/meta",
        "/api/v1/areas/1401",
        "/api/v1/map/values?measure=persons",
        "/api/v1/map/city.geojson",
        "/api/v1/batch",
    ];
    for path in paths {
        let request = |tag: &str| {
            let request = Request::builder().uri(path).header(header::IF_NONE_MATCH, tag);
            if path.ends_with("batch") {
                let request = request.method("POST").header("content-type", "application/json");
                return request.body(Body::from(batch.to_string())).unwrap();
            }
            request.body(Body::empty()).unwrap()
        };
        let first = server.send(request("\"other\"")).await;
        let tag = first.header("etag").to_owned();
        assert_eq!(first.status, StatusCode::OK, "{path}: {}", first.text());
        assert!(!tag.is_empty() && !tags.contains(&tag), "{path}");
        let again = server.send(request(&tag)).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        assert!(again.bytes.is_empty() && again.header("etag") == tag, "{path}");
        tags.push(tag);
    }
    small::change(&server.database);
    let request = Request::get("/api/v1/query?q=from+person")
        .header(header::IF_NONE_MATCH, tags.first().unwrap());
    let newer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((newer.status, newer.header("x-data-version")), (StatusCode::OK, "3"));
}

#[tokio::test]
async fn one_bad_question_does_not_fail_the_batch() {
    let server = Server::new();
    let body = json!({ "queries": [
        { "id": "good", "q": "from person measure n = count()" },
        { "id": "typo", "q": "from person where sevre_illness" },
        { "id": "form", "query": { "from": "person", "wher": "true" } },
        { "id": "deep", "query": { "from": "person", "by": ["sex", "nothing"] } },
        { "id": "personal", "q": "from person by name" },
        { "id": "neither" },
    ] });
    let answered = server.post("/api/v1/batch", body).await;
    let body = answered.json();
    assert_eq!(answered.status, StatusCode::OK, "{body}");
    let results = body["results"].as_array().unwrap();
    let ids: Vec<&str> = results.iter().map(|result| result["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["good", "typo", "form", "deep", "personal", "neither"]);
    assert_eq!(column(&results[0], "n"), json!([sum(small::size)]));
    let problem = |place: usize| &results[place]["problem"];
    assert_eq!(problem(0), &json!(null));
    assert_eq!(problem(1)["code"], "query.unknown_column");
    assert_eq!(problem(1)["pointer"], "/queries/1/q");
    assert_eq!(problem(1)["hint"], "severe_illness");
    assert_eq!(problem(2)["code"], "query.json");
    assert_eq!(problem(3)["code"], "query.unknown_column");
    assert_eq!(problem(3)["pointer"], "/queries/3/query/by/1");
    assert_eq!(problem(4)["code"], "query.personal");
    assert_eq!(problem(5)["code"], "request.json");
    assert!(results[1].get("columns").is_none());
    assert_eq!((&body["data_version"], &body["as_of"]), (&json!("2"), &json!("2026-10-31")));
}

#[tokio::test]
async fn a_batch_of_the_wrong_shape_is_refused() {
    let server = Server::new();
    let one = json!({ "id": "a", "q": "from person" });
    let many: Vec<Value> =
        (0..65).map(|n| json!({ "id": n.to_string(), "q": "from person" })).collect();
    let check = |body: Value, code: &'static str, detail: &'static str| {
        let server = &server;
        async move {
            let problem = check_problem(&server.post("/api/v1/batch", &body).await, 400, code);
            assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        }
    };
    check(json!({ "queries": [] }), "request.batch", "0 questions").await;
    check(json!({ "queries": many }), "request.batch", "65 questions").await;
    check(json!({ "queries": [one, one] }), "request.batch", "/queries/1/id stands twice").await;
    check(json!({ "queries": [{ "id": "", "q": "" }] }), "request.batch", "0 letters").await;
    check(json!({ "queries": [one], "x": 1 }), "request.json", "unknown field `x`").await;
    check(json!({ "queries": [{ "id": "a", "p": 1 }] }), "request.json", "`p`").await;
    check(json!([]), "request.json", "invalid").await;
}

#[tokio::test]
async fn a_wrong_question_says_where_and_what_would_be_right() {
    let server = Server::new();
    let check = |q: &'static str, code: &'static str, hint: Value, position: Value| {
        let server = &server;
        async move {
            let problem = check_problem(&server.ask(q).await, 400, code);
            assert_eq!((&problem["hint"], &problem["position"]), (&hint, &position), "{problem}");
            assert_eq!(problem["pointer"], "/q", "{problem}");
        }
    };
    let typo = "from person where 户 = 1";
    check("from persn", "query.unknown_table", json!("person"), json!(5)).await;
    check("from person by sexx", "query.unknown_column", json!("sex"), json!(15)).await;
    check(typo, "query.unknown_column", json!(null), json!(18)).await;
    check("from person where sex = mal", "query.unknown_code", json!("male"), json!(24)).await;
    check("from person by region.conty", "query.unknown_level", json!("county"), json!(22)).await;
    check(
        "from person measure quantile(monthly_income, 0.9)",
        "query.unsupported",
        json!(null),
        json!(20),
    )
    .await;
    let problem = server.ask("from person where region within 990000").await;
    let problem = check_problem(&problem, 400, "query.unknown_region");
    assert!(problem["detail"].as_str().unwrap().contains("no region `990000`"), "{problem}");
    let problem = server.get("/api/v1/query?q=from+persn").await;
    let problem = check_problem(&problem, 400, "query.unknown_table");
    assert_eq!(problem["pointer"], json!(null));
    let form = json!({ "from": "person", "where": "sexx = 1" });
    let problem = server.post("/api/v1/query", form).await;
    let problem = check_problem(&problem, 400, "query.unknown_column");
    assert_eq!((&problem["pointer"], &problem["position"]), (&json!("/where"), &json!(0)));
}

#[tokio::test]
async fn personal_columns_do_not_leave() {
    let server = Server::new();
    let questions = [
        "from person by name",
        "from person where name = '王'",
        "from person where name is known",
        "from household where address starts '太'",
        "from person by household.address",
        "from person measure n = count_distinct(id_number)",
        "from person measure n = count(where name = '王')",
        "from household where any(person where name = '王')",
        "from household measure n = sum(count(person where id_number starts '9'))",
        "from person by band(if(name = '王', 1, 0), 1)",
    ];
    for q in questions {
        let answered = server.ask(q).await;
        let problem = check_problem(&answered, 403, "query.personal");
        assert!(!answered.text().contains(small::SECRET));
        assert!(problem["detail"].as_str().unwrap().contains("is personal"), "{q}: {problem}");
    }
    let allowed = server.ask("from person by person_id, sex").await;
    assert_eq!(allowed.status, StatusCode::OK, "{}", allowed.text());
    assert!(!allowed.text().contains(small::SECRET));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let server = Server::new();
    for (body, detail) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[1]", "invalid"),
        (r#"{"q": 1}"#, "expected a string"),
        (r#"{"q": "from person", "limit": 1}"#, "unknown field `limit`"),
    ] {
        let problem = check_problem(&server.post("/api/v1/query", body).await, 400, "request.json");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{body}: {problem}");
    }
    let unknown = server.post("/api/v1/query", json!({ "from": "person", "wher": "x" })).await;
    let problem = check_problem(&unknown, 400, "query.json");
    assert!(problem["detail"].as_str().unwrap().contains("`wher`"), "{problem}");
    let plain = Request::post("/api/v1/query").body(Body::from("{\"q\": \"from person\"}"));
    check_problem(&server.send(plain.unwrap()).await, 415, "request.media_type");
    let huge = format!("{{\"q\": \"{}\"}}", " ".repeat(1 << 20));
    check_problem(&server.post("/api/v1/query", huge).await, 413, "request.too_large");
    let deep = format!("from person where {}urban{}", "(".repeat(50_000), ")".repeat(50_000));
    assert_eq!(server.ask(&deep).await.status, StatusCode::BAD_REQUEST);
    check_problem(&server.get("/api/v1/query").await, 400, "request.parameter");
    let more = server.get("/api/v1/query?q=from+person&limit=3").await;
    check_problem(&more, 400, "request.parameter");
}

#[tokio::test]
async fn addresses_and_methods_are_those_of_the_interface() {
    let server = Server::new();
    check_problem(&server.get("/api/v1/nothing").await, 404, "request.route");
    check_problem(&server.get("/api/v2/query").await, 404, "request.route");
    check_problem(&server.get("/api/v1/batch").await, 405, "request.method");
    let delete = Request::delete("/api/v1/meta").body(Body::empty()).unwrap();
    check_problem(&server.send(delete).await, 405, "request.method");
    let post = Request::post("/").body(Body::empty()).unwrap();
    check_problem(&server.send(post).await, 405, "request.method");
    let head = Request::head("/api/v1/meta").body(Body::empty()).unwrap();
    let head = server.send(head).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    // What the description has, the router takes.
    let told = server.get("/openapi.json").await.json();
    for (path, methods) in told["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace("{code}", "14").replace("{layer}", "city");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
            let answered = server.send(request.body(Body::empty()).unwrap()).await;
            let refused = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
            assert!(!refused.contains(&answered.status), "{method} {path}");
        }
    }
}

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
async fn every_question_of_the_page_is_answered() {
    let server = Server::new();
    let low = "kind in (dibao_urban, dibao_rural, tekun_urban, tekun_rural, dibao_edge, rigid)";
    let during = "between 2026-10-01 and 2026-10-31";
    let paid = "from observation where indicator = aid_paid and region within 14";
    let queries = json!({ "queries": [
        { "id": "persons", "q": format!("from person where region within 14 by region.county measure \
            persons = count(), tekun = count(where any(aid where kind in (tekun_urban, tekun_rural) \
            and running)), entered = count(where any(aid where {low} and start {during})) totals") },
        { "id": "homes", "q": "from household where region within 14 by region.county measure homes = \
            count(), dibao_urban = count(where any(aid where kind = dibao_urban and running)), relapse \
            = count(where relapse_kind is known and (relapse_cleared is unknown or relapse_cleared > \
            as_of)) totals" },
        { "id": "paid", "q": format!("{paid} and month = 2026-10 by region.county measure paid = \
            sum(value) totals") },
        { "id": "months", "q": format!("{paid} and month between 2025-11 and 2026-10 by month measure \
            paid = sum(value), people = count_distinct(person)") },
    ] });
    let answered = server.post("/api/v1/batch", queries).await.json();
    let results = answered["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result.get("problem").is_none()), "{answered}");
    let on_dibao = sum(|h| i64::from(small::is_on_dibao(h)));
    let money = sum(|h| if small::is_on_dibao(h) { small::paid(h) } else { 0 });
    assert_eq!(column(&results[0], "persons")[3], sum(small::size));
    assert_eq!(column(&results[0], "tekun"), json!([0, 0, 0, 0]));
    assert_eq!(column(&results[1], "dibao_urban")[3], on_dibao);
    let places = column(&results[2], "region.county");
    assert_eq!(places.as_array().unwrap().last(), Some(&json!(null)), "the total");
    assert_eq!(column(&results[2], "paid").as_array().unwrap().last(), Some(&json!(money)));
    assert_eq!(column(&results[3], "month"), json!(["2026-10"]));
    assert_eq!(column(&results[3], "people"), json!([on_dibao]));
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

#[tokio::test]
async fn operation_is_told() {
    let server = Server::new();
    assert_eq!(server.get("/healthz").await.json(), json!({ "status": "ok" }));
    let ready = server.get("/readyz").await.json();
    assert_eq!(ready, json!({ "status": "ready", "data_version": "2" }));
    server.get("/api/v1/areas/14").await;
    server.ask("from nothing").await;
    let metrics = server.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let text = metrics.text();
    for expected in [
        "yiku_requests_total{route=\"/api/v1/areas/{code}\",status=\"200\"} 1\n",
        "yiku_requests_total{route=\"/api/v1/query\",status=\"400\"} 1\n",
        "yiku_data_version 2\n",
        "yiku_requests_waiting 0\n",
        &format!("yiku_rows{{table=\"person\"}} {}\n", sum(small::size)),
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_read_is_a_fault_without_its_cause() {
    let server = Server::new();
    std::fs::remove_file(server._folder.path().join("db/CURRENT")).unwrap();
    for path in ["/readyz", "/api/v1/meta"] {
        let answered = server.get(path).await;
        let problem = check_problem(&answered, 503, "server.database");
        assert_eq!(problem.get("detail"), None);
        assert!(problem["instance"].as_str().unwrap().starts_with("urn:yiku:fault:"));
        assert!(!answered.text().contains("CURRENT"));
    }
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn too_many_and_too_slow_are_refused() {
    let busy = Server::with(Settings { places: 0, waiting_max: 0, ..Settings::default() });
    let answered = busy.get("/api/v1/meta").await;
    check_problem(&answered, 503, "server.busy");
    assert_eq!(answered.header("retry-after"), "1");
    assert_eq!(busy.get("/readyz").await.status, StatusCode::OK, "busy is not unready");
    let deadline = Duration::from_millis(10);
    let slow =
        Server::with(Settings { places: 0, waiting_max: 1, deadline, ..Settings::default() });
    check_problem(&slow.get("/api/v1/meta").await, 504, "server.deadline");
}

#[tokio::test]
async fn only_this_machine_is_answered_under_its_own_name() {
    let server = Server::new();
    let ask = |host: &'static str| {
        let request = Request::get("/api/v1/meta").header(header::HOST, host);
        server.send(request.body(Body::empty()).unwrap())
    };
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(ask(host).await.status, StatusCode::OK, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example:8080", "10.0.0.7"] {
        check_problem(&ask(host).await, 421, "request.host");
    }
    let open = Server::with(Settings { loopback: false, ..Settings::default() });
    let request = Request::get("/healthz").header(header::HOST, "yiku.example");
    let answered = open.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answered.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_is_safe_to_show() {
    let server = Server::new();
    for path in ["/", "/api/v1/meta", "/api/v1/nothing", "/assets/none.js", "/metrics"] {
        let answered = server.get(path).await;
        let policy = answered.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'self' "));
        assert_eq!(answered.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answered.header("access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_can_read_them() {
    let server = Server::new();
    let request = Request::get("/api/v1/map/county.geojson").header("accept-encoding", "gzip");
    let packed = server.send(request.body(Body::empty()).unwrap()).await;
    let plain = server.get("/api/v1/map/county.geojson").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() * 2 < plain.bytes.len());
    assert_eq!(packed.header("etag"), plain.header("etag"));
}

#[tokio::test]
async fn the_page_is_in_the_program() {
    let server = Server::new();
    let index = server.get("/").await;
    if index.status == StatusCode::NOT_FOUND {
        // Built without the page: it says so, and how to build it.
        let problem = check_problem(&index, 404, "page.missing");
        assert!(problem["detail"].as_str().unwrap().contains("make"));
        return;
    }
    assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(index.header("cache-control"), "no-cache");
    let text = index.text();
    let script = text.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let asset = server.get(script).await;
    assert_eq!(asset.status, StatusCode::OK, "{script}");
    assert_eq!(asset.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
    let known = Request::get("/").header(header::IF_NONE_MATCH, index.header("etag"));
    let known = server.send(known.body(Body::empty()).unwrap()).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(server.get("/some/where").await.bytes, index.bytes, "an address of the page");
    check_problem(&server.get("/assets/none.js").await, 404, "page.missing");
    check_problem(&server.get("/../Cargo.toml").await, 404, "page.missing");
}
