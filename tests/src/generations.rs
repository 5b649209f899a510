//! Versions of one plugin, made of the guest `generations` by changing its bytes in place.

use anyhow::{Context, Result};

use crate::environment;

/// The id of the plugin.
pub const ID: &str = "generations";

/// Version `1.<tens>.<ones>` of a number from 1 to 99, which does what the word says: `works`, `traps`, `mute`, `moves`,
/// `stuck`, `ill`.
pub fn version(number: u8, what: &str) -> Result<Vec<u8>> {
    let mut component = std::fs::read(environment::guest("generations")?)?;
    replace(&mut component, "MARK: 1:works   ", &format!("MARK:{number:>2}:{what:<8}"))?;
    replace(&mut component, "version: 1.0.0", &format!("version: {}", name(number)))?;
    Ok(component)
}

/// The same, and it asks for requests to an origin as well.
pub fn asking(number: u8, what: &str, origin: &str) -> Result<Vec<u8>> {
    let mut component = version(number, what)?;
    let asks = format!("rights: {{ log: true, kv: true, http: [ \"GET {origin}\" ] }}");
    replace(&mut component, RIGHTS, &format!("{asks:<width$}", width = RIGHTS.len()))?;
    Ok(component)
}

/// The line of its manifest.
const RIGHTS: &str =
    "rights: { log: true, kv: true } # A version of it may ask for more: there is room for it in this line.";

/// What a number's version is called.
#[must_use]
pub fn name(number: u8) -> String {
    format!("1.{}.{}", number / 10, number % 10)
}

/// What it shows.
#[must_use]
pub fn shown(number: u8, kept: &str) -> String {
    format!("MARK:{number:>2}:works kept {kept}")
}

fn replace(component: &mut [u8], from: &str, to: &str) -> Result<()> {
    anyhow::ensure!(from.len() == to.len(), "{to} does not fit into the place of {from}");
    let places: Vec<usize> = component
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from.as_bytes())
        .map(|(start, _)| start)
        .collect();
    anyhow::ensure!(!places.is_empty(), "the guest has no {from:?} in it");
    for start in places {
        component.get_mut(start..start + to.len()).context("the guest ends too early")?.copy_from_slice(to.as_bytes());
    }
    Ok(())
}
