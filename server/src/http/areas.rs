//! A place: those above and those beneath it.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};
use yiku::PathTree;
use yiku::schema::PathNode;

use super::body::{Part, parameters};
use super::reply::Reply;
use super::tag;
use crate::problem::{Code, Problem};
use crate::state::ServerState;
use crate::wire::Origin;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    /// Levels beneath the place: 0, or 1.
    #[serde(default = "one")]
    depth: u8,
}

fn one() -> u8 {
    1
}

#[derive(Serialize)]
struct Area<'a> {
    #[serde(flatten)]
    origin: Origin,
    #[serde(flatten)]
    own: AreaRef<'a>,
    parent: Option<String>,
    ancestors: Vec<AreaRef<'a>>,
    children: Vec<AreaRef<'a>>,
}

#[derive(Serialize)]
struct AreaRef<'a> {
    code: String,
    name: &'a str,
    level: &'a str,
}

impl<'a> AreaRef<'a> {
    fn new(tree: &'a PathTree, node: &'a PathNode) -> Self {
        let level = tree.levels().get(usize::from(node.level));
        let level = level.map_or("", |level| level.name.as_str());
        Self { code: tree.prefix(node), name: &node.name, level }
    }
}

/// The place that a code names, of whatever level.
pub(super) fn find<'a>(tree: &'a PathTree, code: &str) -> Result<&'a PathNode, Problem> {
    tree.find(code).ok_or_else(|| {
        let widths: Vec<String> = tree.levels().iter().map(|l| l.digits.to_string()).collect();
        let widths = widths.join(", ");
        let detail = format!("`{code}` is no place of the tree; codes have {widths} digits");
        Problem::told(Code::AreaUnknown, detail)
    })
}

/// `GET /api/v1/areas/{code}`
pub(crate) async fn answer(
    State(state): State<ServerState>,
    Part(code): Part,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Reply, Problem> {
    let Parameters { depth } = parameters(&uri)?;
    if depth > 1 {
        let detail = format!("depth is {depth}; it is 0 or 1");
        return Err(Problem::told(Code::RequestParameter, detail));
    }
    let work = move |state: &ServerState, _| {
        let snapshot = state.snapshot()?;
        let tree = snapshot.tree();
        let node = find(tree, &code)?;
        let question = format!("{code}/{depth}");
        let tag = tag::of_question("areas", snapshot.version(), &question);
        if tag::names(&headers, &tag) {
            return Ok(Reply::unchanged(&snapshot, tag));
        }
        let mut ancestors = Vec::new();
        let mut above = tree.parent(node);
        while let Some(parent) = above {
            ancestors.push(AreaRef::new(tree, parent));
            above = tree.parent(parent);
        }
        ancestors.reverse();
        let children = if depth == 0 { Vec::new() } else { tree.children(node) };
        let area = Area {
            origin: Origin::of(&snapshot),
            own: AreaRef::new(tree, node),
            parent: tree.parent(node).map(|parent| tree.prefix(parent)),
            ancestors,
            children: children.into_iter().map(|child| AreaRef::new(tree, child)).collect(),
        };
        Reply::new(&snapshot, Some(tag), &area)
    };
    state.ask(work).await
}
