//! Whether plugin and portal fit together, and which of them to upgrade where they do not.

use callboard_model::manifest::Needs;
use semver::{Comparator, Op, Version, VersionReq};

use crate::interfaces::Interfaces;

/// Checks what a manifest says that its plugin needs against what a portal offers.
pub(crate) fn check(needs: &Needs, offered: &Interfaces) -> Result<(), String> {
    one("the package callboard:host", &needs.host, &offered.host)?;
    one("the package callboard:plugin", &needs.plugin, &offered.plugin)?;
    match &needs.ui {
        Some(needed) => one("the UI tree", needed, &offered.ui),
        None => Ok(()),
    }
}

fn one(what: &str, needed: &VersionReq, offered: &Version) -> Result<(), String> {
    if needed.matches(offered) {
        return Ok(());
    }
    let upgrade = if needed.comparators.iter().any(|comparator| asks_for_newer(comparator, offered)) {
        "upgrade the portal"
    } else {
        "upgrade the plugin, or build it with the SDK of this portal"
    };
    Err(format!("it needs {needed} of {what}, but this portal offers {offered}: {upgrade}"))
}

fn asks_for_newer(comparator: &Comparator, offered: &Version) -> bool {
    let least = (comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0));
    let is_lower_bound = !matches!(comparator.op, Op::Less | Op::LessEq);
    is_lower_bound && least > (offered.major, offered.minor, offered.patch)
}

/// Whether an interface of version `other` can be linked to `offered`: within one semver line, as the engine does it.
pub(crate) fn same_line(offered: &Version, other: &Version) -> bool {
    if offered.major != 0 || other.major != 0 {
        offered.major == other.major
    } else if offered.minor != 0 || other.minor != 0 {
        offered.minor == other.minor
    } else {
        offered.patch == other.patch
    }
}

/// Which side to upgrade for an import or export of another line.
pub(crate) fn upgrade(offered: &Version, wanted: &Version) -> &'static str {
    if wanted > offered { "upgrade the portal" } else { "upgrade the plugin" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(needed: &str, offered: &str, expected: Result<(), &str>) {
        let result = one("x", &needed.parse().unwrap(), &offered.parse().unwrap());
        match expected {
            Ok(()) => assert_eq!(result, Ok(())),
            Err(side) => {
                let message = result.expect_err(needed);
                assert!(message.ends_with(side), "{message}");
                assert!(message.contains(needed) && message.contains(offered), "{message}");
            }
        }
    }

    #[test]
    fn names_the_side_to_upgrade() {
        const PLUGIN: &str = "upgrade the plugin, or build it with the SDK of this portal";
        check("^0.1", "0.1.0", Ok(()));
        check("^0.1.0", "0.1.7", Ok(()));
        check("^0.2", "0.1.0", Err("upgrade the portal"));
        check("^0.1.5", "0.1.0", Err("upgrade the portal"));
        check("^0.1", "0.2.0", Err(PLUGIN));
        check("^1", "2.0.0", Err(PLUGIN));
        check(">=1.2, <2", "2.0.0", Err(PLUGIN));
    }

    #[test]
    fn lines() {
        let same = |a: &str, b: &str| same_line(&a.parse().unwrap(), &b.parse().unwrap());
        assert!(same("0.1.0", "0.1.9") && same("1.0.0", "1.9.0") && same("0.0.1", "0.0.1"));
        assert!(!same("0.1.0", "0.2.0") && !same("1.0.0", "2.0.0") && !same("0.1.0", "1.1.0"));
        assert!(!same("0.0.1", "0.0.2"));
    }
}
