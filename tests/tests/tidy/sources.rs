//! Rules about one source file: its head, its size, its leftovers.

use super::files::{Fault, File, except};
use super::rust::{Comment, Source, is_word};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// Files longer than the limit, with their lines. May only shrink.
const LONG_FILES: &[(&str, usize)] = &[];
/// Files with a function longer than the limit, with its lines. May only shrink.
const LONG_FUNCTIONS: &[(&str, usize)] = &[];

/// Whether people write it by hand, in a language that has functions.
fn is_source(file: &File) -> bool {
    ["rs", "ts", "vue"].iter().any(|extension| file.is(extension))
}

/// Every Rust file opens with what it is for.
pub(crate) fn heads(files: &[File]) -> Vec<Fault> {
    let rust = files.iter().filter(|file| file.is("rs"));
    let headless = rust.filter(|file| !file.text.starts_with("//!"));
    let advice = "open the file with `//!`: its purpose and its invariants";
    headless.map(|file| Fault::new(&file.path, 1, advice)).collect()
}

/// No file is longer than a reader can hold.
pub(crate) fn file_lengths(files: &[File]) -> Vec<Fault> {
    let long = files.iter().filter(|file| is_source(file)).filter_map(|file| {
        let found = file.text.lines().count();
        let advice =
            format!("has {found} lines, the limit is {FILE_LINES_MAX}: give each duty a file");
        (found > FILE_LINES_MAX).then(|| (Fault::new(&file.path, 0, advice), found))
    });
    except(long.collect(), LONG_FILES)
}

/// A function fits on a screen.
pub(crate) fn function_lengths(files: &[File]) -> Vec<Fault> {
    let mut long = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        for function in Source::new(&file.text).functions() {
            if function.lines > FUNCTION_LINES_MAX {
                let advice = format!(
                    "`{}` has {} lines, the limit is {FUNCTION_LINES_MAX}: \
                     let one function decide and small ones compute",
                    function.name, function.lines
                );
                long.push((Fault::new(&file.path, function.line, advice), function.lines));
            }
        }
    }
    except(long, LONG_FUNCTIONS)
}

/// A line fits beside another.
pub(crate) fn line_lengths(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        for (number, line) in file.lines() {
            let found = line.chars().count();
            if found > COLUMNS_MAX {
                let advice =
                    format!("has {found} columns, the limit is {COLUMNS_MAX}: break the line");
                faults.push(Fault::new(&file.path, number, advice));
            }
        }
    }
    faults
}

/// Nothing is left for later: no note to do something, no test that is switched off or wants a
/// panic, no code in a comment, no lint switched off for good.
pub(crate) fn leftovers(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        if is_source(file) || file.is("toml") || file.is("md") {
            faults.extend(notes(file));
        }
        if file.is("rs") {
            let source = Source::new(&file.text);
            faults.extend(attributes(file, &source));
            let left = source.comments.iter().filter(|comment| is_old_code(comment));
            let advice = "code in a comment: delete it, the history keeps it";
            faults.extend(left.map(|comment| Fault::new(&file.path, comment.line, advice)));
        }
        if file.is("ts") || file.is("vue") {
            faults.extend(switches(file));
        }
    }
    faults
}

fn notes(file: &File) -> Vec<Fault> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        for word in words {
            if line.split(|c| !is_word(c)).any(|found| found == word) {
                let advice = format!("`{word}`: do it now, or write it where work is planned");
                faults.push(Fault::new(&file.path, number, advice));
            }
        }
    }
    faults
}

fn attributes(file: &File, source: &Source) -> Vec<Fault> {
    let rules = [
        ("[ignore", "a test runs or is deleted"),
        ("[should_panic", "assert on the error instead: any panic satisfies this"),
        (
            "[allow(",
            "use `#[expect(..., reason = \"...\")]`, which says when it is no longer needed",
        ),
    ];
    let mut faults = Vec::new();
    for (at, _) in source.code.match_indices('#') {
        let (before, rest) = source.code.split_at(at);
        let rest = rest.trim_start_matches(['#', '!']);
        let line = before.matches('\n').count() + 1;
        for (start, advice) in rules {
            if rest.starts_with(start) {
                let what = start.trim_end_matches('(').trim_start_matches('[');
                faults.push(Fault::new(&file.path, line, format!("`{what}`: {advice}")));
            }
        }
        if rest.starts_with("[expect(") {
            let end = rest.find(']').unwrap_or(rest.len());
            if !rest.get(..end).unwrap_or_default().contains("reason") {
                faults.push(Fault::new(&file.path, line, "`expect` without `reason`: give it"));
            }
        }
    }
    faults
}

fn switches(file: &File) -> Vec<Fault> {
    let rules = [
        (".skip(", "a test runs or is deleted"),
        (".only(", "all tests run"),
        ("@ts-ignore", "give the value its type"),
        ("eslint-disable", "follow the rule"),
    ];
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        for (word, advice) in rules {
            if line.contains(word) {
                faults.push(Fault::new(&file.path, number, format!("`{word}`: {advice}")));
            }
        }
    }
    faults
}

