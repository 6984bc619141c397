//! What was measured, as tables in Markdown and as lines of JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::bound::Bounds;
use crate::own::Own;
use crate::questions::Question;
use crate::rival::Rival;
use crate::{Engine, Outcome};

/// The engine that the others are compared with.
const OWN: &str = "yiku";

/// The times of one question, in milliseconds, of each engine.
pub(crate) struct Measured {
    times: Vec<Times>,
    rows: usize,
}

struct Times {
    engine: String,
    first: f64,
    /// The first answers of its turns, behind those of others.
    behind: Vec<f64>,
    /// The last answers of its turns.
    again: Vec<f64>,
}

fn median(times: &[f64]) -> Option<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

impl Times {
    /// The median of the last answers of its turns.
    fn median(&self) -> f64 {
        median(&self.again).unwrap_or(self.first)
    }

    /// The median of the first answers of its turns.
    fn behind(&self) -> f64 {
        median(&self.behind).unwrap_or(self.first)
    }

    fn least(&self) -> f64 {
        self.again.iter().copied().fold(self.first, f64::min)
    }
}

impl Measured {
    pub(crate) fn new(engines: impl Iterator<Item = String>) -> Self {
        let times = engines.map(|engine| Times {
            engine,
            first: 0.0,
            behind: Vec::new(),
            again: Vec::new(),
        });
        Self { times: times.collect(), rows: 0 }
    }

    pub(crate) fn first(&mut self, at: usize, time: f64, rows: usize) {
        self.rows = rows;
        if let Some(times) = self.times.get_mut(at) {
            times.first = time;
        }
    }

    /// Takes in the answers of one turn.
    pub(crate) fn turn(&mut self, at: usize, answers: &[f64]) {
        if let (Some(times), Some(first), Some(last)) =
            (self.times.get_mut(at), answers.first(), answers.last())
        {
            times.behind.push(*first);
            times.again.push(*last);
        }
    }

    /// The slowest first answer.
    pub(crate) fn slowest(&self) -> f64 {
        self.times.iter().map(|times| times.first).fold(0.0, f64::max)
    }

    fn own(&self, figure: fn(&Times) -> f64) -> Option<f64> {
        self.times.iter().find(|times| times.engine == OWN).map(figure)
    }

    /// The fastest of the others.
    fn best(&self, figure: fn(&Times) -> f64) -> Option<(&str, f64)> {
        let others = self.times.iter().filter(|times| times.engine != OWN);
        let others = others.map(|times| (times.engine.as_str(), figure(times)));
        others.min_by(|left, right| left.1.total_cmp(&right.1))
    }

    /// How many times as long the best of the others takes.
    fn ratio(&self, figure: fn(&Times) -> f64) -> Option<f64> {
        Some(self.best(figure)?.1 / self.own(figure)?)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for times in &self.times {
            write!(
                f,
                "{} {} ms (first {}); ",
                times.engine,
                shown(times.median()),
                shown(times.first)
            )?;
        }
        write!(f, "{} rows", self.rows)
    }
}

struct Line {
    family: String,
    variant: String,
    bound: f64,
    measured: Measured,
}

/// All that a run found out.
#[derive(Default)]
pub(crate) struct Report {
    head: Vec<String>,
    loads: Vec<String>,
    lines: Vec<Line>,
}

/// The geometric mean.
fn mean(ratios: &[f64]) -> Option<f64> {
    let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (logs / ratios.len() as f64).exp())
}

fn shown(time: f64) -> String {
    let digits = if time < 10.0 { 3 } else { usize::from(time < 1_000.0) };
    format!("{time:.digits$}")
}

/// The first line of a file of /proc that begins with a word, behind the colon.
fn told(file: &str, word: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(word)).unwrap_or_default();
    line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

impl Report {
    /// Says what it runs on.
    pub(crate) fn machine(&mut self, own: &Own, threads: usize) -> Outcome<()> {
        let snapshot = &own.snapshot;
        let tables = snapshot.schema().tables.iter().enumerate();
        let rows = tables.map(|(at, table)| format!("{} {}", snapshot.rows(at), table.name));
        let rows = rows.collect::<Vec<_>>().join(", ");
        let cores = std::thread::available_parallelism()?;
        self.head.push(format!("- Rows: {rows}; {threads} threads for each engine."));
        self.head.push(format!(
            "- Machine: {cores} cores of {}, {} of memory; load average before {}.",
            told("/proc/cpuinfo", "model name"),
            told("/proc/meminfo", "MemTotal"),
            load()
        ));
        let loaded = own.loaded.as_deref().unwrap_or("earlier");
        let opened = own.opened.as_secs_f64() * 1_000.0;
        let bytes = snapshot.size_bytes();
        self.loads.push(format!(
            "| {OWN} | {} | Apache-2.0 | {loaded} | 0 | {bytes} | \
             segments of files mapped into memory; opened in {} ms |",
            env!("CARGO_PKG_VERSION"),
            shown(opened)
        ));
        Ok(())
    }

