//! The rule about the engine's public face: whatever is public is used in an example or a test.

use std::collections::BTreeSet;

use super::files::{Fault, File};
use super::rust::{Source, is_word};

/// Every public item of the engine that no example and no test names.
pub(crate) fn unproven(files: &[File]) -> Vec<Fault> {
    let used = used(files);
    let mut faults = Vec::new();
    for file in files.iter().filter(|f| f.path.starts_with("engine/src/") && f.is("rs")) {
        for (line, name) in public_items(&file.text) {
            if !used.contains(&name) {
                let advice =
                    format!("`{name}` is public and in no example or test: use it, or hide it");
                faults.push(Fault::new(&file.path, line, advice));
            }
        }
    }
    faults
}

/// The words of every example, test and documented example, and of the tables that a page of
/// docs/ prints: a test binds those.
fn used(files: &[File]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let tidy = "tests/tests/tidy/";
    for file in files.iter().filter(|file| file.is("rs") && !file.path.starts_with(tidy)) {
        let source = Source::new(&file.text);
        let whole = file.path.contains("/examples/")
            || file.path.contains("/tests/")
            || file.path.contains("benches/")
            || file.stem() == "tests";
        let code = match source.code.find("#[cfg(test)]") {
            _ if whole => source.code.as_str(),
            Some(at) => source.code.get(at..).unwrap_or_default(),
            None => "",
        };
        words.extend(code.split(|c| !is_word(c)).map(str::to_owned));
        for printed in source.functions().into_iter().filter(|f| f.name == "tables") {
            words.extend(printed.code.split(|c| !is_word(c)).map(str::to_owned));
        }
        let mut fenced = false;
        for comment in source.comments.iter().filter(|comment| comment.doc) {
            if comment.text.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if fenced {
                words.extend(comment.text.split(|c| !is_word(c)).map(str::to_owned));
            }
        }
    }
    words
}

/// The items declared `pub`, with their lines.
fn public_items(text: &str) -> Vec<(usize, String)> {
    let code = Source::new(text).code;
    let program = code.split("#[cfg(test)]").next().unwrap_or_default();
    let mut items = Vec::new();
    for (index, line) in program.lines().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix("pub ") else { continue };
        let mut words = rest.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        let kinds = ["fn", "struct", "enum", "trait", "const", "static", "type"];
        let Some(kind) = words.next().filter(|word| kinds.contains(word)) else { continue };
        let name = words.find(|word| *word != "fn" && *word != "unsafe").unwrap_or(kind);
        items.push((index + 1, name.to_owned()));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::super::files::finds;
    use super::*;

    #[test]
    fn a_public_item_that_nothing_shows_is_found() {
        let engine = File::sample(
            "engine/src/a.rs",
            "pub fn one() {}\npub(crate) fn two() {}\npub const fn three() {}\npub struct Four;\n\
             pub struct Six;\n\
             pub use b::five;\nfn six() { one() }\n#[cfg(test)]\nmod tests { pub fn seven() {} }\n",
        );
        let names = |others: &[File]| {
            let mut files = vec![engine.clone()];
            files.extend(others.iter().cloned());
            unproven(&files)
        };
        assert_eq!(names(&[]).len(), 4);
        assert!(finds(&names(&[]), "a.rs:1: `one`"));
        let shown = [
            File::sample("engine/examples/x.rs", "fn main() { one(); }"),
            File::sample("tests/tests/x.rs", "fn a() { three(); }"),
            File::sample("engine/src/c.rs", "pub(crate) fn tables() { Six; }"),
            File::sample("engine/src/b.rs", "/// ```\n/// let a = Four;\n/// ```\n"),
        ];
        assert_eq!(names(&shown), []);
        let not_shown = File::sample("server/src/x.rs", "// three\nfn a() { one(); }");
        assert_eq!(names(&[not_shown]).len(), 4);
    }
}
