//! The figures: kept in `docs/benchmarks.jsonl`, a figure in each line, so that runs of parts add up wherever they are made, and
//! written to `docs/benchmarks.md`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::{Engine, Section};

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub section: Section,
    /// Where it depends on the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Entities in the catalog, where it depends on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Figures of the same name, engine and size replace each other.
    pub name: String,
    pub value: f64,
    pub unit: Unit,
    /// The slow end, where the value is a median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    Milliseconds,
    Seconds,
    PerSecond,
    Mebibytes,
    Bytes,
    Rows,
}

/// What a figure is to be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    AtMost(f64),
    /// At most so many times what it is compared with; for what is better when it is more, at least that part of it.
    Within(f64),
}

/// What a figure is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Against {
    /// What the leader has published, or what we measured of it.
    Leader(f64),
    /// The same work without us.
    Floor(f64),
}

impl Figure {
    #[must_use]
    pub fn new(section: Section, name: impl Into<String>, value: f64, unit: Unit) -> Self {
        let name = name.into();
        Self { section, engine: None, size: None, name, value, unit, p99: None, target: None, against: None }
    }

    #[must_use]
    pub fn on(mut self, engine: Engine, size: u64) -> Self {
        (self.engine, self.size) = (Some(engine), Some(size));
        self
    }

    #[must_use]
    pub fn p99(mut self, p99: f64) -> Self {
        self.p99 = Some(p99);
        self
    }

    #[must_use]
    pub fn at_most(mut self, most: f64) -> Self {
        self.target = Some(Target::AtMost(most));
        self
    }

    #[must_use]
    pub fn within(mut self, times: f64) -> Self {
        self.target = Some(Target::Within(times));
        self
    }

    #[must_use]
    pub fn leader(mut self, value: f64) -> Self {
        self.against = Some(Against::Leader(value));
        self
    }

    #[must_use]
    pub fn floor(mut self, value: f64) -> Self {
        self.against = Some(Against::Floor(value));
        self
    }

    /// How many times it costs what it is compared with; for what is better when it is more, the other way round.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (Against::Leader(other) | Against::Floor(other)) = self.against?;
        let ratio = if self.unit == Unit::PerSecond { other / self.value } else { self.value / other };
        ratio.is_finite().then_some(ratio)
    }

    /// Whether the target is met, where there is one.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        match self.target? {
            Target::AtMost(most) => Some(self.value <= most),
            Target::Within(times) => self.ratio().map(|ratio| ratio <= times),
        }
    }

    fn key(&self) -> (Section, u64, String, Option<Engine>) {
        (self.section, self.size.unwrap_or_default(), self.name.clone(), self.engine)
    }
}

/// Figures with the machine that each was taken on.
#[derive(Clone, Debug, Default)]
pub struct Report {
    figures: Vec<(Machine, Figure)>,
}

impl Report {
    /// What earlier runs left in the file; nothing where there is none yet.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let entry = |(index, line): (usize, &str)| {
            serde_json::from_str(line).with_context(|| {
                format!("{}:{} is no figure; remove the line, and measure it again", path.display(), index + 1)
            })
        };
        Ok(Self { figures: text.lines().enumerate().map(entry).collect::<Result<_>>()? })
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        let lines: Vec<String> = self.figures.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        std::fs::write(path, lines.join("\n") + "\n").with_context(|| path.display().to_string())
    }

    /// Adds figures. A figure keeps its place when it is taken again.
    pub fn add(&mut self, machine: &Machine, figures: impl IntoIterator<Item = Figure>) {
        for figure in figures {
            match self.figures.iter_mut().find(|(_, known)| known.key() == figure.key()) {
                Some(known) => *known = (machine.clone(), figure),
                None => self.figures.push((machine.clone(), figure)),
            }
        }
    }

    /// The page.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = HEAD.to_owned();
        let mut machines: Vec<&Machine> = Vec::new();
        for (machine, _) in &self.figures {
            if !machines.contains(&machine) {
                machines.push(machine);
            }
        }
        text.push_str("\n| Run | Date | Commit | Machine | Build |\n|---:|---|---|---|---|\n");
        for (index, machine) in machines.iter().enumerate() {
            let Machine { date, commit, cores, memory_gib, processor, profile } = machine;
            let _ = writeln!(
                text,
                "| {} | {date} | {commit} | {cores} cores, {memory_gib} GiB, {processor} | {profile} |",
                index + 1
            );
        }
        for section in Section::ALL {
            self.section(&mut text, section, &machines);
        }
        text
    }

    fn section(&self, text: &mut String, section: Section, machines: &[&Machine]) {
        let mut sizes: BTreeMap<u64, Vec<&(Machine, Figure)>> = BTreeMap::new();
        for entry in self.figures.iter().filter(|(_, figure)| figure.section == section) {
            sizes.entry(entry.1.size.unwrap_or_default()).or_default().push(entry);
        }
        if sizes.is_empty() {
            return;
        }
        let _ = write!(text, "\n## {}\n\n{}\n", section.title(), section.words());
        for (size, entries) in sizes {
            if size > 0 {
                let _ = write!(text, "\n### {} entities\n", thousands(size));
            }
            text.push_str("\n| | Engine | Measured | p99 | Target | Met | Compared with | Ratio | Run |\n");
            text.push_str("|---|---|---:|---:|---:|---|---:|---:|---:|\n");
            for (machine, figure) in entries {
                let run = machines.iter().position(|known| known == &machine).map_or(0, |index| index + 1);
                let _ = writeln!(text, "{} {run} |", row(figure));
            }
        }
    }
}

