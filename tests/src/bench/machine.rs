//! What the figures were taken on, and what a process has used. Linux only: it is read from `/proc`.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// The machine, the moment and the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// When it was measured, to the minute.
    pub date: String,
    /// The commit, with a mark where files were changed since.
    pub commit: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub processor: String,
    /// `release` or `debug`. Figures of the latter say nothing.
    pub profile: String,
}

impl Machine {
    /// This machine, now.
    #[must_use]
    pub fn here() -> Self {
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory_kib = field(&memory, "MemTotal:").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let date = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Self {
            date: date.get(..16).unwrap_or_default().replace('T', " "),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib.unwrap_or_default().div_ceil(1024 * 1024),
            processor: field(&processors, "model name")
                .map(|name| name.trim_start_matches([':', '\t', ' ']).to_owned())
                .unwrap_or_default(),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        }
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    // The page that is being written does not count.
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/docs/benchmarks.md"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}+") })
}

/// Seconds of processor time that a process and its descendants have used so far.
pub fn cpu(process: u32) -> Result<f64> {
    let mut parents: HashMap<u32, (u32, f64)> = HashMap::new();
    for entry in std::fs::read_dir("/proc").context("only Linux tells what a process used")? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end while its neighbours are read.
        if let Ok(text) = std::fs::read_to_string(entry.path().join("stat"))
            && let Some(stat) = stat(&text)
        {
            parents.insert(id, stat);
        }
    }
    let belongs = |mut id: u32| {
        while id != process {
            match parents.get(&id) {
                Some((parent, _)) if *parent != 0 => id = *parent,
                _ => return false,
            }
        }
        true
    };
    Ok(parents.iter().filter(|(id, _)| belongs(**id)).map(|(_, (_, used))| used).sum())
}

/// The process that started another.
pub fn parent(process: u32) -> Result<u32> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).context("the process is of another machine")?;
    stat(&text).map(|(parent, _)| parent).context("Linux told it in another form")
}

/// The parent and the seconds used, those of children that have ended among them.
fn stat(text: &str) -> Option<(u32, f64)> {
    // The name before it may have anything in it but for this.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let ticks: u64 = (11..15).filter_map(number).sum();
    Some((u32::try_from(number(1)?).ok()?, ticks as f64 / TICKS))
}

/// Linux counts in hundredths of a second, whatever the hardware does.
const TICKS: f64 = 100.0;

/// Bytes that a process holds, and held at most.
pub fn memory(process: u32) -> Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("the process has ended")?;
    let of = |name: &str| {
        field(&status, name).and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok()).map(|kib| kib * 1024)
    };
    Ok((of("VmRSS:").context("no VmRSS")?, of("VmHWM:").context("no VmHWM")?))
}

/// Bytes of a file, and of a folder with all that is in it.
pub fn size(path: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(path).with_context(|| format!("{}", path.display()))?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    let mut total = 0;
    for entry in std::fs::read_dir(path)? {
        total += size(&entry?.path())?;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_uses() {
        let before = cpu(std::process::id()).unwrap();
        let mut sum = 0u64;
        for number in 0..30_000_000u64 {
            sum = std::hint::black_box(sum.wrapping_add(number));
        }
        assert!(cpu(std::process::id()).unwrap() > before);
        let (now, most) = memory(std::process::id()).unwrap();
        assert!(now > 0 && most >= now / 2);
        assert_eq!(stat("7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 100 50 25 25 20"), Some((1, 2.0)));
    }
}
