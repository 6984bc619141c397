//! Loads what the example `parquet` made into a new database and says what it took:
//! `load DIR DB [THREADS]`. Prints persons a second, the most memory and the bytes on disk beside
//! those of the Parquet files.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use yiku::{Database, Schema};
use yiku_indexer::{LoadOptions, load_tables, read_tree};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("give a folder of Parquet files")?);
    let db = PathBuf::from(words.next().ok_or("give a folder for the database")?);
    let threads = words.next().map_or(Ok(2), |word| word.parse())?;
    let schema = Schema::from_toml(&std::fs::read_to_string(folder.join("schema.toml"))?)?;
    let tree = read_tree(&folder.join("places.csv"), &schema.path)?;
    let file = |name: &str| (name.to_owned(), folder.join(format!("{name}.parquet")));
    let files = [file("household"), file("person")];
    let options = LoadOptions { db: &db, tree: Some(tree), as_of: Some(20_757), threads };
    let start = Instant::now();
    let mut step = (String::new(), start);
    let report = load_tables(Some(schema), &files, &options, &mut |progress| {
        if progress.step != step.0 {
            println!("{:>8.1} s  {}", start.elapsed().as_secs_f64(), progress.step);
            step = (progress.step.to_owned(), Instant::now());
        }
    })?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", report.to_text());
    let snapshot = Database::open(&db)?.snapshot()?;
    let (homes, persons) = (snapshot.rows(0), snapshot.rows(1));
    let rate = f64::from(u32::try_from(persons)?) / seconds;
    let parquet = size(&files[0].1)? + size(&files[1].1)?;
    println!("| persons | households | seconds | persons a second | most memory, MiB |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    println!("| {persons} | {homes} | {seconds:.1} | {rate:.0} | {} |\n", peak()?);
    println!("| bytes of segments | bytes of the same rows as Parquet | segments |");
    println!("| ---: | ---: | ---: |");
    println!("| {} | {parquet} | {} |", snapshot.size_bytes(), snapshot.segments().len());
    Ok(())
}

fn size(path: &Path) -> std::io::Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}

/// The most memory that the process had at any time, in MiB.
fn peak() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let number = line.split_whitespace().next().unwrap_or("0");
    Ok(number.parse::<u64>()? / 1_024)
}
