//! Makes the whole province as Parquet: `parquet DIR PERSONS [SEED]`. Writes `household.parquet`,
//! `person.parquet`, `schema.toml` and `places.csv`, and prints how `yiku load` takes them.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::path::PathBuf;
use std::time::Instant;

use duckdb::{Config, Connection};
use yiku_benches::whole;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("give a folder")?);
    let persons: u64 = words.next().ok_or("give a number of persons")?.parse()?;
    let seed: u64 = words.next().map_or(Ok(7), |word| word.parse())?;
    std::fs::create_dir_all(&folder)?;
    let all = whole::households(persons);
    let config = Config::default().threads(2)?.max_memory("3GB")?;
    let config = config.with("temp_directory", folder.join("spill").to_string_lossy())?;
    let duckdb = Connection::open_in_memory_with_flags(config)?;
    let household = whole::household_sql(seed, all, 0..all);
    let person = whole::person_sql(seed, all, 0..all);
    for (table, sql) in [("household", household), ("person", person)] {
        let start = Instant::now();
        let path = folder.join(format!("{table}.parquet"));
        let shown = path.display();
        duckdb.execute_batch(&format!(
            "copy ({sql}) to '{shown}' (format parquet, compression zstd, compression_level 3)"
        ))?;
        let count = format!("select count(*)::bigint from read_parquet('{shown}')");
        let rows: i64 = duckdb.query_row(&count, [], |row| row.get(0))?;
        let bytes = std::fs::metadata(&path)?.len();
        println!("{table}: {rows} rows, {bytes} bytes, {:.1} s", start.elapsed().as_secs_f64());
    }
    std::fs::write(folder.join("schema.toml"), whole::SCHEMA)?;
    std::fs::write(folder.join("places.csv"), whole::places_csv())?;
    let at = folder.display();
    println!(
        "yiku load --schema {at}/schema.toml --tree {at}/places.csv --db DB --as-of 2026-10-31 \\\n\
         \x20   --table household={at}/household.parquet --table person={at}/person.parquet"
    );
    Ok(())
}
