//! The steps of a plan before it runs: what each is about, and what serves it.
//!
//! Invariants: whatever reads a column is in a step that names the column, so that the columns of
//! all steps are all that a question reads; a step knows the parts of the plan that it is about by
//! their places in memory, so an outline is of one plan and not of its copy.

use std::collections::HashMap;

use yiku::{Segment, Snapshot};

use super::probe::{About, Key, key};
use super::words::Words;

use crate::check::{Aggregate, Combine};
use crate::error::Result;
use crate::plan::{self, Plan};
use crate::run::flow::Flowing;

/// How a step comes to the blocks of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaf {
    /// By searching the sorted path.
    Path,
    /// By a predicate, which zone maps may answer.
    Predicate,
    /// By the values of some rows.
    Values,
    /// As values, of a text.
    Texts,
}

/// A step and those that it is made of.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: Option<Key>,
    pub(super) clause: String,
    pub(super) by: String,
    /// The table whose rows it counts; none where it counts groups.
    pub(super) table: Option<usize>,
    pub(super) columns: Vec<(usize, usize)>,
    pub(super) leaf: Leaf,
    /// Whether it is done segment by segment.
    pub(super) segmented: bool,
    /// Of which of the snapshots that are asked.
    pub(super) side: usize,
    pub(super) parts: Vec<Node>,
}

/// A step in the list of all.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) clause: String,
    pub(super) by: String,
    pub(super) table: Option<usize>,
    pub(super) columns: Vec<(usize, usize)>,
    pub(super) leaf: Leaf,
    pub(super) segmented: bool,
    /// Of which of the snapshots that are asked ([`snapshots`]).
    pub(super) side: usize,
    pub(super) parts: Vec<usize>,
}

/// The steps of a plan.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) stages: Vec<Stage>,
    /// The steps that are part of no other.
    pub(super) tops: Vec<usize>,
    pub(super) keys: HashMap<Key, usize>,
}

impl Node {
    pub(super) fn new(
        key: Key,
        clause: String,
        by: impl Into<String>,
        table: Option<usize>,
    ) -> Self {
        let (columns, leaf, parts) = (Vec::new(), Leaf::Values, Vec::new());
        let (by, segmented) = (by.into(), table.is_some());
        Self { key: Some(key), clause, by, table, columns, leaf, segmented, side: 0, parts }
    }

    pub(super) fn reading(mut self, columns: &[(usize, usize)], leaf: Leaf) -> Self {
        self.columns.extend_from_slice(columns);
        self.leaf = leaf;
        self
    }

    /// A plan within a plan.
    fn whole(plan: &Plan, clause: String, parts: Vec<Self>) -> Self {
        let node = Self::new(key(About::Whole, plan), clause, "asked", Some(plan.table));
        Self { segmented: false, parts, ..node }
    }

    /// The same step of another snapshot.
    fn beside(self, side: usize) -> Self {
        let parts = self.parts.into_iter().map(|part| part.beside(side)).collect();
        Self { side, parts, ..self }
    }

    pub(super) fn of(mut self, parts: Vec<Self>) -> Self {
        self.parts = parts;
        self
    }

    /// One plain column that is all a step is about needs no step of its own.
    pub(super) fn absorbed(mut self) -> Self {
        if let ([only], true) = (self.parts.as_slice(), self.columns.is_empty())
            && only.leaf == Leaf::Values
            && only.parts.is_empty()
            && only.by == VALUES
        {
            self.columns.clone_from(&only.columns);
            self.parts.clear();
        }
        self
    }
}

pub(super) const VALUES: &str = "values";

/// Describes the parts of a plan in the light of the segments.
pub(super) struct Teller<'a> {
    pub(super) plan: &'a Plan,
    pub(super) segments: &'a [Segment],
    pub(super) words: Words<'a>,
    /// Whether its measures are computed by another plan.
    pub(super) within: bool,
}

/// The snapshots that a plan asks: the one it is of first, then those of a flow between versions.
pub(super) fn snapshots<'a>(plan: &'a Plan, own: &'a Snapshot) -> Vec<&'a Snapshot> {
    let exchange = plan.exchange.iter();
    let sides = exchange.flat_map(|exchange| [&exchange.before, &exchange.after]);
    std::iter::once(own).chain(sides.map(|side| &side.snapshot)).collect()
}

impl Outline {
    /// The steps of a plan over some snapshots; without any only what it reads is told.
    pub(super) fn new(plan: &Plan, snapshots: &[&Snapshot]) -> Result<Self> {
        let mut outline = Self::default();
        for node in whole(plan, snapshots)? {
            let stage = outline.add(node);
            outline.tops.push(stage);
        }
        Ok(outline)
    }

