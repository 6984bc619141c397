//! The pages of policies and warnings equal what their catalogues print. `UPDATE=1` in the
//! environment writes them anew; review reads the difference.
#![expect(clippy::disallowed_methods, reason = "reads and writes the project's own pages")]
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;

use yiku_queries::household::PolicyBook;
use yiku_queries::warnings::Rules;

/// The page with the text between its marks replaced.
fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let mark = format!("<!-- printed: {name} -->\n");
    let (before, rest) = page.split_once(&mark)?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}{mark}\n{}\n\n<!-- end -->{after}", text.trim()))
}

fn check(path: &str, name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let page = std::fs::read_to_string(&path).unwrap();
    let new = replaced(&page, name, text).unwrap();
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&path, new).unwrap();
        return;
    }
    assert!(
        new == page,
        "{name}: run `UPDATE=1 cargo test --release -p yiku-queries --test printed`"
    );
}

#[test]
fn the_page_of_policies_is_the_catalogue() {
    check("docs/policies.md", "policies", &PolicyBook::built_in().unwrap().to_page());
}

#[test]
fn the_page_of_warnings_is_the_catalogue() {
    check("docs/warnings.md", "warnings", &Rules::built_in().unwrap().to_page());
}

#[test]
fn a_page_that_differs_is_found() {
    let page = "# A\n\n<!-- printed: x -->\n\n1\n\n<!-- end -->\nmore\n";
    assert_eq!(replaced(page, "x", "1\n").as_deref(), Some(page));
    assert_ne!(replaced(page, "x", "2\n").as_deref(), Some(page));
    assert_eq!(replaced(page, "y", "1\n"), None);
}
