//! The tables of documents equal what the code prints, and the tests that they name exist.
//!
//! A page marks such a text with `<!-- printed: NAME -->` and `<!-- end -->`. `UPDATE=1` in the
//! environment writes the text anew; review reads the difference.
#![expect(clippy::disallowed_methods, reason = "reads and writes the project's own pages")]

use std::path::Path;

/// What is printed where: page, name of the mark, text.
fn printed() -> Vec<(&'static str, &'static str, String)> {
    vec![
        ("docs/format.md", "format", yiku::format::tables()),
        ("docs/limits.md", "limits", yiku::limits::tables()),
    ]
}

/// Why a marked text is not what the code prints.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// There is no such mark, or it does not end.
    Unmarked,
    /// The text differs.
    Differs,
}

/// The page with the marked text replaced.
fn replaced(page: &str, name: &str, text: &str) -> Result<String, Fault> {
    let mark = format!("<!-- printed: {name} -->\n");
    let (before, rest) = page.split_once(&mark).ok_or(Fault::Unmarked)?;
    let (_, after) = rest.split_once("<!-- end -->").ok_or(Fault::Unmarked)?;
    Ok(format!("{before}{mark}\n{}\n\n<!-- end -->{after}", text.trim()))
}

/// Checks one marked text.
fn check(page: &str, name: &str, text: &str) -> Result<(), Fault> {
    if replaced(page, name, text)? == page { Ok(()) } else { Err(Fault::Differs) }
}

#[test]
fn documents_equal_what_the_code_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    for (path, name, text) in printed() {
        let page = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        if update && let Ok(new) = replaced(&page, name, &text) {
            assert!(std::fs::write(root.join(path), new).is_ok(), "{path} cannot be written");
            continue;
        }
        let found = check(&page, name, &text);
        assert_eq!(
            found,
            Ok(()),
            "{path}: the text `{name}`: mark it with `<!-- printed: {name} -->` and \
             `<!-- end -->`, then run `UPDATE=1 cargo test --release -p yiku-tests --test printed`"
        );
    }
}

#[test]
fn a_text_that_differs_is_found() {
    let page = "# A\n\n<!-- printed: x -->\n\n| 1 |\n\n<!-- end -->\nmore\n";
    assert_eq!(check(page, "x", "| 1 |\n"), Ok(()));
    assert_eq!(check(page, "x", "| 2 |\n"), Err(Fault::Differs));
    assert_eq!(check(page, "y", "| 1 |\n"), Err(Fault::Unmarked));
    assert_eq!(check("<!-- printed: x -->\n| 1 |", "x", "| 1 |"), Err(Fault::Unmarked));
    let new = replaced(page, "x", "| 2 |\n").unwrap_or_default();
    assert_eq!(check(&new, "x", "| 2 |"), Ok(()));
    assert!(new.starts_with("# A\n") && new.ends_with("-->\nmore\n"));
}

/// The tests that the lines of a table of invariants name, each with its file: the last cell has
/// names in backticks, then the file in which they stand.
fn held_by(page: &str) -> Vec<(String, String)> {
    let is_invariant = |line: &&str| {
        let number = line.strip_prefix("| ").and_then(|rest| rest.split(' ').next());
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let mut found = Vec::new();
    for line in page.lines().filter(is_invariant) {
        let cell = line.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let mut names: Vec<&str> = Vec::new();
        for quoted in cell.split('`').skip(1).step_by(2) {
            if quoted.contains(['/', '.']) {
                found.extend(names.drain(..).map(|name| (name.to_owned(), quoted.to_owned())));
            } else {
                names.push(quoted);
            }
        }
        found.extend(names.drain(..).map(|name| (name.to_owned(), String::new())));
    }
    found
}

#[test]
fn what_holds_an_invariant_is_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap_or_default();
    let named = held_by(&page);
    assert!(named.len() >= 10, "{} tests are named", named.len());
    for (name, path) in named {
        let text = std::fs::read_to_string(root.join(&path)).unwrap_or_default();
        assert!(text.contains(&format!("fn {name}()")), "`{name}` is not in `{path}`");
    }
}

#[test]
fn a_name_goes_with_the_file_behind_it() {
    let page =
        "| a | `x` |\n| 1 | it holds | `one`, `two` in `a/b.rs`, `three` in `c.rs`; `d/` |\n";
    let expected = [("one", "a/b.rs"), ("two", "a/b.rs"), ("three", "c.rs")];
    let found = held_by(page);
    let found: Vec<(&str, &str)> = found.iter().map(|(n, p)| (n.as_str(), p.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(held_by("| 2 | it holds | `four` |")[..], [("four".to_owned(), String::new())]);
}