    /// Says what a rival took to load.
    pub(crate) fn loaded(&mut self, rival: &Rival) {
        let word = |name: &str| match rival.ready.get(name) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) => number.to_string(),
            _ => "-".to_owned(),
        };
        let words = ["version", "licence", "load_s", "index_s", "disk_bytes", "layout"].map(word);
        self.loads.push(format!("| {} | {} |", rival.name(), words.join(" | ")));
    }

    /// Says what making the files took that the others load.
    pub(crate) fn flat(&mut self, store: &Path) {
        if let Ok(seconds) = std::fs::read_to_string(store.join("flat/seconds")) {
            let line = format!("- The files that the others load took {seconds} s to make.");
            self.head.push(line);
        }
    }

    /// Says how fast the memory is.
    pub(crate) fn bandwidth(&mut self, bounds: &Bounds) {
        let gigabytes = bounds.bandwidth / 1e9;
        self.head.push(format!("- Memory: {gigabytes:.1} GB/s read by that many threads at once."));
    }

    pub(crate) fn add(&mut self, question: &Question, bound: f64, measured: Measured) {
        let (family, variant) = (question.family.clone(), question.variant.clone());
        self.lines.push(Line { family, variant, bound, measured });
    }

    /// Prints the tables.
    pub(crate) fn print(&self, engines: &[Box<dyn Engine>], before: Option<&Path>) -> Outcome<()> {
        let before = before.map_or(Ok(BTreeMap::new()), earlier)?;
        for line in &self.head {
            println!("{line}");
        }
        println!("- Load average after: {}.\n", load());
        println!("| engine | version | licence | load, s | indexes, s | bytes on disk | layout |");
        println!("| --- | --- | --- | ---: | ---: | ---: | --- |");
        for line in &self.loads {
            println!("{line}");
        }
        let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();
        let earlier =
            if before.is_empty() { "" } else { " before, ms | times as fast as before |" };
        println!(
            "\n| family | variant | {}, ms | best of the others | times as fast | bound, ms | \
             times the bound |{earlier}",
            names.join(", ms | ")
        );
        let dashes = " ---: |".repeat(names.len());
        let more = if before.is_empty() { "" } else { " ---: | ---: |" };
        println!("| --- | --- |{dashes} --- | ---: | ---: | ---: |{more}");
        for line in &self.lines {
            println!("{}", line.row(&before));
        }
        println!("\nThe first time each was asked in its process:\n");
        println!("| family | variant | {}, ms |", names.join(", ms | "));
        println!("| --- | --- |{dashes}");
        for line in &self.lines {
            let times = line.measured.times.iter().map(|times| shown(times.first));
            let times = times.collect::<Vec<_>>().join(" | ");
            println!("| {} | {} | {times} |", line.family, line.variant);
        }
        self.means();
        let empty = self.lines.iter().filter(|line| line.measured.rows == 0);
        for line in empty {
            println!("\nNobody is found at this size: {}, {}.", line.family, line.variant);
        }
        Ok(())
    }

    /// The mean and the least of the ratios.
    fn means(&self) {
        let behind: Vec<f64> =
            self.lines.iter().filter_map(|line| line.measured.ratio(Times::behind)).collect();
        if let Some(mean) = mean(&behind) {
            let least = behind.iter().copied().fold(f64::INFINITY, f64::min);
            println!(
                "\nThe first answer of each turn, where others had the caches: {mean:.1} times as \
                 fast, the least {least:.2}."
            );
        }
        let ratio = |line: &Measured| line.ratio(Times::median);
        let ratios = self.lines.iter().filter_map(|line| Some((line, ratio(&line.measured)?)));
        let ratios: Vec<(&Line, f64)> = ratios.collect();
        if let Some((line, least)) = ratios.iter().min_by(|left, right| left.1.total_cmp(&right.1))
        {
            let all: Vec<f64> = ratios.iter().map(|(_, ratio)| *ratio).collect();
            println!("\nGeometric mean of the times as fast: {:.1}.", mean(&all).unwrap_or(*least));
            let five = all.iter().filter(|ratio| **ratio >= 5.0).count();
            println!("Five times as fast or more: {five} of {}.", all.len());
            println!("The least: {least:.2}, {}: {}.", line.family, line.variant);
        }
        let mut own: Vec<f64> =
            self.lines.iter().filter_map(|line| line.measured.own(Times::median)).collect();
        own.sort_by(f64::total_cmp);
        if let (Some(median), Some(most)) = (own.get(own.len() / 2), own.last()) {
            println!(
                "\nHere: median of the questions {} ms, slowest {} ms; memory of its own {}.",
                shown(*median),
                shown(*most),
                told("/proc/self/status", "RssAnon")
            );
        }
    }

    /// Prints what the questions take beside what they took of fewer rows.
    pub(crate) fn growth(&self, path: &Path) -> Outcome<()> {
        let smaller = earlier(path)?;
        println!("\n| family | variant | of fewer rows, ms | here, ms | times |");
        println!("| --- | --- | ---: | ---: | ---: |");
        let mut all = Vec::new();
        for line in &self.lines {
            let then = smaller.get(&(line.family.clone(), line.variant.clone()));
            let Some((then, now)) = then.zip(line.measured.own(Times::median)) else { continue };
            let (family, variant) = (&line.family, &line.variant);
            println!(
                "| {family} | {variant} | {} | {} | {:.1} |",
                shown(*then),
                shown(now),
                now / then
            );
            all.push(now / then);
        }
        if let Some(mean) = mean(&all) {
            let most = all.iter().copied().fold(0.0, f64::max);
            println!("\nGeometric mean {mean:.1}, the most {most:.1}.");
        }
        Ok(())
    }

    /// Writes a line of JSON for each question and engine.
    pub(crate) fn write(&self, path: &Path) -> Outcome<()> {
        let mut text = String::new();
        for line in &self.lines {
            for times in &line.measured.times {
                let line = json!({
                    "family": line.family, "variant": line.variant, "engine": times.engine,
                    "first_ms": times.first, "median_ms": times.median(), "least_ms": times.least(),
                    "behind_others_ms": times.behind(),
                    "rounds": times.again.len(), "bound_ms": line.bound, "rows": line.measured.rows,
                });
                text += &format!("{line}\n");
            }
        }
        Ok(std::fs::write(path, text)?)
    }

    /// Fails where a family is not so many times as fast as a file says.
    pub(crate) fn assert(&self, path: &Path) -> Outcome<()> {
        let least: BTreeMap<String, f64> = toml::from_str(&std::fs::read_to_string(path)?)?;
        let mut slow = Vec::new();
        for line in &self.lines {
            let wanted = *least.get(&line.family).or(least.get("any")).ok_or("no ratio for any")?;
            let Some(ratio) = line.measured.ratio(Times::median) else { continue };
            if ratio < wanted {
                let (family, variant) = (&line.family, &line.variant);
                slow.push(format!("{family}, {variant}: {ratio:.2} times as fast, not {wanted}"));
            }
        }
        if slow.is_empty() { Ok(()) } else { Err(slow.join("\n").into()) }
    }
}

