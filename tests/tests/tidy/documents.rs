//! Rules about documents: what they point at exists, what they quote is so.

use std::collections::BTreeSet;

use super::files::{Fault, File};

/// The pages whose links and paths are followed.
fn is_page(file: &File) -> bool {
    let at_top = file.path == "README.md" || file.path == "CHANGELOG.md";
    file.is("md") && (at_top || file.path.starts_with("docs/"))
}

/// Every link to a file, every anchor, and every path in backticks leads somewhere.
pub(crate) fn links(paths: &[String], files: &[File]) -> Vec<Fault> {
    let known: BTreeSet<&str> = paths.iter().map(|path| path.trim_end_matches('/')).collect();
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| is_page(file)) {
        for (number, line) in prose(file) {
            for target in targets(line) {
                faults.extend(follow(file, number, target, &known, files));
            }
            for path in quoted_paths(line, &known) {
                if !known.contains(path.trim_end_matches('/')) {
                    let advice = format!("`{path}` does not exist: mend the path");
                    faults.push(Fault::new(&file.path, number, advice));
                }
            }
        }
    }
    faults
}

/// The lines outside code blocks.
fn prose(file: &File) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with("    ") {
            lines.push((number, line));
        }
    }
    lines
}

/// What `[..](target)` points at.
fn targets(line: &str) -> Vec<&str> {
    let ends = line.match_indices("](").filter_map(|(at, _)| line.get(at + 2..));
    ends.filter_map(|rest| rest.split([')', ' ']).next()).collect()
}

fn follow(
    page: &File,
    number: usize,
    target: &str,
    known: &BTreeSet<&str>,
    files: &[File],
) -> Option<Fault> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let full = if path.is_empty() { page.path.clone() } else { resolve(&page.path, path) };
    if !full.is_empty() && !known.contains(full.as_str()) {
        return Some(Fault::new(&page.path, number, format!("link to `{target}`: no such file")));
    }
    let goal = files.iter().find(|file| file.path == full);
    let found = anchor.is_empty() || goal.is_some_and(|file| anchors(file).contains(anchor));
    (!found).then(|| Fault::new(&page.path, number, format!("link to `{target}`: no such heading")))
}

