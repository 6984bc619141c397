//! The tables of documents equal what the code prints.
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