impl Line {
    fn row(&self, before: &BTreeMap<(String, String), f64>) -> String {
        let times = self.measured.times.iter().map(|times| shown(times.median()));
        let times = times.collect::<Vec<_>>().join(" | ");
        let best = self.measured.best(Times::median).map_or("-", |(name, _)| name);
        let ratio = self.measured.ratio(Times::median);
        let ratio = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.1}"));
        let own = self.measured.own(Times::median);
        let over = own.map_or("-".to_owned(), |own| format!("{:.1}", own / self.bound));
        let mut row = format!(
            "| {} | {} | {times} | {best} | {ratio} | {} | {over} |",
            self.family,
            self.variant,
            format_args!("{:.4}", self.bound)
        );
        if !before.is_empty() {
            let then = before.get(&(self.family.clone(), self.variant.clone()));
            let faster = then.zip(own).map(|(then, own)| format!("{:.2}", then / own));
            let then = then.map_or("-".to_owned(), |then| shown(*then));
            row += &format!(" {then} | {} |", faster.unwrap_or_else(|| "-".to_owned()));
        }
        row
    }
}

/// The medians of this engine in an earlier run.
fn earlier(path: &Path) -> Outcome<BTreeMap<(String, String), f64>> {
    let mut found = BTreeMap::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let line: Json = serde_json::from_str(line)?;
        let text =
            |name: &str| line.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let time = line.get("median_ms").and_then(Json::as_f64);
        if let (true, Some(time)) = (text("engine") == OWN, time) {
            found.insert((text("family"), text("variant")), time);
        }
    }
    Ok(found)
}
