//! Rules about what may know what: the crates and their dependencies, the two modules with
//! `unsafe`, the one crate with `async`.

use std::collections::BTreeMap;

use super::files::{Fault, File};
use super::rust::{Source, is_word};

/// Our crates: folder, name, and which of ours each may use in the program.
const CRATES: &[(&str, &str, &[&str])] = &[
    ("engine", "yiku", &[]),
    ("queries", "yiku-queries", &["yiku"]),
    ("indexer", "yiku-indexer", &["yiku"]),
    ("fixtures", "yiku-fixtures", &[]),
    ("server/casework", "yiku-casework", &[]),
    (
        "server",
        "yiku-server",
        &["yiku", "yiku-queries", "yiku-indexer", "yiku-fixtures", "yiku-casework"],
    ),
    ("benches", "yiku-benches", EVERY),
    ("tests", "yiku-tests", EVERY),
    ("tests/fuzz", "yiku-fuzz", &["yiku", "yiku-queries", "yiku-tests"]),
];
const EVERY: &[&str] =
    &["yiku", "yiku-queries", "yiku-indexer", "yiku-fixtures", "yiku-casework", "yiku-server"];

/// Everything that the engine may link besides the standard library.
const ENGINE: &[&str] = &[
    "crossbeam",
    "memmap2",
    "parking_lot",
    "roaring",
    "serde",
    "thiserror",
    "toml",
    "wincode",
    "xxhash-rust",
    "zstd",
];
/// Where the threads of requests, and the wire, may be known.
const WIRE: &[&str] = &["tokio", "axum", "tower", "tower-http", "hyper", "rust-embed"];
const WIRE_CRATES: &[&str] = &["yiku-server", "yiku-tests", "yiku-benches"];
/// Who may link DuckDB: who joins files, who writes Parquet, and who compares.
const DUCKDB_CRATES: &[&str] =
    &["yiku-indexer", "yiku-fixtures", "yiku-queries", "yiku-tests", "yiku-benches"];

/// The modules that lift the ban on `unsafe` (docs/decisions/0003, 0023).
const UNSAFE: &[&str] = &["engine/src/cpu.rs", "engine/src/storage/map.rs"];

/// The rules above, read from every manifest.
pub(crate) fn manifests(files: &[File]) -> Vec<Fault> {
    let manifest = |file: &&File| file.path.ends_with("/Cargo.toml");
    files.iter().filter(manifest).flat_map(of_manifest).collect()
}

fn of_manifest(file: &File) -> Vec<Fault> {
    let say = |advice: String| vec![Fault::new(&file.path, 0, advice)];
    let Ok(manifest) = file.text.parse::<toml::Table>() else {
        return say("is not TOML".to_owned());
    };
    let folder = file.path.trim_end_matches("/Cargo.toml");
    let Some((_, name, ours)) = CRATES.iter().find(|(at, _, _)| *at == folder) else {
        return say(format!("`{folder}` is no crate of the plan: see docs/architecture.md"));
    };
    let package = manifest.get("package").and_then(|package| package.get("name"));
    if package.and_then(toml::Value::as_str) != Some(name) {
        return say(format!("the crate in `{folder}` is named `{name}`"));
    }
    let mut faults = Vec::new();
    for (section, dependency) in dependencies(&manifest) {
        let in_program = section != "dev-dependencies";
        let advice = advice(name, ours, &dependency, in_program);
        faults.extend(advice.map(|advice| Fault::new(&file.path, 0, advice)));
    }
    // The fuzz targets are a workspace of their own.
    let inside = manifest.get("workspace").is_none();
    if inside && manifest.get("lints").and_then(|lints| lints.get("workspace")).is_none() {
        faults.extend(say("add `[lints] workspace = true`".to_owned()));
    }
    faults
}

/// What is wrong with that crate's using that dependency.
fn advice(name: &str, ours: &[&str], dependency: &str, in_program: bool) -> Option<String> {
    let is_ours = EVERY.contains(&dependency);
    let test_material = dependency == "yiku-fixtures" && name != "yiku";
    if is_ours && !ours.contains(&dependency) && (in_program || !test_material) {
        return Some(format!(
            "{name} may not use {dependency}: arrows point down only (docs/architecture.md)"
        ));
    }
    if !in_program {
        return None;
    }
    if name == "yiku" && !ENGINE.contains(&dependency) {
        return Some(format!(
            "the engine may not link {dependency}: it is embedded in others' programs \
             (docs/decisions/0010)"
        ));
    }
    if WIRE.contains(&dependency) && !WIRE_CRATES.contains(&name) {
        return Some(format!("{dependency} stops at the server (docs/decisions/0006)"));
    }
    if dependency == "duckdb" && !DUCKDB_CRATES.contains(&name) {
        return Some(format!("{name} has no business with duckdb (docs/decisions/0009)"));
    }
    None
}