/// `path` as seen from the folder of `page`.
fn resolve(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors of a page's headings, as the common hosts make them.
fn anchors(file: &File) -> BTreeSet<String> {
    let headings = prose(file).into_iter().filter(|(_, line)| line.starts_with('#'));
    let anchor = |(_, line): (usize, &str)| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// The words in backticks that begin as a path of this project does.
fn quoted_paths<'a>(line: &'a str, known: &BTreeSet<&str>) -> Vec<&'a str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let words = quoted.filter(|text| !text.contains([' ', '*', '<', '{', '=', '…']));
    let clean = words.map(|word| word.split([':', '#']).next().unwrap_or_default());
    let rooted = |word: &&str| {
        let first = word.split_once('/').map(|(first, _)| first);
        first.is_some_and(|first| known.contains(first))
    };
    clean.filter(rooted).collect()
}

/// The first Rust example of the README is the engine's first example, letter for letter.
pub(crate) fn first_example(files: &[File]) -> Vec<Fault> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|f| f.text.as_str());
    let Some(readme) = text("README.md") else {
        return vec![Fault::new("README.md", 0, "is missing")];
    };
    let Some(example) = text("engine/examples/first.rs") else {
        return vec![Fault::new("engine/examples/first.rs", 0, "is missing")];
    };
    let block = readme.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```"));
    if block.is_some_and(|(code, _)| code == example) {
        return Vec::new();
    }
    let advice = "its first Rust example differs from engine/examples/first.rs: copy the file";
    vec![Fault::new("README.md", 0, advice)]
}

/// The overview stays an overview.
pub(crate) fn page_lengths(files: &[File]) -> Vec<Fault> {
    const PAGE_LINES_MAX: usize = 300;
    let overview = files.iter().find(|file| file.path == "docs/architecture.md");
    let long = overview.filter(|file| file.text.lines().count() > PAGE_LINES_MAX);
    let advice = "is longer than 300 lines: move detail to a page of its own";
    long.map(|file| Fault::new(&file.path, 0, advice)).into_iter().collect()
}

/// Decision records are numbered without a gap and have their three parts.
pub(crate) fn decisions(files: &[File]) -> Vec<Fault> {
    let folder = "docs/decisions/";
    let mut faults = Vec::new();
    let records = files.iter().filter(|file| file.path.starts_with(folder) && file.is("md"));
    for (index, file) in records.enumerate() {
        let number = format!("{:04}", index + 1);
        if !file.stem().starts_with(&number) {
            faults.push(Fault::new(
                &file.path,
                0,
                format!("records are numbered: {number} is next"),
            ));
        }
        for part in ["## Context", "## Decision", "## Consequences"] {
            if !file.text.contains(part) {
                faults.push(Fault::new(&file.path, 0, format!("has no part `{part}`")));
            }
        }
    }
    faults
}

/// Every crate of others has a line, with its reason, in the record on dependencies, and no line
/// outlives its crate.
pub(crate) fn dependencies(files: &[File]) -> Vec<Fault> {
    let text = |path: &str| files.iter().find(|file| file.path.starts_with(path));
    let (Some(root), Some(record)) = (text("Cargo.toml"), text("docs/decisions/0010-")) else {
        return vec![Fault::new("docs/decisions/", 0, "the record on dependencies is missing")];
    };
    let manifest = root.text.parse::<toml::Table>().unwrap_or_default();
    let table = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let names = table.and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
    let used: BTreeSet<&str> =
        names.map(String::as_str).filter(|name| !name.starts_with("yiku")).collect();
    let lines = record.text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let told: BTreeSet<&str> = lines.collect();
    let missing = used.difference(&told).map(|name| format!("say why `{name}` is used"));
    let stale =
        told.difference(&used).map(|name| format!("`{name}` is used no more: drop its line"));
    missing.chain(stale).map(|advice| Fault::new(&record.path, 0, advice)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::files::finds;
    use super::*;

    fn found(page: &str) -> Vec<Fault> {
        let paths =
            ["README.md", "docs/", "docs/a.md", "docs/decisions/", "engine/", "engine/src/"];
        let target = File::sample("docs/a.md", "# A title, here\n");
        let page = File::sample("README.md", page);
        links(&paths.map(str::to_owned), &[target, page])
    }

    #[test]
    fn a_link_to_nowhere_is_found() {
        let bad = [
            ("see [x](docs/b.md)", "no such file"),
            ("see [x](docs/a.md#other)", "no such heading"),
            ("see `docs/b.md`", "mend the path"),
            ("see `engine/lib.rs:7`", "mend the path"),
            ("![x](docs/images/x.png)", "no such file"),
        ];
        for (page, part) in bad {
            assert!(finds(&found(page), part), "{page}");
        }
        let good = [
            "see [x](docs/a.md#a-title-here), [y](https://example.org/z)",
            "see `docs/a.md`, `engine/src/`, `cargo/x`, `engine/*.rs`",
            "```\n[x](docs/b.md)\n```\n    `docs/b.md`",
        ];
        for page in good {
            assert_eq!(found(page), [], "{page}");
        }
    }

    #[test]
    fn paths_are_followed_from_the_page() {
        let cases = [
            ("docs/a.md", "b.md", "docs/b.md"),
            ("docs/decisions/1.md", "../a.md", "docs/a.md"),
            ("README.md", "./docs/", "docs"),
        ];
        for (page, path, expected) in cases {
            assert_eq!(resolve(page, path), expected);
        }
    }

    #[test]
    fn an_example_that_differs_is_found() {
        let readme = File::sample("README.md", "a\n```rust\n//! x\nfn main() {}\n```\n");
        let same = File::sample("engine/examples/first.rs", "//! x\nfn main() {}\n");
        let other = File::sample("engine/examples/first.rs", "//! x\nfn main() { }\n");
        assert!(first_example(&[readme.clone(), same]).is_empty());
        assert!(finds(&first_example(&[readme.clone(), other]), "copy the file"));
        assert!(finds(&first_example(&[readme]), "is missing"));
    }

    #[test]
    fn a_long_overview_and_a_lame_decision_are_found() {
        let long = File::sample("docs/architecture.md", &"x\n".repeat(301));
        assert!(finds(&page_lengths(&[long]), "300 lines"));
        let whole = "## Context\n## Decision\n## Consequences\n";
        let record =
            |name: &str, text: &str| [File::sample(&format!("docs/decisions/{name}"), text)];
        assert!(decisions(&record("0001-a.md", whole)).is_empty());
        assert!(finds(&decisions(&record("0002-a.md", whole)), "0001 is next"));
        assert!(finds(&decisions(&record("0001-a.md", "## Context")), "## Decision"));
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let root = File::sample("Cargo.toml", "[workspace.dependencies]\nyiku = 1\na = 1\nb = 1\n");
        let record = |text| File::sample("docs/decisions/0010-x.md", text);
        assert_eq!(dependencies(&[root.clone(), record("| `a` | x |\n| `b` | y |\n")]), []);
        let found = dependencies(&[root.clone(), record("| `a` | x |\n| `c` | y |\n")]);
        assert!(finds(&found, "why `b`") && finds(&found, "`c` is used no more"));
        assert!(finds(&dependencies(&[root]), "is missing"));
    }
}
