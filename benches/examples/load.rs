//! Loads what the example `parquet` made into a new database and says what it took:
//! `load DIR DB [THREADS]`. Prints persons a second, the most memory and the bytes on disk beside
//! those of the Parquet files.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use yiku::segment::ColumnSizes;
use yiku::{Database, Schema, Snapshot};
use yiku_indexer::{LoadOptions, load_tables, read_tree};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
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
    columns(&snapshot, &files)?;
    println!("| bytes of segments | bytes of the same rows as Parquet | segments |");
    println!("| ---: | ---: | ---: |");
    println!("| {} | {parquet} | {} |", snapshot.size_bytes(), snapshot.segments().len());
    Ok(())
}

/// What each column takes here and in Parquet, the largest first.
fn columns(snapshot: &Snapshot, files: &[(String, PathBuf)]) -> Outcome<()> {
    let duckdb = duckdb::Connection::open_in_memory()?;
    let mut lines = Vec::new();
    for (place, (table, (_, path))) in snapshot.schema().tables.iter().zip(files).enumerate() {
        let mut parquet = BTreeMap::new();
        let sql = format!(
            "select split_part(path_in_schema, ', ', 1), sum(total_compressed_size)::bigint
             from parquet_metadata('{}') group by 1",
            path.display()
        );
        let mut statement = duckdb.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            parquet.insert(row.get::<_, String>(0)?, row.get::<_, i64>(1)?);
        }
        for (at, column) in table.columns.iter().enumerate() {
            let mut sum = ColumnSizes::default();
            for segment in snapshot.segments() {
                let own = segment.column(place, at)?.sizes();
                sum.values += own.values;
                sum.known += own.known;
                sum.index += own.index;
            }
            let there = parquet.remove(&column.name).unwrap_or(0);
            lines.push((format!("{}.{}", table.name, column.name), sum, there));
        }
        for (name, there) in parquet {
            lines.push((
                format!("{}.{name}, the place beneath", table.name),
                ColumnSizes::default(),
                there,
            ));
        }
    }
    let all = |sum: &ColumnSizes| sum.values + sum.known + sum.index;
    lines.sort_by_key(|(_, sum, _)| std::cmp::Reverse(all(sum)));
    println!("| column | bytes | values | which are known | index | in Parquet | times |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (name, sum, there) in lines {
        let ColumnSizes { values, known, index } = sum;
        let times = all(&sum) as f64 / there as f64;
        let all = all(&sum);
        println!("| {name} | {all} | {values} | {known} | {index} | {there} | {times:.2} |");
    }
    println!();
    Ok(())
}

fn size(path: &Path) -> std::io::Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}

/// The most memory that the process had at any time, in MiB.
fn peak() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let number = line.split_whitespace().next().unwrap_or("0");
    Ok(number.parse::<u64>()? / 1_024)
}