/// Every dependency of a manifest with its section.
fn dependencies(manifest: &toml::Table) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let table = manifest.get(section).and_then(toml::Value::as_table);
        found.extend(
            table.into_iter().flat_map(toml::Table::keys).map(|key| (section, key.clone())),
        );
    }
    found
}

/// A dependency that no source of the crate names is dropped.
pub(crate) fn unused(files: &[File]) -> Vec<Fault> {
    let mut words: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        if let Some(folder) = crate_of(&file.path) {
            let code = Source::new(&file.text).code;
            words.entry(folder).or_default().push(code);
        }
    }
    let mut faults = Vec::new();
    for file in files {
        let Some(folder) = file.path.strip_suffix("/Cargo.toml") else { continue };
        let Ok(manifest) = file.text.parse::<toml::Table>() else { continue };
        let sources = words.get(folder).map(Vec::as_slice).unwrap_or_default();
        for (_, dependency) in dependencies(&manifest) {
            let name = dependency.replace('-', "_");
            let named = |code: &String| code.split(|c| !is_word(c)).any(|word| word == name);
            if !sources.iter().any(named) {
                let advice = format!("no source names `{dependency}`: drop the dependency");
                faults.push(Fault::new(&file.path, 0, advice));
            }
        }
    }
    faults
}

fn crate_of(path: &str) -> Option<&'static str> {
    let holds = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let folders = CRATES.iter().map(|(folder, _, _)| *folder).filter(|folder| holds(folder));
    folders.max_by_key(|folder| folder.len())
}

/// `unsafe` stands in the listed modules only, and each of them needs it.
pub(crate) fn unsafe_code(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let code = Source::new(&file.text).code;
        let line = code.lines().position(|line| line.split(|c| !is_word(c)).any(|w| w == "unsafe"));
        let lawful = UNSAFE.contains(&file.path.as_str());
        match line {
            Some(line) if !lawful => {
                let advice = "`unsafe`: only the modules in docs/decisions/0003 and 0023 have it";
                faults.push(Fault::new(&file.path, line + 1, advice));
            }
            None if lawful => {
                let advice = "has no `unsafe` any more: take it from the list in arrows.rs";
                faults.push(Fault::new(&file.path, 0, advice));
            }
            _ => {}
        }
    }
    faults
}

/// `async` stops at the server.
pub(crate) fn async_code(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let folder = crate_of(&file.path);
        if !folder.is_some_and(|f| ["engine", "queries", "indexer", "fixtures"].contains(&f)) {
            continue;
        }
        let code = Source::new(&file.text).code;
        let words = |line: &str| line.split(|c| !is_word(c)).any(|w| w == "async" || w == "await");
        if let Some(line) = code.lines().position(words) {
            let advice = "`async` stops at the server (docs/decisions/0006)";
            faults.push(Fault::new(&file.path, line + 1, advice));
        }
    }
    faults
}

/// The folder of the one module in which the language starts threads, because it was asked to by
/// number, or lends those of a caller's pool.
const THREADS: &str = "queries/src/pool/";

