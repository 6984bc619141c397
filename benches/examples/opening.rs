//! What opening a database and the first map take: `opening DB [ROUNDS]`. Each round is a process
//! of its own, once with the files out of memory and once with them in it; the system is asked to
//! forget them, which it does for root alone. Prints the tables of docs/performance.md, with the
//! memory that a process has after it answered a page of questions.
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use yiku::Database;
use yiku_benches as _;
use yiku_queries::{Limits, Plan, Query};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The first map of the leaders' page, and what they look at then.
const MAP: &str = "from person by region.county \
    measure n = count(where marks has any (living_alone)), \
    rate = per(1000, count(where marks has any (living_alone)), count())";
const PAGE: [&str; 6] = [
    "from person by region.city measure n = count(where aids has any (dibao_rural, dibao_urban))",
    "from person by band(age(birth_date), 0, 18, 35, 60, 80), sex, disability_grade",
    "from household by region.county measure middle = median(per_capita(income))",
    "from household where any(person where marks has any (severe_illness)) by region.city, urban \
     measure homes = count(), total = sum(sum(person.medical_paid))",
    "from person where marks has any (chronic_illness) by region.village",
    "from person measure parts = histogram(monthly_income, 0, 9000, 20)",
];

/// Milliseconds of opening, of the first map, and of the map again; MiB of the process's own.
type Figures = [f64; 4];

fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let first = words.next().ok_or("give the folder of a database")?;
    if first == "open" {
        let folder = words.next().ok_or("give the folder of a database")?;
        return open(Path::new(&folder));
    }
    let folder = PathBuf::from(first);
    let rounds: usize = words.next().map_or(Ok(5), |word| word.parse())?;
    println!(
        "| files | opening, ms | the first map, ms | both, ms | the map again, ms \
         | own memory after a page, MiB |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (name, cold) in [("on the disk", true), ("in memory", false)] {
        let mut all = Vec::new();
        for _ in 0..rounds {
            if cold && forget().is_err() {
                println!("| {name}: only root may make the system forget them | | | | | |");
                break;
            }
            all.push(child(&folder)?);
        }
        all.sort_by(|left, right| (left[0] + left[1]).total_cmp(&(right[0] + right[1])));
        if let Some([open, map, again, own]) = all.get(all.len() / 2) {
            println!(
                "| {name} | {open:.1} | {map:.1} | {:.1} | {again:.1} | {own:.0} |",
                open + map
            );
        }
    }
    Ok(())
}

/// Puts the pages of all files out of memory.
fn forget() -> std::io::Result<()> {
    Command::new("sync").status()?;
    std::fs::write("/proc/sys/vm/drop_caches", "1")
}

/// What a process that is started anew measures.
fn child(folder: &Path) -> Outcome<Figures> {
    let out = Command::new(std::env::current_exe()?).arg("open").arg(folder).output()?;
    let text = String::from_utf8(out.stdout)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    numbers.try_into().map_err(|_| String::from_utf8_lossy(&out.stderr).into_owned().into())
}

/// Opens, asks, and says what it took.
fn open(folder: &Path) -> Outcome<()> {
    let limits = Limits { threads: 2, ..Limits::default() };
    let start = Instant::now();
    let snapshot = Database::open(folder)?.snapshot()?;
    let opened = start.elapsed();
    let ask = |text: &str| -> Outcome<f64> {
        let start = Instant::now();
        let answer = Plan::new(&Query::parse(text)?, &snapshot)?.run(&snapshot, &limits)?;
        drop(std::hint::black_box(answer));
        Ok(start.elapsed().as_secs_f64() * 1_000.0)
    };
    let (map, again) = (ask(MAP)?, ask(MAP)?);
    for text in PAGE {
        ask(text)?;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or("0");
    let own = line.split_whitespace().next().unwrap_or("0").parse::<f64>()? / 1_024.0;
    println!("{} {map} {again} {own}", opened.as_secs_f64() * 1_000.0);
    Ok(())
}
