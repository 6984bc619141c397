//! Events as they happen: within a second to whoever answers for the place, to nobody else.

use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::StreamExt;
use serde_json::json;
use tower::ServiceExt;

use crate::families::{head_of, report};
use crate::office::{Office, Person, id};

/// An open stream of events.
struct Stream(axum::body::BodyDataStream, String);

impl Stream {
    async fn of(office: &Office, person: &Person<'_>) -> Self {
        let request = person.request("GET", "/api/v1/notices").body(Body::empty()).unwrap();
        let response = office.router().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut stream = Self(response.into_body().into_data_stream(), String::new());
        assert!(stream.next(Duration::from_secs(5)).await.unwrap().contains("ready"));
        stream
    }

    /// The next event, if one comes in time.
    async fn next(&mut self, within: Duration) -> Option<String> {
        let read = async {
            loop {
                if let Some((event, rest)) = self.1.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.1 = rest;
                    return Some(event);
                }
                let piece = self.0.next().await?.unwrap();
                self.1.push_str(&String::from_utf8_lossy(&piece));
            }
        };
        tokio::time::timeout(within, read).await.ok().flatten()
    }
}

#[tokio::test]
async fn the_township_hears_within_a_second_and_the_neighbour_does_not() {
    let office = Office::new();
    let village = office.person("cun").await;
    let (township, neighbour) = (office.person("xiang").await, office.person("xiang2").await);
    let mut heard = Stream::of(&office, &township).await;
    let mut unheard = Stream::of(&office, &neighbour).await;
    let case = village.open("report", json!({ "answers": report(1) })).await;
    let begun = Instant::now();
    village.act(&case, "submit", json!({})).await;
    let event = heard.next(Duration::from_secs(3)).await.unwrap();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(event.contains("event: case") && event.contains(id(&case)), "{event}");
    assert!(event.contains("\"state\":\"submitted\""), "the draft was nobody's: {event}");
    assert!(!event.contains(&head_of(1)) && !event.contains('冯'), "{event}");
    assert_eq!(unheard.next(Duration::from_millis(500)).await, None);
}
