//! The page on the language says what is so: what it lists as built is understood, what it lists
//! as not supported yet is refused by its name.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use yiku::schema::PathNode;
use yiku::{Database, PathTree, Schema, Snapshot};
use yiku_queries::household::Standards;
use yiku_queries::{Context, Error, Plan, Query};

/// An empty registry of the platform, with one village.
fn registry(folder: &std::path::Path) -> Snapshot {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("indexer/registry.toml")).unwrap();
    let schema = Schema::from_toml(&text).unwrap();
    let codes = [14, 1401, 140_105, 140_105_001, 140_105_001_001_u64];
    let digits = [2, 4, 6, 9, 12_u32];
    let nodes = codes.iter().zip(digits).zip(0..).map(|((code, digits), level)| PathNode {
        code: code * 10_u64.pow(12 - digits),
        level,
        name: code.to_string(),
    });
    let tree = PathTree::new(&schema.path, nodes.collect()).unwrap();
    Database::create(folder, schema, tree).unwrap().snapshot().unwrap()
}

/// The rows of the table under a heading of a page: the place and the example.
fn examples<'a>(page: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let section = page.split_once(&format!("\n## {heading}\n")).map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split_once(" | `"));
    cells.filter_map(|(place, rest)| Some((place, rest.split_once("` |")?.0))).collect()
}

/// The question that an example stands for.
fn question(place: &str, example: &str) -> String {
    match place.split_once(' ') {
        None => example.to_owned(),
        Some((clause, table)) => format!("from {table} {clause} {example} as_of 2026-10-31"),
    }
}

fn plan(snapshot: &Snapshot, text: &str) -> Result<Plan, Error> {
    let standards = Standards::builtin().unwrap();
    Plan::bind(&Query::parse(text)?, snapshot, &Context::default().parameters(&standards))
}

#[test]
fn the_page_on_the_language_is_so() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = registry(&folder.path().join("registry"));
    let page = include_str!("../../docs/language.md");
    let (built, missing) = (examples(page, "Built"), examples(page, "Not supported yet"));
    assert!(built.len() > 45 && missing.len() < 3, "{} {}", built.len(), missing.len());
    for (place, example) in built {
        let text = question(place, example);
        if let Err(error) = plan(&snapshot, &text) {
            assert_eq!(error.to_string(), "", "listed as built: {text}");
        }
    }
    for (place, example) in missing {
        let text = question(place, example);
        let code = plan(&snapshot, &text).err().map(|error| error.code());
        assert_eq!(code, Some("query.unsupported"), "listed as not supported yet: {text}");
    }
}

#[test]
fn examples_are_read_from_their_section_only() {
    let page = "\n## A\n| in | example |\n| --- | --- |\n| by t | `x` | y |\n## B\n| q | `z` | |\n";
    assert_eq!(examples(page, "A"), [("by t", "x")]);
    assert_eq!(examples(page, "C"), []);
    assert_eq!(question("by t", "x"), "from t by x as_of 2026-10-31");
    assert_eq!(question("query", "from t"), "from t");
}