/// The figures of one run, for the terminal.
#[must_use]
pub fn table(figures: &[Figure]) -> String {
    let mut text = String::new();
    for figure in figures {
        let size = figure.size.map(thousands).unwrap_or_default();
        let engine = figure.engine.map(Engine::name).unwrap_or_default();
        let met = match figure.met() {
            None => "",
            Some(true) => "met",
            Some(false) => "MISSED",
        };
        let _ = writeln!(
            text,
            "{:<8} {size:>8} {engine:<10} {:<58} {:>12} {:>12} {:>14} {met}",
            figure.section.word(),
            figure.name,
            shown(figure.value, figure.unit),
            figure.p99.map(|p99| format!("p99 {}", number(p99))).unwrap_or_default(),
            figure.target.map(|target| wanted(target, figure)).unwrap_or_default(),
        );
    }
    text
}

fn row(figure: &Figure) -> String {
    let against = match figure.against {
        None => String::new(),
        Some(Against::Leader(value)) => format!("leader {}", shown(value, figure.unit)),
        Some(Against::Floor(value)) => format!("floor {}", shown(value, figure.unit)),
    };
    let met = match figure.met() {
        None => "",
        Some(true) => "yes",
        Some(false) => "**no**",
    };
    format!(
        "| {} | {} | {} | {} | {} | {met} | {against} | {} |",
        figure.name,
        figure.engine.map(Engine::name).unwrap_or_default(),
        shown(figure.value, figure.unit),
        figure.p99.map(number).unwrap_or_default(),
        figure.target.map(|target| wanted(target, figure)).unwrap_or_default(),
        figure.ratio().map(number).unwrap_or_default(),
    )
}

fn wanted(target: Target, figure: &Figure) -> String {
    match target {
        Target::AtMost(most) => format!("≤ {}", shown(most, figure.unit)),
        Target::Within(times) => format!("≤ {}×", number(times)),
    }
}

fn shown(value: f64, unit: Unit) -> String {
    let unit = match unit {
        Unit::Milliseconds => " ms",
        Unit::Seconds => " s",
        Unit::PerSecond => "/s",
        Unit::Mebibytes => " MiB",
        Unit::Bytes => " B",
        Unit::Rows => "",
    };
    format!("{}{unit}", number(value))
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => thousands(value.round() as u64),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        size if size >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    }
}

fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`; not by hand.
An absolute time means little on a shared machine: what counts is the ratio, to the same work without us (the floor) or to what the most used portal does (the leader).
The leader's figures for the queries are those that it publishes for 739,000 entities on PostgreSQL; its other figures were measured on a machine with 2 cores.
The data is generated in the shape of that published catalog (`tests/src/generator.rs`), with the same seed in every run.
Times are medians; a ratio above 1 means slower or larger than what it is compared with.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (value, text) in [
            (0.0, "0"),
            (0.0042, "0.0042"),
            (0.123_456, "0.123"),
            (4.567, "4.57"),
            (45.67, "45.7"),
            (456.7, "457"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn targets() {
        fn check(figure: Figure, met: Option<bool>, ratio: Option<f64>) {
            assert_eq!((figure.met(), figure.ratio()), (met, ratio), "{figure:?}");
        }
        let time = || Figure::new(Section::Battery, "x", 2.0, Unit::Milliseconds);
        check(time(), None, None);
        check(time().at_most(2.0), Some(true), None);
        check(time().at_most(1.0).leader(8.0), Some(false), Some(0.25));
        check(time().floor(1.0).within(3.0), Some(true), Some(2.0));
        let rate = || Figure::new(Section::Serving, "x", 100.0, Unit::PerSecond);
        check(rate().floor(200.0).within(3.0), Some(true), Some(2.0));
        check(rate().floor(400.0).within(3.0), Some(false), Some(4.0));
    }

    #[test]
    fn figures_replace_each_other() {
        let machine = Machine::here();
        let mut report = Report::default();
        let figure =
            |name: &str, value| Figure::new(Section::Ingest, name, value, Unit::Seconds).on(Engine::Sqlite, 1_000);
        report.add(&machine, [figure("a", 1.0), figure("b", 2.0)]);
        report.add(&machine, [figure("a", 3.0)]);
        assert_eq!(report.figures.iter().map(|(_, figure)| figure.value).collect::<Vec<_>>(), [3.0, 2.0]);
        let page = report.markdown();
        assert!(page.contains("### 1,000 entities") && page.contains("| a | SQLite | 3.00 s |"), "{page}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.jsonl");
        assert_eq!(Report::load(&path).unwrap().figures.len(), 0);
        report.save(&path).unwrap();
        assert_eq!(Report::load(&path).unwrap().markdown(), page);
        std::fs::write(&path, "{}\n").unwrap();
        assert!(Report::load(&path).unwrap_err().to_string().contains("figures.jsonl:1 is no figure"));
    }
}
