//! Writes a school with two pupils and counts the pupils who walk.
#![expect(clippy::print_stdout, reason = "an example is short")]

use yiku::kernel::{Rows, Run};
use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Predicate, Schema};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let schema = Schema::from_toml(include_str!("first.toml"))?;
    let north = PathNode { code: 11, level: 0, name: "North".into() };
    let tree = PathTree::new(&schema.path, vec![north])?;
    let (folder, run) = (tempfile::tempdir()?, Run::new());
    let database = Database::create(folder.path(), schema, tree)?;
    let mut writer = database.writer()?;
    let mut batch = writer.batch();
    batch.row("school")?.set("id", "S1")?.set("district", "11")?;
    batch.row("pupil")?.set("id", "P1")?.set("walks", true)?;
    batch.row("pupil")?.set("id", "P2")?.set("walks", false)?;
    writer.write(&batch)?;
    let snapshot = writer.commit(CommitInfo::default())?;
    let walks = Rows::live(&run, &snapshot, 1)?.filter(&[(1, Predicate::In(vec![1]))])?;
    println!("{} of {} pupils walk", walks.count(), snapshot.rows(1));
    Ok(())
}
