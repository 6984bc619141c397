//! The files of the project, and what a rule says about them.
//!
//! Invariant: what `.gitignore` at the root names is not seen; everything else is.

use std::fmt;
use std::path::{Path, PathBuf};

/// A text file of the project.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// The whole of it.
    pub(crate) text: String,
}

impl File {
    /// A file that exists only in a test.
    #[cfg(test)]
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether the name ends so.
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
    }

    /// Its lines, numbered from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The name without folder and extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }
}

/// What is wrong, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The file.
    pub(crate) path: String,
    /// The line from 1; 0 for the whole file.
    pub(crate) line: usize,
    /// What to do.
    pub(crate) advice: String,
}

impl Fault {
    /// A fault of a line.
    pub(crate) fn new(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, advice: advice.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.advice),
            line => write!(f, "{}:{line}: {}", self.path, self.advice),
        }
    }
}

/// Stops the test with every fault, one a line.
#[track_caller]
pub(crate) fn report(faults: &[Fault]) {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{} to mend:\n{}", faults.len(), lines.join("\n"));
}

/// Whether `checker` finds anything; what the test of a checker asks.
#[cfg(test)]
pub(crate) fn finds(faults: &[Fault], part: &str) -> bool {
    faults.iter().any(|fault| fault.to_string().contains(part))
}

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Every path of the project from its root, folders with a `/` behind, sorted.
pub(crate) fn paths() -> Vec<String> {
    let ignore = std::fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    let ignored = Ignored::new(&ignore);
    let mut found = Vec::new();
    walk(&root(), "", &ignored, &mut found);
    found.sort();
    found
}

/// Every text file of the project.
pub(crate) fn texts() -> Vec<File> {
    let names = paths().into_iter().filter(|path| !path.ends_with('/'));
    let read = |path: String| {
        let text = std::fs::read_to_string(root().join(&path)).ok()?;
        Some(File { path, text })
    };
    names.filter_map(read).collect()
}

fn walk(folder: &Path, prefix: &str, ignored: &Ignored, found: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let path = format!("{prefix}{name}");
        if ignored.has(&path, &name, is_folder) {
            continue;
        }
        if is_folder {
            let inner = format!("{path}/");
            walk(&entry.path(), &inner, ignored, found);
            found.push(inner);
        } else {
            found.push(path);
        }
    }
}

/// The patterns of a `.gitignore` as far as this project uses them: a name, a name at the root
/// (`/name`), a folder (`name/`), an ending (`*.ending`).
struct Ignored<'a>(Vec<&'a str>);

impl<'a> Ignored<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect())
    }

    fn has(&self, path: &str, name: &str, is_folder: bool) -> bool {
        let matches = |pattern: &str| {
            let (pattern, folders_only) = match pattern.strip_suffix('/') {
                Some(rest) => (rest, true),
                None => (pattern, false),
            };
            let same = match (pattern.strip_prefix('/'), pattern.strip_prefix('*')) {
                (Some(at_root), _) => at_root == path,
                (None, Some(ending)) => name.ends_with(ending),
                (None, None) => name == pattern,
            };
            same && (is_folder || !folders_only)
        };
        name == ".git" || self.0.iter().any(|pattern| matches(pattern))
    }
}

/// A file may be listed as an exception to a rule, with the figure that it may reach; the list
/// only shrinks: a figure that is no longer reached is itself a fault.
pub(crate) fn except(faults: Vec<(Fault, usize)>, list: &[(&str, usize)]) -> Vec<Fault> {
    let name = |fault: &Fault| fault.path.clone();
    let excused = |fault: &Fault, found: usize| {
        list.iter().any(|(path, figure)| *path == name(fault) && found == *figure)
    };
    let mut left: Vec<Fault> = Vec::new();
    for (path, figure) in list {
        if !faults.iter().any(|(fault, found)| fault.path == *path && found == figure) {
            let advice = format!(
                "is listed as an exception of {figure}, which it is not: lower or delete it"
            );
            left.push(Fault::new(path, 0, advice));
        }
    }
    left.extend(faults.into_iter().filter(|(f, found)| !excused(f, *found)).map(|(f, _)| f));
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_files_are_not_seen_and_others_are() {
        let ignored = Ignored::new("/target\nnode_modules/\n*.log\n# no\n");
        let cases = [
            ("target", "target", true, true),
            ("engine/target", "target", true, false),
            ("a/node_modules", "node_modules", true, true),
            ("node_modules", "node_modules", false, false),
            ("x/y.log", "y.log", false, true),
            ("x/y.rs", "y.rs", false, false),
            (".git", ".git", true, true),
        ];
        for (path, name, is_folder, expected) in cases {
            assert_eq!(ignored.has(path, name, is_folder), expected, "{path}");
        }
    }

    #[test]
    fn an_exception_holds_for_its_figure_only() {
        let fault = || vec![(Fault::new("a.rs", 0, "is too long"), 700)];
        assert!(except(fault(), &[("a.rs", 700)]).is_empty());
        assert!(finds(&except(fault(), &[("a.rs", 699)]), "too long"));
        assert!(finds(&except(fault(), &[]), "too long"));
        assert!(finds(&except(Vec::new(), &[("a.rs", 700)]), "delete it"));
    }
}
