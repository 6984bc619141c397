//! Rules about words: what the engine does not know, what nothing is named, what belongs to no
//! reader of this project.

use super::files::{Fault, File};
use super::rust::{Source, is_word};

/// What the rows may be about, which the engine does not know. Singular; a plural is found too.
const DOMAIN: &[&str] = &[
    "aid",
    "benefit",
    "census",
    "citizen",
    "county",
    "dibao",
    "disability",
    "disabled",
    "family",
    "household",
    "income",
    "medical",
    "person",
    "poverty",
    "province",
    "resident",
    "subsidy",
    "tekun",
    "township",
    "village",
    "welfare",
];
const DOMAIN_CHINESE: &[&str] =
    &["低保", "特困", "残疾", "户籍", "救助", "贫困", "家庭", "人口", "民政", "居民", "县"];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &[
    "common", "core", "data", "handler", "handlers", "helper", "helpers", "info", "manager",
    "misc", "util", "utils",
];
/// Folders of a name above that others give: each with who gives it.
const GIVEN_FOLDERS: &[(&str, &str)] = &[];
/// Endings of a type that say nothing.
const EMPTY_ENDINGS: &[&str] = &["Manager", "Helper", "Helpers", "Utils", "Handler"];

/// Folders and files at the root.
const TOP: &[&str] = &[
    ".cargo/",
    ".ci/",
    "benches/",
    "docs/",
    "engine/",
    "fixtures/",
    "indexer/",
    "queries/",
    "server/",
    "tests/",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

/// The engine speaks of tables, rows and paths, never of what they are about.
pub(crate) fn domain(files: &[File]) -> Vec<Fault> {
    let engine = files.iter().filter(|file| file.path.starts_with("engine/"));
    let mut faults = Vec::new();
    for file in engine {
        for (number, line) in file.lines() {
            let words = parts(line).into_iter().filter(|word| is_domain(word));
            let chinese = DOMAIN_CHINESE.iter().filter(|word| line.contains(**word));
            for word in words.chain(chinese.map(|word| (*word).to_owned())) {
                let advice =
                    format!("`{word}`: the engine has no domain word, say table, row, path");
                faults.push(Fault::new(&file.path, number, advice));
            }
        }
    }
    faults
}

fn is_domain(word: &str) -> bool {
    let plural = |one: &str| {
        word == format!("{one}s")
            || one.strip_suffix('y').is_some_and(|stem| word == format!("{stem}ies"))
    };
    DOMAIN.iter().any(|one| word == *one || plural(one))
}

/// The words of a line in small letters, names taken apart at `_` and at capitals.
fn parts(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small_before = false;
    for c in line.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && small_before) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        small_before = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every file, folder, module and type has a name that says what it is.
pub(crate) fn names(paths: &[String], files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in paths {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default();
        let given = GIVEN_FOLDERS.iter().any(|(folder, _)| folder == path);
        let on_the_wire = path.starts_with("server/") && stem.starts_with("handler");
        if EMPTY_NAMES.contains(&stem) && !given && !on_the_wire {
            faults.push(Fault::new(path, 0, format!("`{stem}` says nothing: name the duty")));
        }
    }
    for file in files.iter().filter(|file| file.is("rs")) {
        let code = Source::new(&file.text).code;
        for (number, line) in code.lines().enumerate() {
            let name = declared(line).filter(|name| is_empty_name(name, &file.path));
            faults.extend(name.map(|name| {
                let advice = format!("`{name}` says nothing: look in docs/glossary.md");
                Fault::new(&file.path, number + 1, advice)
            }));
        }
    }
    faults
}

/// The module or type that a line declares.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    let kinds = ["mod", "struct", "enum", "trait", "type"];
    words.find(|word| kinds.contains(word))?;
    words.next()
}

fn is_empty_name(name: &str, path: &str) -> bool {
    let small = name.to_ascii_lowercase();
    let on_the_wire = path.starts_with("server/") && small.ends_with("handler");
    let empty = EMPTY_NAMES.contains(&small.as_str());
    (empty || EMPTY_ENDINGS.iter().any(|ending| name.ends_with(ending))) && !on_the_wire
}

/// The top level is closed.
pub(crate) fn top(paths: &[String]) -> Vec<Fault> {
    let at_top = paths.iter().filter(|path| !path.trim_end_matches('/').contains('/'));
    let strangers = at_top.filter(|path| !TOP.contains(&path.as_str()));
    let advice = "is not of the top level (docs/architecture.md): find its room";
    strangers.map(|path| Fault::new(path, 0, advice)).collect()
}

