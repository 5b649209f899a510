//! Tells what is being done, why, and how long it took.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps of one command.
pub(crate) struct Progress {
    begun: Instant,
    steps: Vec<(String, Duration)>,
}

impl Progress {
    /// The clock starts here.
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), steps: Vec::new() }
    }

    /// Does one step. `why` says what it is for and, where it can be long, how long.
    pub(crate) fn step<T>(&mut self, what: &str, why: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("==> {what}: {why}");
        let begun = Instant::now();
        let result = step();
        let took = begun.elapsed();
        self.steps.push((what.to_owned(), took));
        if result.is_ok() {
            println!("    done in {}", seconds(took));
        }
        result
    }

    /// The time since the command began.
    pub(crate) fn elapsed(&self) -> String {
        seconds(self.begun.elapsed())
    }

    /// The steps and their times, as a table.
    pub(crate) fn table(&self) -> String {
        let width = self.steps.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
        let mut lines: Vec<String> =
            self.steps.iter().map(|(what, took)| format!("  {what:width$}  {:>9}", seconds(*took))).collect();
        lines.push(format!("  {:width$}  {:>9}", "in all", self.elapsed()));
        lines.join("\n")
    }
}

/// `0.4 s`, `12 s`, `3 min 20 s`.
fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    match whole {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..120 => format!("{whole} s"),
        _ => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        for (millis, text) in [(40, "0.0 s"), (9_400, "9.4 s"), (59_900, "59 s"), (200_000, "3 min 20 s")] {
            assert_eq!(seconds(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn the_table_has_every_step_even_one_that_failed() {
        let mut progress = Progress::new();
        progress.step("first", "it works", || Ok(())).unwrap();
        progress.step::<()>("second", "it does not", || anyhow::bail!("no")).unwrap_err();
        let table = progress.table();
        assert!(table.contains("first") && table.contains("second") && table.contains("in all"), "{table}");
    }
}
