//! Statistics for who is signed in: the rows of their own place and no other.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::people::{self, Person};
use crate::server::{Server, check_problem, column, sum};
use crate::small;

fn persons_of(place: &str) -> i64 {
    sum(|h| if small::village(h).starts_with(place) { small::size(h) } else { 0 })
}

#[tokio::test]
async fn everybody_counts_the_rows_of_their_own_place() {
    let server = Server::with_platform(people::open);
    for (login, scope) in [
        ("village-x", "140105001001"),
        ("township-x", "140105001"),
        ("county-x", "140105"),
        ("county-y", "140106"),
        ("department-y", "140106"),
        ("city", "1401"),
        ("other-city", "1402"),
        ("province", "14"),
    ] {
        let person = Person::sign_in(&server, login).await;
        let answered = person.ask("from person measure n = count()").await;
        assert_eq!(answered.column("n"), json!([persons_of(scope)]), "{login}");
        assert_eq!(answered.json()["scope"], scope);
        // No text reaches beyond: a filter that is always true, another place, a share, a total.
        for (q, expected) in [
            ("from person where true or region within 14 measure n = count()", persons_of(scope)),
            ("from person where not (region within 14) measure n = count()", 0),
        ] {
            assert_eq!(person.ask(q).await.column("n"), json!([expected]), "{login}: {q}");
        }
    }
}

#[tokio::test]
async fn another_place_is_empty_not_an_error() {
    let server = Server::with_platform(people::open);
    let city = Person::sign_in(&server, "city").await;
    let q = "from person where region within 1402 measure n = count()";
    let other = city.ask(q).await;
    assert_eq!((other.status, other.column("n")), (StatusCode::OK, json!([0])));
    assert_eq!(other.json()["scope"], "1401");
    let batch = json!({ "queries": [
        { "id": "own", "q": "from person measure n = count()" },
        { "id": "other", "q": q },
    ] });
    let batch = city.post("/api/v1/batch", batch).await.json();
    assert_eq!(batch["scope"], "1401");
    assert_eq!(column(&batch["results"][0], "n"), json!([persons_of("1401")]));
    assert_eq!(column(&batch["results"][1], "n"), json!([0]));
}

#[tokio::test]
async fn how_a_question_is_answered_is_told_of_the_own_place() {
    let server = Server::with_platform(people::open);
    let county = Person::sign_in(&server, "county-x").await;
    let q = "from person where severe_illness and age(birth_date) >= 0 or true explain";
    let told = county.ask(q).await.json();
    assert_eq!((&told["scope"], &told["explain"]["bytes"]), (&json!("140105"), &json!(null)));
    let from = &told["explain"]["steps"][0];
    let own = persons_of("140105");
    assert_eq!(
        (&from["clause"], &from["rows"]),
        (&json!("from person within 140105"), &json!(own))
    );
    assert_eq!((&from["estimated"], &from["bytes"]), (&json!(own), &json!(null)));
    let text = told.to_string();
    assert!(!text.contains("zone map") && text.contains("\"blocks\":null"), "{text}");
    assert!(!text.contains("\"blocks\":{"), "{text}");
}

#[tokio::test]
async fn maps_and_meta_end_where_the_scope_ends() {
    let server = Server::with_platform(people::open);
    let county = Person::sign_in(&server, "county-x").await;
    let map = county.get("/api/v1/map/values?measure=persons&level=county").await.json();
    assert_eq!(map["values"], json!({ "140105": persons_of("140105") }), "{map}");
    assert_eq!((&map["state"], &map["scope"]), (&json!({}), &json!("140105")));
    assert_eq!(map["total"], persons_of("140105"));
    // The city around would be shown with the figure of one of its counties.
    let map = county.get("/api/v1/map/values?measure=persons&level=city").await.json();
    assert_eq!((&map["values"], &map["state"]), (&json!({}), &json!({})));
    let other = county.get("/api/v1/map/values?measure=persons&level=county&area=1402").await;
    assert_eq!(other.json()["values"], json!({}), "{}", other.text());
    let meta = county.get("/api/v1/meta").await.json();
    let table = |name: &str| {
        let tables: &Vec<Value> = meta["tables"].as_array().unwrap();
        tables.iter().find(|table| table["name"] == name).unwrap()["rows"].clone()
    };
    assert_eq!(table("person"), persons_of("140105"));
    let households = sum(|h| i64::from(small::village(h).starts_with("140105")));
    assert_eq!((table("household"), &meta["scope"]), (json!(households), &json!("140105")));
    let area = county.get("/api/v1/areas/1402").await.json();
    assert_eq!(area["name"], "大同市", "names of places are no figures");
}

#[tokio::test]
async fn what_one_has_kept_is_not_the_answer_of_another() {
    let server = Server::with_platform(people::open);
    let x = Person::sign_in(&server, "county-x").await;
    let y = Person::sign_in(&server, "county-y").await;
    let batch = json!({ "queries": [{ "id": "a", "q": "from person" }] });
    for path in [
        "/api/v1/query?q=from+person",
        "/api/v1/meta",
        "/api/v1/map/values?measure=persons",
        "/api/v1/batch",
    ] {
        let ask = |person: &Person<'_>, tag: &str| {
            let request = Request::builder().uri(path).header(header::IF_NONE_MATCH, tag);
            let request = request.header(header::COOKIE, &person.cookie);
            let request = match path.ends_with("batch") {
                true => request
                    .method("POST")
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Body::from(batch.to_string())),
                false => request.body(Body::empty()),
            };
            server.send(request.unwrap())
        };
        let first = ask(&x, "\"other\"").await;
        assert_eq!(first.status, StatusCode::OK, "{path}: {}", first.text());
        let tag = first.header("etag").to_owned();
        assert_eq!(ask(&x, &tag).await.status, StatusCode::NOT_MODIFIED, "{path}");
        let other = ask(&y, &tag).await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
        assert_ne!(other.header("etag"), tag, "{path}");
        assert!(first.header("cache-control").contains("private"), "{path}");
    }
}

#[tokio::test]
async fn citizens_and_administrators_see_no_figures() {
    let server = Server::with_platform(people::open);
    for login in ["citizen-x", "system", "security", "audit"] {
        let person = Person::sign_in(&server, login).await;
        check_problem(&person.ask("from person").await, 403, "right.missing");
        for path in [
            "/api/v1/meta",
            "/api/v1/query?q=from+person",
            "/api/v1/map/values?measure=persons",
            "/api/v1/map/city.geojson",
        ] {
            check_problem(&person.get(path).await, 403, "right.missing");
        }
    }
}
