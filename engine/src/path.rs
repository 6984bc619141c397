//! The tree that the path column speaks of: places with codes in which every level is a prefix.
//!
//! Invariants: nodes are sorted by code, codes are unique, every node but those of the top
//! level has its parent in the tree.

use wincode::{SchemaRead, SchemaWrite};

use crate::error::{Error, Result};
use crate::limits::PATH_DIGITS_MAX;
use crate::schema::{Level, PathSchema};

/// One place of the tree.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct PathNode {
    /// The code, padded with zeros to the full width of the path.
    pub code: u64,
    /// The level, from 0 at the top.
    pub level: u8,
    /// Its name.
    pub name: String,
}

/// The tree of places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTree {
    levels: Vec<Level>,
    nodes: Vec<PathNode>,
    /// By level, the code of each of its places and where that stands among all.
    of_levels: Vec<Vec<(u64, usize)>>,
}

fn power(exponent: u8) -> u64 {
    10u64.saturating_pow(u32::from(exponent))
}

impl PathTree {
    /// A tree of these nodes, in any order.
    ///
    /// # Errors
    /// [`Error::Tree`] when a code stands twice, has a level that the schema does not have or
    /// digits below its level, or lacks its parent.
    pub fn new(schema: &PathSchema, mut nodes: Vec<PathNode>) -> Result<Self> {
        nodes.sort_by_key(|n| (n.code, n.level));
        let mut of_levels = vec![Vec::new(); schema.levels.len()];
        for (place, node) in nodes.iter().enumerate() {
            if let Some(own) = of_levels.get_mut(usize::from(node.level)) {
                own.push((node.code, place));
            }
        }
        let tree = Self { levels: schema.levels.clone(), nodes, of_levels };
        let wrong =
            |node: &PathNode, reason| Err(Error::Tree { code: tree.text(node.code), reason });
        let mut before: Option<u64> = None;
        for node in &tree.nodes {
            if usize::from(node.level) >= tree.levels.len() {
                return wrong(node, "its level is not in the schema");
            }
            if !node.code.is_multiple_of(tree.unit(usize::from(node.level))) {
                return wrong(node, "it has digits below its level");
            }
            if node.code >= power(tree.digits()) {
                return wrong(node, "it has more digits than the path");
            }
            if before == Some(node.code) {
                return wrong(node, "it stands twice");
            }
            before = Some(node.code);
            if node.level > 0 && tree.parent(node).is_none() {
                return wrong(node, "its parent is not in the tree");
            }
        }
        Ok(tree)
    }

    /// Checks that the tree was made for this path.
    pub(crate) fn check_levels(&self, schema: &PathSchema) -> Result<()> {
        if self.levels == schema.levels {
            return Ok(());
        }
        let reason = "the tree has other levels than the schema's path";
        Err(Error::Tree { code: schema.name.clone(), reason })
    }

    fn digits(&self) -> u8 {
        self.levels.last().map_or(0, |l| l.digits).min(PATH_DIGITS_MAX)
    }

    /// How many codes of the lowest level one place of `level` spans.
    fn unit(&self, level: usize) -> u64 {
        let digits = self.levels.get(level).map_or(self.digits(), |l| l.digits);
        power(self.digits().saturating_sub(digits))
    }

    fn text(&self, code: u64) -> String {
        format!("{code:0width$}", width = usize::from(self.digits()))
    }

