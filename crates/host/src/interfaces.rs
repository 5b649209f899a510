//! Which functions a portal and a plugin offer each other, and whether they fit.
//!
//! The engine links within one semver line and compares the type of every function. Both are known before anything is
//! linked: a portal's side is its `wit/interfaces.json`, a plugin's is its component's own type.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::inspect::Inspection;
use crate::needs;

mod component;

/// The interfaces of a portal of some version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interfaces {
    /// The version of the package `callboard:host`.
    pub host: Version,
    /// The version of the package `callboard:plugin`.
    pub plugin: Version,
    /// The version of the UI tree.
    pub ui: Version,
    /// What plugins may import: interfaces such as `callboard:host/kv`, without their version.
    pub imports: BTreeMap<String, Functions>,
    /// What plugins may export.
    pub exports: BTreeMap<String, Functions>,
}

/// The file itself.
pub(crate) const OF_THIS_PORTAL: &str = include_str!("../../../wit/interfaces.json");

/// The functions of an interface by their names, with their types written out.
pub type Functions = BTreeMap<String, String>;

/// What is not a portal's `wit/interfaces.json`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not the wit/interfaces.json of a portal: {0}")]
pub struct InterfacesError(String);

impl Interfaces {
    /// Those of this portal.
    ///
    /// # Errors
    /// None in a build whose tests passed: the file is part of the program.
    pub fn of_this_portal() -> Result<&'static Interfaces, InterfacesError> {
        static OWN: LazyLock<Result<Interfaces, InterfacesError>> = LazyLock::new(|| Interfaces::read(OF_THIS_PORTAL));
        OWN.as_ref().map_err(Clone::clone)
    }

    /// Reads the `wit/interfaces.json` of a portal.
    ///
    /// # Errors
    /// The text is something else.
    pub fn read(json: &str) -> Result<Interfaces, InterfacesError> {
        serde_json::from_str(json).map_err(|error| InterfacesError(error.to_string()))
    }

    /// Those of a component that imports and exports everything, which is how the file is made.
    ///
    /// # Errors
    /// The component is not valid.
    pub fn of_component(wasm: &[u8]) -> Result<Interfaces, InterfacesError> {
        let sides = component::sides(wasm).map_err(InterfacesError)?;
        let version = |side: &[component::Interface]| {
            side.iter().find_map(|interface| interface.version.clone()).unwrap_or(Version::new(0, 0, 0))
        };
        Ok(Interfaces {
            host: version(&sides.imports),
            plugin: version(&sides.exports),
            ui: callboard_model::ui::VERSION,
            imports: sides.imports.into_iter().map(|interface| (interface.name, interface.functions)).collect(),
            exports: sides.exports.into_iter().map(|interface| (interface.name, interface.functions)).collect(),
        })
    }

    /// Whether a portal with these interfaces would load a component, as far as versions go; rights are another matter.
    /// Nothing of it runs.
    ///
    /// # Errors
    /// Why not, with both versions and which side to upgrade.
    pub fn would_load(&self, inspection: &Inspection, wasm: &[u8]) -> Result<(), String> {
        needs::check(&inspection.manifest.needs, self)?;
        self.fit(wasm)
    }

    /// Compares the component's own type with these.
    pub(crate) fn fit(&self, wasm: &[u8]) -> Result<(), String> {
        let sides = component::sides(wasm)?;
        sides.imports.iter().try_for_each(|used| self.fit_import(used))?;
        sides.exports.iter().try_for_each(|offered| self.fit_export(offered))
    }

    /// Every function that it uses must be there, with the same type. What it does not use may be anything.
    fn fit_import(&self, used: &component::Interface) -> Result<(), String> {
        let package = "callboard:host";
        let (version, functions) = line(used, package, &self.host, &self.imports, "imports", "offers")?;
        for (name, wanted) in &used.functions {
            match functions.get(name) {
                Some(there) if there == wanted => {}
                Some(_) => return Err(unlike(used, version, name, package, &self.host)),
                None => {
                    return Err(format!(
                        "it uses `{name}` of {}@{version}, which the portal's {} of {package} does not have: {}",
                        used.name,
                        self.host,
                        upgrade(&self.host, version)
                    ));
                }
            }
        }
        Ok(())
    }

    /// Every function that the portal calls must be there. More may be.
    fn fit_export(&self, offered: &component::Interface) -> Result<(), String> {
        let package = "callboard:plugin";
        let (version, functions) = line(offered, package, &self.plugin, &self.exports, "exports", "calls")?;
        for (name, wanted) in functions {
            match offered.functions.get(name) {
                Some(there) if there == wanted => {}
                Some(_) => return Err(unlike(offered, version, name, package, &self.plugin)),
                None => {
                    return Err(format!(
                        "it exports {}@{version} without `{name}`, which the portal's {} of {package} calls: {}",
                        offered.name,
                        self.plugin,
                        upgrade(&self.plugin, version)
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The portal's side of an interface, if it is of the same line.
fn line<'a>(
    interface: &'a component::Interface,
    package: &str,
    version: &Version,
    known: &'a BTreeMap<String, Functions>,
    does: &str,
    portal_does: &str,
) -> Result<(&'a Version, &'a Functions), String> {
    let component::Interface { name, version: found, .. } = interface;
    let Some(found) = found else {
        return Err(format!("it {does} {name} without a version; build it with the SDK"));
    };
    let Some(functions) = known.get(name).filter(|_| needs::same_line(version, found)) else {
        let side = if needs::same_line(version, found) { "upgrade the portal" } else { needs::upgrade(version, found) };
        return Err(format!("it {does} {name}@{found}, but the portal {portal_does} {version} of {package}: {side}"));
    };
    Ok((found, functions))
}

fn unlike(
    interface: &component::Interface,
    version: &Version,
    function: &str,
    package: &str,
    offered: &Version,
) -> String {
    format!(
        "its `{function}` of {}@{version} has other types than that of the portal's {offered} of {package}: {}",
        interface.name,
        upgrade(offered, version)
    )
}

fn upgrade(offered: &Version, found: &Version) -> &'static str {
    if found > offered { "upgrade the portal" } else { "upgrade the plugin, or build it with the SDK of that portal" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::{HOST_VERSION, PLUGIN_VERSION};

    #[test]
    fn the_file_is_of_this_version() {
        let own = Interfaces::of_this_portal().expect("wit/interfaces.json");
        assert_eq!((&own.host, &own.plugin), (&HOST_VERSION, &PLUGIN_VERSION));
        assert_eq!(own.ui, callboard_model::ui::VERSION);
        assert!(Interfaces::read("{}").is_err());
    }
}
