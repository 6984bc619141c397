//! Another engine, in a process of its own that is spoken to over pipes, a line of JSON each way.
//! Time is what that process measures around the answer, until it has it in memory.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};

use crate::cells::{Row, of_json};
use crate::questions::{Question, Words};
use crate::{Engine, Outcome};

/// A running engine.
pub(crate) struct Rival {
    name: String,
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
    /// What it said when it was ready: `version`, `licence`, `layout`, `load_s`, `index_s`,
    /// `disk_bytes`.
    pub(crate) ready: Json,
}

impl Rival {
    /// Starts it and waits until it has loaded its tables.
    pub(crate) fn start(
        name: &str,
        python: &Path,
        files: &Path,
        store: &Path,
        threads: usize,
        words: &Words,
    ) -> Outcome<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("compare/rivals.py");
        let store = store.join(name);
        std::fs::create_dir_all(&store)?;
        let mut child = Command::new(python)
            .arg(program)
            .args([name, &threads.to_string()])
            .args([files, &store])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let asks = child.stdin.take().ok_or("a process without input")?;
        let says = BufReader::new(child.stdout.take().ok_or("a process without output")?);
        let mut rival = Self { name: name.to_owned(), child, asks, says, ready: Json::Null };
        let words: serde_json::Map<_, _> =
            words.0.iter().map(|(word, value)| ((*word).to_owned(), json!(value))).collect();
        rival.ready = rival.ask(&json!({ "words": words }))?;
        Ok(rival)
    }

    fn ask(&mut self, what: &Json) -> Outcome<Json> {
        writeln!(self.asks, "{what}")?;
        self.asks.flush()?;
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        let said: Json = serde_json::from_str(&line)
            .map_err(|_| format!("{} said `{}`", self.name, line.trim()))?;
        match said.get("error").and_then(Json::as_str) {
            Some(error) => Err(error.into()),
            None => Ok(said),
        }
    }
}

fn milliseconds(said: &Json) -> Outcome<f64> {
    Ok(said.get("ms").and_then(Json::as_f64).ok_or("an answer without a time")?)
}

impl Engine for Rival {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&mut self, question: &Question) -> Outcome<(f64, Vec<Row>)> {
        let said = self.ask(&json!({ "check": question.name() }))?;
        let rows = of_json(said.get("rows").ok_or("an answer without rows")?)?;
        Ok((milliseconds(&said)?, rows))
    }

    fn time(&mut self, question: &Question) -> Outcome<f64> {
        milliseconds(&self.ask(&json!({ "time": question.name() }))?)
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // It ends where its input ends; whoever does not is ended.
        let _ = writeln!(self.asks, "{}", json!({ "end": true }));
        let _ = self.asks.flush();
        let _ = self.child.wait();
    }
}