/// What names the place a machine was set up at, not the project.
pub(crate) fn foreign(files: &[File]) -> Vec<Fault> {
    let hosts = [
        concat!("registry", ".npmjs"),
        concat!("npm", "mirror"),
        concat!("rs", "proxy.cn"),
        concat!("index.", "crates.io"),
        concat!("static.", "crates.io"),
        concat!("pypi", ".org"),
        concat!("mirrors.", "tuna"),
        concat!("/wo", "rk/main/"),
        concat!("/wo", "rk/sha", "red"),
        concat!("/wo", "rk/."),
        concat!("sha", "red/design"),
        concat!("sha", "red/research"),
        concat!("sha", "red/domain"),
        concat!("sha", "red/data"),
        concat!("Clau", "de"),
        concat!("Anthro", "pic"),
        concat!("Chat", "GPT"),
        concat!("Open", "AI"),
        concat!("sub", "agent"),
    ];
    let mut faults = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            for word in hosts.iter().filter(|word| line.contains(**word)) {
                let advice = format!("`{word}`: the project speaks of itself alone");
                faults.push(Fault::new(&file.path, number, advice));
            }
        }
    }
    faults
}

/// No number that could be somebody's: 18 digits of a citizen whose address code was assigned.
/// The generator's own begin with 999, which never was.
pub(crate) fn citizens(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '.');
            if words.into_iter().any(|word| is_citizen(word.trim_matches('.'))) {
                let advice = "holds what could be a citizen's number: use one of area 999";
                faults.push(Fault::new(&file.path, number, advice));
            }
        }
    }
    faults
}

/// Six digits of an area from 11 to 82, a day, three digits, a digit or X.
fn is_citizen(word: &str) -> bool {
    let (digits, last) = match word.char_indices().nth(17) {
        Some((at, last)) if word.len() == 18 => (word.get(..at).unwrap_or_default(), last),
        _ => return false,
    };
    let number = |from: usize, to: usize| {
        let text = digits.get(from..to)?;
        text.chars().all(|c| c.is_ascii_digit()).then(|| text.parse::<u32>().ok())?
    };
    let within = |from, to, range: std::ops::RangeInclusive<u32>| {
        number(from, to).is_some_and(|found| range.contains(&found))
    };
    (last.is_ascii_digit() || last.eq_ignore_ascii_case(&'x'))
        && number(0, 6).is_some()
        && within(0, 2, 11..=82)
        && within(6, 10, 1880..=2035)
        && within(10, 12, 1..=12)
        && within(12, 14, 1..=31)
        && number(14, 17).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::files::finds;
    use super::*;

    #[test]
    fn a_domain_word_in_the_engine_is_found() {
        let bad = [
            "/// A person.",
            "let household_id = 1;",
            "struct PersonRow;",
            "families",
            "低保",
            "counties",
        ];
        for text in bad {
            assert!(!domain(&[File::sample("engine/src/a.rs", text)]).is_empty(), "{text}");
        }
        let good = ["said aids_not personal impersonal", "let paid = 1;"];
        assert!(
            domain(&[File::sample("engine/src/a.rs", good.first().unwrap_or(&""))])
                .iter()
                .all(|fault| fault.advice.contains("aids"))
        );
        assert!(domain(&[File::sample("engine/src/a.rs", "let paid = personal;")]).is_empty());
        assert!(domain(&[File::sample("queries/src/a.rs", "person")]).is_empty());
    }

    #[test]
    fn an_empty_name_is_found() {
        let none: &[File] = &[];
        let path = |path: &str| names(&[path.to_owned()], none);
        for bad in ["engine/src/utils.rs", "indexer/src/common/", "queries/src/helpers/mod.rs"] {
            let found = names(&[bad.to_owned(), "queries/src/helpers/".to_owned()], none);
            assert!(finds(&found, "says nothing"), "{bad}");
        }
        assert!(path("server/src/handlers/").is_empty());
        assert!(finds(&path("indexer/src/handlers/"), "says nothing"));
        let code = |text: &str| names(&[], &[File::sample("engine/src/a.rs", text)]);
        for bad in ["pub struct FileManager;", "mod data;", "enum Info {", "trait RowHelper {"] {
            assert!(finds(&code(bad), "says nothing"), "{bad}");
        }
        assert!(code("struct CommitInfo;\nlet data = 1; // mod utils").is_empty());
    }

    #[test]
    fn a_stranger_at_the_top_is_found() {
        let paths = ["scripts/", "notes.md", "engine/", "engine/scripts/", "LICENSE"];
        let found = top(&paths.map(str::to_owned));
        assert_eq!(found.len(), 2);
        assert!(finds(&found, "scripts/: is not") && finds(&found, "notes.md"));
    }

    #[test]
    fn a_foreign_word_is_found() {
        let text = concat!("https://registry", ".npmjs.org/x");
        assert!(finds(&foreign(&[File::sample("a.json", text)]), "speaks of itself"));
        assert!(foreign(&[File::sample("a.md", "a shared library in the work tree")]).is_empty());
        assert!(foreign(&[File::sample("a.md", "the page /work/cases/1")]).is_empty());
    }

    #[test]
    fn a_number_of_somebody_is_found() {
        let area = |area: &str| format!("x,{area}19850307001X,y");
        let found = |text: &str| !citizens(&[File::sample("a.csv", text)]).is_empty();
        assert!(found(&area("140105")));
        assert!(found(&area("110101").replace('X', "1")));
        assert!(!found(&area("999001")));
        assert!(!found("112.140105198503070011"), "a coordinate");
        assert!(!found("140105198513070011"), "no month 13");
        assert!(!found("1401051985030700111"), "19 digits");
    }
}