    /// The place that a text names: its code at any level, with or without the zeros behind it.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&PathNode> {
        let digits = usize::from(self.digits());
        if text.is_empty() || text.len() > digits || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let full = text.len() == digits;
        let node = self.get(format!("{text:0<digits$}").parse().ok()?)?;
        let named = self.levels.get(usize::from(node.level))?;
        (full || usize::from(named.digits) == text.len()).then_some(node)
    }

    /// The place of a full-width code.
    #[must_use]
    pub fn get(&self, code: u64) -> Option<&PathNode> {
        let place = self.nodes.binary_search_by_key(&code, |n| n.code).ok()?;
        self.nodes.get(place)
    }

    /// The least and the greatest code of the place and everything beneath it.
    #[must_use]
    pub fn range(&self, node: &PathNode) -> (u64, u64) {
        let unit = self.unit(usize::from(node.level));
        (node.code, node.code + (unit - 1))
    }

    /// The code of the place without the zeros of the levels beneath it.
    #[must_use]
    pub fn prefix(&self, node: &PathNode) -> String {
        let mut text = self.text(node.code);
        let digits = self.levels.get(usize::from(node.level)).map_or(0, |l| l.digits);
        text.truncate(usize::from(digits));
        text
    }

    /// The place that holds this one.
    #[must_use]
    pub fn parent(&self, node: &PathNode) -> Option<&PathNode> {
        let above = usize::from(node.level.checked_sub(1)?);
        let parent = self.get(self.ancestor(node.code, above))?;
        (usize::from(parent.level) == above).then_some(parent)
    }

    /// The places directly beneath, by code.
    #[must_use]
    pub fn children(&self, node: &PathNode) -> Vec<&PathNode> {
        let (low, high) = self.range(node);
        let start = self.nodes.partition_point(|n| n.code < low);
        let end = self.nodes.partition_point(|n| n.code <= high);
        let beneath = self.nodes.get(start..end).unwrap_or_default();
        beneath.iter().filter(|n| n.level == node.level + 1).collect()
    }

    /// The code of the place of `level` that holds `code`.
    #[must_use]
    pub fn ancestor(&self, code: u64, level: usize) -> u64 {
        let unit = self.unit(level);
        code / unit * unit
    }

    /// Every place, by code.
    #[must_use]
    pub fn nodes(&self) -> &[PathNode] {
        &self.nodes
    }

    /// The code of every place of a level, rising, and where the place stands among all
    /// ([`PathTree::nodes`]).
    #[must_use]
    pub fn of_level(&self, level: usize) -> &[(u64, usize)] {
        self.of_levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// The levels, from the top.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn schema() -> PathSchema {
        let level = |name: &str, digits| Level { name: name.into(), label: name.into(), digits };
        let levels = vec![level("city", 2), level("ward", 4), level("street", 7)];
        PathSchema { name: "place".into(), label: "place".into(), levels }
    }

    fn node(code: u64, level: u8) -> PathNode {
        PathNode { code, level, name: code.to_string() }
    }

    #[test]
    fn places_are_found_at_every_level() {
        let nodes = vec![node(1_102_003, 2), node(1_100_000, 0), node(1_102_000, 1)];
        let tree = PathTree::new(&schema(), nodes).unwrap();
        let ward = tree.find("1102").unwrap();
        assert_eq!(tree.find("1102000"), Some(ward));
        assert_eq!(tree.find("110"), None);
        assert_eq!(tree.find("11x2"), None);
        assert_eq!(tree.range(ward), (1_102_000, 1_102_999));
        assert_eq!(tree.prefix(ward), "1102");
        assert_eq!(tree.parent(ward).unwrap().code, 1_100_000);
        assert_eq!(tree.children(ward).len(), 1);
        assert_eq!(tree.of_level(1), [(1_102_000, 1)]);
        assert_eq!(tree.of_level(2), [(1_102_003, 2)]);
        assert!(tree.of_level(3).is_empty());
        let levels = [(0, 1_100_000), (1, 1_102_000), (2, 1_102_003)];
        for (level, code) in levels {
            assert_eq!(tree.ancestor(1_102_003, level), code, "level {level}");
        }
    }

    #[test]
    fn a_tree_that_contradicts_itself_is_refused() {
        let check = |nodes: Vec<PathNode>, expected: &str| {
            let error = PathTree::new(&schema(), nodes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(vec![node(1_102_000, 1)], "its parent is not in the tree");
        check(vec![node(1_100_000, 0), node(1_100_000, 0)], "it stands twice");
        check(vec![node(1_102_000, 0)], "digits below its level");
        check(vec![node(1_100_000, 7)], "its level is not in the schema");
    }
}