/// The language starts threads in one module, as many as its caller says.
pub(crate) fn threads(files: &[File]) -> Vec<Fault> {
    let starts = ["thread::spawn", "thread::scope", "thread::Builder", "rayon_core"];
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let is_asked = file.path.starts_with("queries/src/") && !file.path.ends_with("tests.rs");
        if !is_asked || file.path.starts_with(THREADS) {
            continue;
        }
        let code = Source::new(&file.text).code;
        if let Some(line) = code.lines().position(|line| starts.iter().any(|s| line.contains(s))) {
            let advice = "threads are the caller's: spread work with `run::spread` \
                          (docs/decisions/0006)";
            faults.push(Fault::new(&file.path, line + 1, advice));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::files::finds;
    use super::*;

    fn manifest(folder: &str, name: &str, rest: &str) -> [File; 1] {
        let text = format!("[package]\nname = \"{name}\"\n{rest}\n[lints]\nworkspace = true\n");
        [File::sample(&format!("{folder}/Cargo.toml"), &text)]
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let bad = [
            ("engine", "yiku", "[dependencies]\nyiku-queries = 1", "arrows point down"),
            ("engine", "yiku", "[dev-dependencies]\nyiku-fixtures = 1", "arrows point down"),
            ("engine", "yiku", "[dependencies]\nserde_json = 1", "the engine may not link"),
            ("queries", "yiku-queries", "[dependencies]\nyiku-indexer = 1", "arrows point down"),
            ("indexer", "yiku-indexer", "[dependencies]\nyiku-fixtures = 1", "arrows point down"),
            ("indexer", "yiku-indexer", "[dependencies]\ntokio = 1", "stops at the server"),
            ("fixtures", "yiku-fixtures", "[dependencies]\nyiku = 1", "arrows point down"),
            ("server/casework", "yiku-casework", "[dependencies]\nyiku = 1", "arrows point down"),
            ("server", "yiku-server", "[dependencies]\nduckdb = 1", "no business"),
            ("cli", "yiku-cli", "", "no crate of the plan"),
            ("queries", "queries", "", "is named `yiku-queries`"),
        ];
        for (folder, name, rest, part) in bad {
            let faults = manifests(&manifest(folder, name, rest));
            assert!(finds(&faults, part), "{folder} {rest}: {faults:?}");
        }
        let bare = File::sample("queries/Cargo.toml", "[package]\nname = \"yiku-queries\"\n");
        assert!(finds(&manifests(&[bare]), "workspace = true"));
    }

    #[test]
    fn an_arrow_that_points_down_is_not() {
        let good = [
            ("queries", "yiku-queries", "[dependencies]\nyiku = 1"),
            ("queries", "yiku-queries", "[dev-dependencies]\nyiku-fixtures = 1"),
            ("server", "yiku-server", "[dependencies]\nyiku-fixtures = 1\naxum = 1"),
            ("tests", "yiku-tests", "[dependencies]\nyiku-server = 1\nduckdb = 1"),
        ];
        for (folder, name, rest) in good {
            let faults = manifests(&manifest(folder, name, rest));
            assert!(faults.is_empty(), "{folder} {rest}: {faults:?}");
        }
    }

    #[test]
    fn a_dependency_without_use_is_found() {
        let [manifest] = manifest("queries", "yiku-queries", "[dependencies]\nserde-x = 1");
        let used = File::sample("queries/src/lib.rs", "use serde_x::A;");
        let quoted = File::sample("queries/src/lib.rs", "// serde_x\nlet a = \"serde_x\";");
        let elsewhere = File::sample("server/src/lib.rs", "use serde_x::A;");
        assert!(unused(&[manifest.clone(), used]).is_empty());
        assert!(finds(&unused(&[manifest.clone(), quoted]), "drop the dependency"));
        assert!(finds(&unused(&[manifest, elsewhere]), "drop the dependency"));
    }

    #[test]
    fn threads_outside_the_pool_are_found() {
        let sample = |path, text| [File::sample(path, text)];
        let text = "\nfn a() { std::thread::scope(|scope| {}) }";
        assert!(finds(&threads(&sample("queries/src/run/a.rs", text)), "a.rs:2"));
        assert!(finds(&threads(&sample("queries/src/a.rs", "use rayon_core::X;")), "a.rs:1"));
        assert!(threads(&sample("queries/src/pool/a.rs", text)).is_empty());
        assert!(threads(&sample("queries/src/run/tests.rs", text)).is_empty());
        assert!(threads(&sample("server/src/a.rs", text)).is_empty());
    }

    #[test]
    fn unsafe_and_async_are_found() {
        let sample = |path, text| [File::sample(path, text)];
        assert!(finds(&unsafe_code(&sample("engine/src/a.rs", "\nunsafe { x }")), "a.rs:2"));
        assert!(unsafe_code(&sample("engine/src/a.rs", "// unsafe\n")).is_empty());
        assert!(finds(&unsafe_code(&sample("engine/src/storage/map.rs", "x")), "any more"));
        assert!(finds(&async_code(&sample("queries/src/a.rs", "async fn a() {}")), "a.rs:1"));
        assert!(async_code(&sample("server/src/a.rs", "async fn a() {}")).is_empty());
    }
}