    fn add(&mut self, node: Node) -> usize {
        let place = self.stages.len();
        let Node { key, clause, by, table, columns, leaf, segmented, side, parts } = node;
        let stage = Stage { clause, by, table, columns, leaf, segmented, side, parts: Vec::new() };
        self.stages.push(stage);
        if let Some(key) = key {
            self.keys.insert(key, place);
        }
        for part in parts {
            let part = self.add(part);
            if let Some(stage) = self.stages.get_mut(place) {
                stage.parts.push(part);
            }
        }
        place
    }
}

/// The steps of a plan with all that it is asked beside.
fn whole(plan: &Plan, snapshots: &[&Snapshot]) -> Result<Vec<Node>> {
    let segments = snapshots.first().map_or(&[][..], |snapshot| snapshot.segments());
    let teller = Teller::new(plan, segments, false);
    if let Some(exchange) = &plan.exchange {
        let mut nodes = Vec::new();
        let sides = [("before", &exchange.before), ("after", &exchange.after)];
        for (side, (word, own)) in (1..).zip(sides) {
            let segments = snapshots.get(side).map_or(&[][..], |s| s.segments());
            let parts = Teller::new(&own.plan, segments, true).exchanged()?;
            let clause = format!("{word}: version {}", own.snapshot.version());
            nodes.push(Node::whole(&own.plan, clause, parts).beside(side));
        }
        nodes.push(teller.counted("moves"));
        return Ok(nodes);
    }
    let mut nodes = Vec::new();
    for moment in &plan.moments {
        let clause = format!("over {}", yiku::calendar::month_text(moment.month));
        let own = Teller::new(&moment.plan, segments, false).own()?;
        nodes.push(Node::whole(&moment.plan, clause, own));
    }
    if plan.moments.is_empty() {
        nodes = teller.own()?;
    }
    if plan.list.is_none() && plan.flow.is_none() && plan.matrix.is_empty() {
        nodes.extend(teller.finish());
    }
    Ok(nodes)
}

impl<'a> Teller<'a> {
    fn new(plan: &'a Plan, segments: &'a [Segment], within: bool) -> Self {
        let words = Words { schema: &plan.schema, home: plan.table };
        Self { plan, segments, words, within }
    }
}

