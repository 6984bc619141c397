//! How far long work has come: a bar when a person watches, otherwise a line a step.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::out;

/// A step of which the whole is known.
const MEASURED: &str = "{prefix:24} {bar:30} {pos}/{len} {msg}";
/// A step of which it is not.
const UNMEASURED: &str = "{prefix:24} {spinner} {elapsed} {msg}";
/// How often a bar shows that the work goes on.
const TICK: Duration = Duration::from_millis(200);

/// Shows the steps of one piece of work on standard error.
pub(super) struct Steps {
    bar: Option<ProgressBar>,
    step: String,
}

impl Steps {
    /// Nothing shown yet.
    pub(super) fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, step: String::new() }
    }

    /// So much of a step is done; `total` 0 is not known.
    pub(super) fn show(&mut self, step: &str, detail: &str, done: u64, total: u64) {
        let new = step != self.step;
        if new {
            step.clone_into(&mut self.step);
        }
        match &self.bar {
            Some(bar) => {
                if new {
                    let form = if total == 0 { UNMEASURED } else { MEASURED };
                    let style = ProgressStyle::with_template(form);
                    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                }
                bar.set_prefix(step.to_owned());
                bar.set_length(total.max(done));
                bar.set_position(done);
                bar.set_message(detail.to_owned());
            }
            None if new => line(step),
            None => {}
        }
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line for a person on standard error. One that nobody reads is no reason to stop.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{}", out::plain(text));
}
