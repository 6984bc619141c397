//! Questions: one, several, wrong ones.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use yiku_server::Settings;

use crate::server::{Server, check_problem, column, sum};
use crate::small;

#[tokio::test]
async fn a_question_is_answered_in_columns() {
    let server = Server::new();
    let answered = server
        .ask(
            "from person by region.county \
             measure n = count(), ill = count(where severe_illness) totals",
        )
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
async fn an_answer_with_too_many_rows_is_cut_and_says_so() {
    let server = Server::with(Settings { answer_rows_max: 3, ..Settings::default() });
    let whole = server.ask("from person by region.county").await.json();
    assert_eq!((&whole["rows"], &whole["truncated"]), (&json!(3), &json!(false)), "{whole}");
    let cut = server.ask("from person by person_id totals").await;
    let body = cut.json();
    assert_eq!((&body["truncated"], &body["limit"]), (&json!(true), &json!(3)), "{body}");
    assert_eq!((&body["rows"], &body["total_rows"]), (&json!(4), &json!(sum(small::size))));
    assert_eq!(cut.column("count")[3], sum(small::size), "a total is of all rows");
    assert_eq!(server.get("/api/v1/meta").await.json()["limits"]["answer_rows"], 3);
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
    check(json!([]), "request.json", "found `[`").await;
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
    check(typo, "query.unknown_column", json!("relation"), json!(18)).await;
    check("from person where sex = mal", "query.unknown_code", json!("male"), json!(24)).await;
    check("from person by region.conty", "query.unknown_level", json!("county"), json!(22)).await;
    check("from person where matches(tags, '王')", "query.type", json!(null), json!(26)).await;
    let problem = server.ask("from person select sex limit 3").await;
    let problem = check_problem(&problem, 403, "query.personal");
    assert!(problem["detail"].as_str().unwrap().contains("rows are not listed"), "{problem}");
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
        ("null", "found `n`"),
        // Fields in the order of a declaration of ours are no interface.
        (r#"["from person"]"#, "found `[`"),
        (r#"{"q": 1}"#, "expected a string"),
        (r#"{"q": "from person", "limit": 1}"#, "unknown field `limit`"),
    ] {
        let problem = check_problem(&server.post("/api/v1/query", body).await, 400, "request.json");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{body}: {problem}");
    }
    let list = r#"[[["a", "from person", null]]]"#;
    check_problem(&server.post("/api/v1/batch", list).await, 400, "request.json");
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
async fn every_question_of_the_page_is_answered() {
    let server = Server::new();
    let low = "kind in (dibao_urban, dibao_rural, tekun_urban, tekun_rural, dibao_edge, rigid)";
    let during = "between 2026-10-01 and 2026-10-31";
    let here = "region within 14 by region.county measure";
    let has = |condition: &str| format!("count(where any(aid where {condition}))");
    let (running, entered) =
        (has(&format!("{low} and running")), has(&format!("{low} and start {during}")));
    let (urban, tekun) = ("kind = dibao_urban and running", "kind in (tekun_urban, tekun_rural)");
    let (urban, tekun) = (has(urban), has(&format!("{tekun} and running")));
    let open = "relapse_cleared is unknown or relapse_cleared > as_of";
    let relapse = format!("count(where relapse_kind is known and ({open}))");
    let paid = "from observation where indicator = aid_paid and region within 14 and month";
    let persons =
        format!("persons = count(), low = {running}, tekun = {tekun}, entered = {entered}");
    let homes = format!("homes = count(), dibao_urban = {urban}, relapse = {relapse}");
    let months = "between 2025-11 and 2026-10 by month";
    let added = "measure paid = sum(value)";
    let people = "people = count_distinct(person)";
    let queries = json!({ "queries": [
        { "id": "persons", "q": format!("from person where {here} {persons} totals") },
        { "id": "homes", "q": format!("from household where {here} {homes} totals") },
        { "id": "paid", "q": format!("{paid} = 2026-10 by region.county {added} totals") },
        { "id": "months", "q": format!("{paid} {months} {added}, {people}") },
    ] });
    let answered = server.post("/api/v1/batch", queries).await.json();
    let results = answered["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result.get("problem").is_none()), "{answered}");
    let on_dibao = sum(|h| i64::from(small::is_on_dibao(h)));
    let money = sum(|h| if small::is_on_dibao(h) { small::paid(h) } else { 0 });
    assert_eq!(column(&results[0], "persons")[3], sum(small::size));
    assert_eq!(column(&results[0], "low")[3], on_dibao);
    assert_eq!(column(&results[0], "tekun"), json!([0, 0, 0, 0]));
    assert_eq!(column(&results[1], "dibao_urban")[3], on_dibao);
    let places = column(&results[2], "region.county");
    assert_eq!(places.as_array().unwrap().last(), Some(&json!(null)), "the total");
    assert_eq!(column(&results[2], "paid").as_array().unwrap().last(), Some(&json!(money)));
    assert_eq!(column(&results[3], "month"), json!(["2026-10"]));
    assert_eq!(column(&results[3], "people"), json!([on_dibao]));
}

#[tokio::test]
async fn a_question_that_asks_how_is_told_how() {
    let server = Server::new();
    let q = "from person where severe_illness by region.county measure n = count() totals explain";
    let told = server.ask(q).await;
    let body = told.json();
    assert_eq!(told.status, StatusCode::OK, "{body}");
    assert_eq!((told.header("etag"), told.header("cache-control")), ("", "no-store"));
    assert_eq!((&body["data_version"], &body["as_of"]), (&json!("2"), &json!("2026-10-31")));
    let ill = sum(|h| i64::from(h % 4 == 0));
    assert_eq!(body["explain"]["matched"], ill);
    let step = &body["explain"]["steps"][1];
    assert_eq!((&step["clause"], &step["by"]), (&json!("where severe_illness"), &json!("index")));
    assert_eq!((&step["rows"], &step["estimated"]), (&json!(ill), &json!(ill)));
    assert!(step["bytes"].as_u64() > Some(0) && body["columns"].is_null(), "{body}");
    let form = json!({ "from": "person", "explain": true });
    let form = server.post("/api/v1/query", form).await.json();
    assert_eq!(form["explain"]["steps"][0]["clause"], "from person");
    let batch = json!({ "queries": [{ "id": "a", "q": q }, { "id": "b", "q": "from person" }] });
    let batch = server.post("/api/v1/batch", batch).await;
    assert_eq!(batch.header("etag"), "");
    assert_eq!(batch.json()["results"][0]["explain"]["matched"], ill);
    assert!(batch.json()["results"][1]["columns"].is_array());
    for personal in ["from person where name = '王' explain", "from person by id_number explain"] {
        check_problem(&server.ask(personal).await, 403, "query.personal");
    }
    check_problem(&server.ask("from person select sex explain").await, 403, "query.personal");
}

#[tokio::test]
async fn what_is_kept_under_a_name_is_asked_and_has_no_tag() {
    let server = Server::new();
    let sets = yiku_queries::sets::SetFolder::of(&server.folder.path().join("db"));
    let keep = |text: &str| {
        let query = yiku_queries::Query::parse(text).unwrap();
        let (snapshot, context) = (server.database.snapshot().unwrap(), Default::default());
        let limits = yiku_queries::Limits::default();
        let set = yiku_queries::sets::SavedSet::ask(&query, &snapshot, &context, &limits);
        sets.keep("ill", &set.unwrap(), true).unwrap();
    };
    keep("from person where severe_illness");
    let ill = sum(|h| i64::from(h % 4 == 0));
    let text = "from person where person in set ill measure n = count()";
    let answered = server.ask(text).await;
    assert_eq!(answered.column("n"), json!([ill]));
    assert_eq!(answered.header("etag"), "", "the set may become another");
    keep("from person where not severe_illness");
    assert_eq!(server.ask(text).await.column("n"), json!([sum(small::size) - ill]));
    let batch = json!({ "queries": [{ "id": "a", "q": text }] });
    assert_eq!(server.post("/api/v1/batch", batch).await.header("etag"), "");
    let own = "from person where in set ill measure n = count() sets ill = sex = male";
    assert_ne!(server.ask(own).await.header("etag"), "", "its own set");
    let problem = server.ask("from person where in set well").await;
    check_problem(&problem, 400, "query.unknown_set");

    server.database.keep("before").unwrap();
    small::change(&server.database);
    let flow = server.ask("from person flow 'before' to 2026-10-31").await;
    assert_eq!(flow.column("n"), json!([0, 0, sum(small::size)]));
    assert_eq!(flow.header("etag"), "");
    let problem = server.ask("from person flow 'after' to 2026-10-31").await;
    check_problem(&problem, 400, "query.unknown_version");
}

#[tokio::test]
async fn parameters_stand_for_numbers_and_small_cells_are_hidden() {
    let server = Server::new();
    let text = "from household measure n = count(), d = count(where $dibao_line > 0) \
                with dibao_line = -1000000";
    let body = server.ask(text).await;
    let all = small::HOUSEHOLDS + 1;
    assert_eq!(body.column("d"), json!([all]));
    assert_eq!(body.column("d.with_1"), json!([0]));
    check_problem(&server.ask("from person where $lime > 3").await, 400, "query.unknown_parameter");
    // One household lives in 140212: it is hidden, and with it what would tell it.
    let answered = server.ask("from household by region.city totals publish min_cell 3").await;
    let columns = &answered.json()["columns"];
    assert_eq!(answered.column("count"), json!([null, null, all]));
    assert_eq!(columns[1]["hidden"], json!([true, true, false]));
    assert_eq!(columns[0].get("hidden"), None);
}
