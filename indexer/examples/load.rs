//! Loads departments' files: `load DB TREE PATH…`.

use std::path::Path;

use yiku_indexer::{LoadOptions, load_departments, read_tree, registry_schema};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [db, tree, paths @ ..] = words.as_slice() else { return Err("load DB TREE PATH…".into()) };
    let tree = read_tree(Path::new(tree), &registry_schema()?.path)?;
    let options = LoadOptions { db: Path::new(db), tree: Some(tree), as_of: None, threads: 2 };
    let paths: Vec<_> = paths.iter().map(Into::into).collect();
    let report = load_departments(&paths, &options, &mut |progress| {
        eprintln!("{} {} {}/{}", progress.step, progress.detail, progress.done, progress.total);
    })?;
    println!("{report}");
    Ok(())
}