/// Whether a comment reads as a statement rather than as a sentence. Documentation may show code.
fn is_old_code(comment: &Comment) -> bool {
    let text = comment.text.trim();
    if comment.doc || text.is_empty() {
        return false;
    }
    let starts = ["let ", "fn ", "pub ", "use ", "impl ", "#[", "return ", "struct ", "enum "];
    let opens = starts.iter().any(|start| text.starts_with(start));
    let closes = text.ends_with(';') || text.ends_with('{') || text.ends_with("},");
    let calls = text.ends_with(");") || text.ends_with("];");
    let assigns = text.contains(" = ") && text.ends_with(';');
    let brackets = !text.is_empty() && text.chars().all(|c| "{}()[];,".contains(c));
    (opens && closes) || calls || assigns || brackets
}

/// The page on style and clippy's configuration say the limits that hold here.
pub(crate) fn told(files: &[File]) -> Vec<Fault> {
    let told = [
        ("docs/style.md", format!("{FILE_LINES_MAX} lines")),
        ("docs/style.md", format!("{FUNCTION_LINES_MAX} lines")),
        ("docs/style.md", format!("{COLUMNS_MAX} characters")),
        ("clippy.toml", format!("too-many-lines-threshold = {FUNCTION_LINES_MAX}")),
        ("rustfmt.toml", format!("max_width = {COLUMNS_MAX}")),
    ];
    let has =
        |path: &str, text: &str| files.iter().any(|f| f.path == path && f.text.contains(text));
    let silent = told.iter().filter(|(path, text)| !has(path, text));
    silent.map(|(path, text)| Fault::new(path, 0, format!("does not say `{text}`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::files::finds;
    use super::*;

    #[test]
    fn a_file_without_a_head_is_found() {
        assert!(finds(&heads(&[File::sample("a.rs", "use b;\n")]), "a.rs:1"));
        assert!(heads(&[File::sample("a.rs", "//! What it is.\n")]).is_empty());
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "x\n".repeat(FILE_LINES_MAX + 1);
        assert!(finds(&file_lengths(&[File::sample("a.ts", &text)]), "601 lines"));
        assert!(file_lengths(&[File::sample("a.csv", &text)]).is_empty());
    }

    #[test]
    fn a_long_function_is_found() {
        let text = |lines| format!("fn long() {{\n{}}}\n", "    x;\n".repeat(lines));
        let sample = |lines| [File::sample("a.rs", &text(lines))];
        assert!(finds(&function_lengths(&sample(FUNCTION_LINES_MAX - 1)), "`long` has 71 lines"));
        assert!(function_lengths(&sample(FUNCTION_LINES_MAX - 2)).is_empty());
    }

    #[test]
    fn a_long_line_is_found() {
        let line =
            |columns: usize| [File::sample("a.rs", &format!("//! {}", "一".repeat(columns - 4)))];
        assert!(finds(&line_lengths(&line(101)), "101 columns"));
        assert!(line_lengths(&line(100)).is_empty());
    }

    #[test]
    fn a_page_that_tells_another_limit_is_found() {
        let page = File::sample("docs/style.md", "601 lines, 70 lines, 100 characters");
        let found = told(&[page]);
        assert!(finds(&found, "600 lines") && !finds(&found, "70 lines"), "{found:?}");
    }

    #[test]
    fn leftovers_are_found() {
        let bad = [
            ("a.rs", concat!("// TO", "DO later"), "do it now"),
            ("a.vue", concat!("<!-- FIX", "ME -->"), "do it now"),
            ("a.rs", "#[ignore = \"slow\"]\nfn a() {}", "runs or is deleted"),
            ("a.rs", "#[should_panic]\nfn a() {}", "assert on the error"),
            ("a.rs", "#![allow(unused)]", "use `#[expect"),
            ("a.rs", "#[expect(unused)]\nfn a() {}", "without `reason`"),
            ("a.rs", "// let a = b();\n", "the history keeps it"),
            ("a.rs", "    // check(a, b);\n", "the history keeps it"),
            ("a.rs", "// if a {\n// }\n", "the history keeps it"),
            ("a.ts", "it.skip('a')", "runs or is deleted"),
            ("a.ts", "// @ts-ignore\n", "give the value its type"),
        ];
        for (path, text, part) in bad {
            assert!(finds(&leftovers(&[File::sample(path, text)]), part), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_leftover_is_not() {
        let good = [
            "// A sentence (with a bracket); and another, because\n// it goes on.\n",
            "/// let a = b();\nfn a() {}",
            "#[expect(unused, reason = \"why\")]\nfn a() {}",
            "let a = \"#[ignore]\";",
            "fn mastodons() {}",
        ];
        for text in good {
            let faults = leftovers(&[File::sample("a.rs", text)]);
            assert!(faults.is_empty(), "{text}: {faults:?}");
        }
    }
}
