//! Server-sent events: whoever listens is told of what happens to cases within their reach.
//!
//! Invariants: nothing personal is in an event; a listener hears what is in reach and no more; a
//! session that has ended hears nothing further.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde_json::json;
use yiku_casework::machine;
use yiku_casework::store::{Notice, Reach, kind_word};

use super::access::casework;
use crate::cases::shown::label_of_kind;
use crate::http::signed::Signed;
use crate::problem::Problem;
use crate::state::ServerState;

/// The most notices that are read at a time.
const TOGETHER: usize = 500;
/// How often a connection is kept alive, and its session looked at.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// One who listens.
struct Listener {
    state: ServerState,
    signed: Signed,
    reach: Reach,
    last: u64,
    waiting: Vec<Event>,
    changes: tokio::sync::watch::Receiver<u64>,
}

/// `GET /api/v1/notices`
pub(crate) async fn stream(
    State(state): State<ServerState>,
    signed: Signed,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let changes = state.platform()?.notices().subscribe();
    let last = state.work(|state, _| casework(state.platform()?.store().last_notice())).await?;
    let reach = Reach::of(&signed.actor);
    let begin = vec![Event::default().event("ready").data("{}")];
    let listener = Listener { state, signed, reach, last, waiting: begin, changes };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY)))
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop() {
                return Some(event);
            }
            let newest = *self.changes.borrow_and_update();
            if newest > self.last {
                self.read().await?;
                continue;
            }
            match tokio::time::timeout(ALIVE_EVERY, self.changes.changed()).await {
                Ok(Err(_)) => return None,
                Ok(Ok(())) => {}
                // A session is looked at now and then: who signed out hears no more.
                Err(_) => self.still_signed().await?,
            }
        }
    }

    /// Reads on after the last notice; what is not within reach is passed over.
    async fn read(&mut self) -> Option<()> {
        self.still_signed().await?;
        let last = self.last;
        let read = move |state: &ServerState, _| {
            casework(state.platform()?.store().notices_after(last, TOGETHER))
        };
        let notices = self.state.work(read).await.ok()?;
        self.last = notices.last()?.seq;
        let heard = notices.iter().filter(|notice| self.reach.hears(notice));
        self.waiting = heard.map(event).collect();
        self.waiting.reverse();
        Some(())
    }

    async fn still_signed(&self) -> Option<()> {
        let token = self.signed.session.token.clone();
        let read = move |state: &ServerState, _| {
            let platform = state.platform()?;
            casework(platform.accounts().goes_on(&token, platform.now()))
        };
        self.state.work(read).await.ok()?.then_some(())
    }
}

fn event(notice: &Notice) -> Event {
    let kind = label_of_kind(notice.kind);
    let state = machine::states(notice.kind).iter().find(|state| state.name == notice.state);
    let (zh, en) = state.map_or(("", ""), |state| (state.label.zh, state.label.en));
    let body = json!({
        "id": notice.case, "kind": kind_word(notice.kind), "state": notice.state,
        "command": notice.command, "region": notice.region, "level": notice.level,
        "at": notice.at.to_string(),
        "text": { "zh": format!("{}:{zh}", kind.zh), "en": format!("{}: {en}", kind.en) },
    });
    let event = Event::default().event("case").id(notice.seq.to_string());
    event.data(body.to_string())
}
