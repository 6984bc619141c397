//! What those who ask at once share: answers, and what they do not share.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use yiku_server::Settings;

use crate::people::{self, Person};
use crate::server::{Server, check_problem, column, sum};
use crate::small;

const COUNTED: &str = "from person measure n = count()";

/// How many answers were kept, shared with who computed them, and new.
async fn answers(server: &Server) -> [u64; 3] {
    let text = server.get("/metrics").await.text();
    ["kept", "shared", "new"].map(|how| {
        let head = format!("yiku_answers_total{{how=\"{how}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&head));
        line.unwrap().parse().unwrap()
    })
}

#[tokio::test]
async fn what_was_asked_before_is_not_computed_again() {
    let server = Server::new();
    let first = server.ask("from person by region.county measure n = count()").await;
    let again = server.ask("from  person by region.county  measure n = count()").await;
    assert_eq!((first.status, &first.bytes), (StatusCode::OK, &again.bytes));
    assert_eq!(answers(&server).await, [1, 0, 1]);
    // A batch and a map ask the same answers.
    let q = "from person by region.county measure n = count()";
    let batch = json!({ "queries": [{ "id": "a", "q": q }, { "id": "b", "q": COUNTED }] });
    let batch = server.post("/api/v1/batch", batch).await.json();
    assert_eq!(column(&batch["results"][1], "n"), json!([sum(small::size)]));
    assert_eq!(answers(&server).await, [2, 0, 2]);
    let map = "/api/v1/map/values?measure=persons";
    assert_eq!(server.get(map).await.bytes, server.get(map).await.bytes);
    let other_classes = server.get(&format!("{map}&classes=2")).await;
    assert_eq!(other_classes.status, StatusCode::OK);
    assert_eq!(answers(&server).await, [4, 0, 3]);
    // Another version is another question.
    small::change(&server.database);
    assert_eq!(server.ask(COUNTED).await.header("x-data-version"), "3");
    assert_eq!(answers(&server).await, [4, 0, 4]);
}

#[tokio::test]
async fn nobody_is_given_the_answer_of_another_place() {
    let server = Server::with_platform(people::open);
    let of = |place: &str| {
        sum(|h| if small::village(h).starts_with(place) { small::size(h) } else { 0 })
    };
    let scopes = [("county-x", "140105"), ("county-y", "140106"), ("other-city", "1402")];
    for _ in 0..3 {
        for (login, scope) in scopes {
            let person = Person::sign_in(&server, login).await;
            let answered = person.ask(COUNTED).await;
            assert_eq!(answered.column("n"), json!([of(scope)]), "{login}");
            assert_eq!(answered.json()["scope"], scope);
        }
    }
    assert_eq!(answers(&server).await, [6, 0, 3]);
}

#[tokio::test]
async fn errors_and_what_may_change_are_not_kept() {
    let server = Server::new();
    for _ in 0..2 {
        check_problem(&server.ask("from person where nothing").await, 400, "query.unknown_column");
        let personal = server.ask("from person by name").await;
        check_problem(&personal, 403, "query.personal");
        let explained = server.ask("from person explain").await;
        assert!(explained.json()["explain"]["steps"].is_array(), "{}", explained.text());
        check_problem(&server.ask("from person where in set mine").await, 400, "query.unknown_set");
    }
    let [kept, shared, _] = answers(&server).await;
    assert_eq!((kept, shared), (0, 0));
}

#[tokio::test]
async fn nothing_is_kept_where_that_is_not_wanted() {
    let server = Server::with(Settings { cache_bytes: 0, ..Settings::default() });
    let first = server.ask(COUNTED).await;
    assert_eq!(first.bytes, server.ask(COUNTED).await.bytes);
    assert_eq!(answers(&server).await, [0, 0, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_at_once_are_all_answered() {
    let settings = Settings { threads: 2, memory_bytes: 1 << 20, ..Settings::default() };
    let server = Arc::new(Server::with(settings));
    let question = |caller: i64| match caller % 4 {
        0 => (COUNTED.to_owned(), sum(small::size)),
        _ => (
            format!("from person where birth_date < {}-06-01 measure n = count()", 1950 + caller),
            sum(|h| if h <= caller { small::size(h) } else { 0 }),
        ),
    };
    let ask = |caller| {
        let server = Arc::clone(&server);
        async move {
            let (text, expected) = question(caller);
            let answered = server.ask(&text).await;
            assert_eq!(answered.status, StatusCode::OK, "{text}: {}", answered.text());
            assert_eq!(answered.column("n"), json!([expected]), "{text}");
        }
    };
    let callers: Vec<_> = (0..200).map(|caller| tokio::spawn(ask(caller))).collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let [kept, shared, new] = answers(&server).await;
    assert_eq!(kept + shared + new, 200);
    assert_eq!(new, 151, "fifty ask the same");
    let text = server.get("/metrics").await.text();
    assert!(text.contains("yiku_turns_waiting 0\n") && text.contains("yiku_memory_bytes 0\n"));
}
