//! The kinds of cases with their states and commands, the lists, and the forms.

use axum::extract::State;
use serde_json::{Map, Value, json};
use yiku_casework::forms::{form as find_form, forms};
use yiku_casework::store::kind_word;
use yiku_casework::{Label, machine};

use super::access::answer as reply;
use crate::cases::shown;
use crate::http::body::Part;
use crate::http::reply::Reply;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// `GET /api/v1/catalogue`
pub(crate) async fn answer(State(state): State<ServerState>) -> Result<Reply, Problem> {
    state.work(|state, _| reply(&state.snapshot()?, &catalogue())).await
}

fn listed(list: &[(&str, Label)]) -> Vec<Value> {
    list.iter().map(|(code, label)| json!([code, label.zh, label.en])).collect()
}

fn catalogue() -> Value {
    let mut kinds = Map::new();
    for kind in machine::KINDS {
        let states: Map<String, Value> = machine::states(kind)
            .iter()
            .map(|info| (info.name.to_owned(), shown::state(info)))
            .collect();
        let actions: Vec<Value> = machine::actions(kind).iter().map(shown::action).collect();
        let label = shown::label_of_kind(kind);
        kinds.insert(
            kind_word(kind).to_owned(),
            json!({ "label": label, "states": states, "actions": actions }),
        );
    }
    let lists: Map<String, Value> = forms()
        .map(|forms| {
            let lists = forms.lists().iter();
            lists.map(|(name, list)| (name.clone(), json!(list.codes))).collect()
        })
        .unwrap_or_default();
    json!({
        "kinds": kinds,
        "lists": lists,
        "aids": listed(machine::lists::AIDS),
        "departments": listed(machine::lists::DEPARTMENTS),
        "results": listed(machine::lists::RESULTS),
    })
}

/// `GET /api/v1/forms/{name}`
pub(crate) async fn form(
    State(state): State<ServerState>,
    Part(name): Part,
) -> Result<Reply, Problem> {
    let Some(form) = find_form(&name) else {
        let known = forms().map(|forms| forms.names().collect::<Vec<_>>().join(", "));
        let detail = format!("there is no such form; there are {}", known.unwrap_or_default());
        return Err(Problem::told(Code::RequestParameter, detail));
    };
    state.work(move |state, _| reply(&state.snapshot()?, &form.to_json())).await
}
