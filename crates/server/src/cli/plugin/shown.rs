//! How plugins and questions look on a terminal.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use callboard_artifact::Source;

use super::add::Offer;
use crate::cli::Failure;

/// A manifest is a stranger's: no escape sequence of it reaches a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_bidi(*c)).collect()
}

/// What turns the direction of a text around, and with it what it seems to say.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a plugin is, where it is from, and what it asks for.
pub(super) fn describe_offer(offer: &Offer, out: &mut dyn Write) -> std::io::Result<()> {
    let manifest = &offer.inspection.manifest;
    writeln!(out, "{} {} (id `{}`)", plain(&manifest.name), manifest.version, manifest.id)?;
    if !manifest.description.is_empty() {
        writeln!(out, "{}", plain(&manifest.description))?;
    }
    writeln!(out, "\n{:<11} {}", "from", offer.source)?;
    writeln!(out, "{:<11} {}", "digest", offer.fetched.digest)?;
    match &offer.signed_by {
        Some(by) => writeln!(out, "{:<11} {by}", "signed by")?,
        None if offer.source.is_remote() => {
            writeln!(out, "{:<11} not checked: plugins.trust.require in app-config asks for none", "signed by")?;
        }
        None => {}
    }
    let asked = manifest.rights.each();
    if asked.is_empty() {
        return writeln!(out, "\nIt asks for nothing.");
    }
    writeln!(out, "\nIt asks for:")?;
    asked.iter().try_for_each(|right| writeln!(out, "  {}", plain(right)))
}

/// Asks, unless it was answered by an option. Whoever says nothing has said no.
pub(super) fn is_granted(
    by_option: bool,
    question: &str,
    input: &mut (dyn BufRead + Send),
    out: &mut (dyn Write + Send),
) -> Result<bool, Failure> {
    if by_option {
        return Ok(true);
    }
    write!(out, "\n{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    if input.read_line(&mut answer)? == 0 {
        writeln!(out)?;
        return Err(Failure::Plugin(
            "nobody is there to answer, so nothing was changed; --grant-requested says yes beforehand".to_owned(),
        ));
    }
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// How much has arrived, on a terminal.
pub(super) struct Bar {
    from: String,
    last: AtomicU64,
    shows: bool,
}

/// How much more must have arrived before it is said again.
const STEP: u64 = 256 * 1024;

impl Bar {
    pub(super) fn new(source: &Source) -> Bar {
        let bar = Bar { from: source.to_string(), last: AtomicU64::new(0), shows: std::io::stderr().is_terminal() };
        if bar.shows && source.is_remote() {
            bar.write(&format!("Fetching {}", bar.from));
        }
        bar
    }

    pub(super) fn show(&self, done: u64, whole: Option<u64>) {
        if !self.shows || done < self.last.load(Ordering::Relaxed) + STEP {
            return;
        }
        self.last.store(done, Ordering::Relaxed);
        let of = whole.map(|whole| format!(" of {}", whole / 1024)).unwrap_or_default();
        self.write(&format!("Fetching {}: {}{of} KiB", self.from, done / 1024));
    }

    /// Leaves the line as if nothing had been there.
    pub(super) fn finish(&self) {
        if self.shows {
            self.write("");
        }
    }

    /// Progress that cannot be shown is nothing to fail for.
    fn write(&self, text: &str) {
        let mut terminal = std::io::stderr();
        write!(terminal, "\r\x1b[2K{text}").and_then(|()| terminal.flush()).ok();
    }
}

/// Rows under headings, as wide as they need to be; the last column may be of any width.
pub(super) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mut lines = vec![headings.map(str::to_owned)];
    lines.extend(rows);
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    for line in lines {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