impl Teller<'_> {
    /// The steps at one moment.
    fn own(&self) -> Result<Vec<Node>> {
        let mut nodes = vec![self.from()];
        if let Some(flow) = &self.plan.flow {
            nodes.extend(self.flow(flow)?);
            return Ok(nodes);
        }
        nodes.extend(self.filter()?);
        if let Some(list) = &self.plan.list {
            for column in list.order.iter().filter_map(|(place, _)| list.columns.get(*place)) {
                nodes.push(self.listed(column, About::Ordered, "order by")?);
            }
            let by = "paths, keys";
            let table = Some(self.plan.table);
            nodes.push(Node::new(key(About::Places, self.plan), "places".to_owned(), by, table));
            nodes.push(self.cut());
            for column in &list.columns {
                nodes.push(self.listed(column, About::Listed, "select")?);
            }
            return Ok(nodes);
        }
        for (name, condition) in &self.plan.matrix {
            let mut node = self.condition(condition)?;
            node.clause = format!("matrix {name}");
            nodes.push(node);
        }
        if !self.plan.matrix.is_empty() {
            nodes.push(self.counted("pairs of conditions"));
            return Ok(nodes);
        }
        nodes.extend(self.grouped()?);
        Ok(nodes)
    }

    fn filter(&self) -> Result<Vec<Node>> {
        let clauses = self.plan.filter.iter().map(|(text, condition)| {
            Ok(Node { clause: format!("where {text}"), ..self.condition(condition)? })
        });
        clauses.collect()
    }

    /// The steps of one side of a flow between versions.
    fn exchanged(&self) -> Result<Vec<Node>> {
        let mut nodes = vec![self.from()];
        nodes.extend(self.filter()?);
        for group in &self.plan.groups {
            nodes.push(self.group(group, "by")?);
        }
        let plan = self.plan;
        let column = plan.schema.tables.get(plan.table).map_or(0, |table| table.key);
        let clause = format!("keys {}", self.words.column(plan.table, column));
        let node = Node::new(key(About::Keys, plan), clause, "texts", Some(plan.table));
        nodes.push(node.reading(&[(plan.table, column)], Leaf::Texts));
        Ok(nodes)
    }

    /// Groups and measures, and the same at other days.
    fn grouped(&self) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        for group in &self.plan.groups {
            nodes.push(self.group(group, "by")?);
        }
        // What left is counted by a plan of its own.
        let left = |a: &&Aggregate| a.combine == Combine::Left && self.plan.left.is_some();
        for aggregate in self.plan.aggregates.iter().filter(|a| !left(a)) {
            nodes.push(self.aggregate(aggregate)?);
        }
        let (join, by) = ("groups".to_owned(), "join");
        nodes.push(Node::new(key(About::Join, self.plan), join, by, None));
        if self.within {
            return Ok(nodes);
        }
        let mut others: Vec<(&str, &Plan)> = Vec::new();
        others.extend(self.plan.left.as_deref().map(|left| ("what left", left)));
        for compared in &self.plan.compared {
            let word = if compared.assumed { "assumed" } else { "beside" };
            others.push((word, &compared.plan));
            others.extend(compared.plan.left.as_deref().map(|left| ("what left", left)));
        }
        for (word, other) in others {
            let own = Teller::new(other, self.segments, true).own()?;
            let day = other.as_of.map_or_else(String::new, yiku::calendar::date_text);
            nodes.push(Node::whole(other, format!("{word} as of {day}"), own));
        }
        let having = self.plan.having.is_some();
        let clause = if having { "having" } else { "measures" };
        nodes.push(Node::new(key(About::Measures, self.plan), clause.to_owned(), "computed", None));
        Ok(nodes)
    }

    fn from(&self) -> Node {
        let plan = self.plan;
        let within = plan.scope.as_ref().map(|scope| format!(" within {}", scope.prefix()));
        let table = self.words.table(plan.table);
        let clause = format!("from {table}{}", within.unwrap_or_default());
        Node::new(key(About::From, plan), clause, "live set", Some(plan.table))
    }

    fn counted(&self, what: &str) -> Node {
        Node::new(key(About::Count, self.plan), what.to_owned(), "counted", Some(self.plan.table))
    }

    /// What stands behind all groups: the best of them, their order.
    fn finish(&self) -> Vec<Node> {
        let mut nodes = Vec::new();
        if let Some(top) = &self.plan.top {
            let names: Vec<&str> = top.within.iter().map(|place| self.name(*place)).collect();
            let within = names.join(", ");
            let clause = format!("top {} within {within} by {}", top.count, self.order(&top.order));
            nodes.push(Node::new(key(About::Best, self.plan), clause, "sorted", None));
        }
        nodes.push(self.cut());
        nodes
    }

    fn cut(&self) -> Node {
        let plan = self.plan;
        let order = match &plan.list {
            None => self.order(&plan.order),
            Some(list) => {
                let name = |(place, falls): &(usize, bool)| {
                    let name = list.columns.get(*place).map_or("", |column| column.name.as_str());
                    format!("{}{name}", if *falls { "-" } else { "" })
                };
                list.order.iter().map(name).collect::<Vec<_>>().join(", ")
            }
        };
        let order =
            if order.is_empty() { "order of keys".to_owned() } else { format!("order {order}") };
        let limit = plan.limit.map_or_else(String::new, |limit| format!(" limit {limit}"));
        let offset = match plan.offset {
            0 => String::new(),
            offset => format!(" offset {offset}"),
        };
        Node::new(key(About::Cut, plan), format!("{order}{limit}{offset}"), "sorted", None)
    }

    fn name(&self, group: usize) -> &str {
        self.plan.groups.get(group).map_or("", |group| group.name.as_str())
    }

    fn order(&self, keys: &[(plan::Key, bool)]) -> String {
        let measures: Vec<_> = self.plan.measures.iter().chain(&self.plan.beside).collect();
        let one = |(key, falls): &(plan::Key, bool)| {
            let name = match key {
                plan::Key::Group(place) => self.name(*place),
                plan::Key::Measure(place) => measures.get(*place).map_or("", |m| m.name.as_str()),
            };
            format!("{}{name}", if *falls { "-" } else { "" })
        };
        keys.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn flow(&self, flow: &Flowing) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        for (word, condition) in [("before", &flow.before), ("after", &flow.after)] {
            let mut node = self.condition(condition)?;
            node.clause = format!("{word}: {}", node.clause);
            nodes.push(node);
        }
        for (word, groups) in
            [("before: by", &flow.groups_before), ("after: by", &flow.groups_after)]
        {
            for group in groups {
                nodes.push(self.group(group, word)?);
            }
        }
        nodes.push(self.counted("moves"));
        Ok(nodes)
    }
}
