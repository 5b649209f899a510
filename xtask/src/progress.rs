//! Tells what is being done, why, how long it took, and how much of the disk was left then: what fails on a full disk
//! rarely says so.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::project;

/// The steps of one command.
pub(crate) struct Progress {
    begun: Instant,
    steps: Vec<Step>,
}

struct Step {
    what: String,
    took: Duration,
    /// What is free of the disk that the target folder is on, in bytes, where the system says.
    free: Option<u64>,
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
        self.steps.push(Step { what: what.to_owned(), took, free: free() });
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
        let width = self.steps.iter().map(|step| step.what.len()).max().unwrap_or(0);
        let line = |Step { what, took, free }: &Step| {
            let free =
                free.map(|bytes| format!("  {:>5} GB of the disk free", bytes / 1_000_000_000)).unwrap_or_default();
            format!("  {what:width$}  {:>12}{free}", seconds(*took))
        };
        let mut lines: Vec<String> = self.steps.iter().map(line).collect();
        lines.push(format!("  {:width$}  {:>12}", "in all", self.elapsed()));
        lines.join("\n")
    }
}

fn free() -> Option<u64> {
    let disk = rustix::fs::statvfs(project::root()).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
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
