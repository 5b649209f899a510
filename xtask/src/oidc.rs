//! The OIDC provider of the sign-in tests: npm fetches the packages of `tests/oidc/package-lock.json`, whose digests
//! that file holds; none of them is committed. Its own script is copied beside them, because that is where Node.js
//! looks for packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{project, tool};

/// What npm goes by.
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// Where the script is that starts the provider, after fetching what it needs where that is not there.
pub(crate) fn fetch() -> Result<PathBuf> {
    let folder = project::target("npm/oidc");
    fs::create_dir_all(&folder)?;
    copy(&project::root().join("tests/oidc"), &folder)?;
    let digest = digest(&folder)?;
    // Written last, so that what was cut off is fetched again.
    let stamp = project::target("npm/oidc.lock");
    if !fs::read_to_string(&stamp).is_ok_and(|old| old == digest) || !folder.join("node_modules").is_dir() {
        tool::output(
            Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder),
        )
        .context("npm could not fetch the OIDC provider")?;
        fs::write(stamp, digest)?;
    }
    Ok(folder.join("provider.mjs"))
}

/// The folder is flat.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let file = entry?.path();
        if let Some(name) = file.file_name().filter(|_| file.is_file()) {
            fs::copy(&file, to.join(name)).with_context(|| format!("{} cannot be copied", file.display()))?;
        }
    }
    Ok(())
}

fn digest(folder: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    for name in MANIFESTS {
        hasher.update(fs::read(folder.join(name)).with_context(|| format!("tests/oidc has no {name}"))?);
    }
    Ok(hex::encode(hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// npm checks what it is given a digest of.
    #[test]
    fn every_package_has_its_digest_and_none_an_address() {
        let file = project::root().join("tests/oidc/package-lock.json");
        let lock: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let packages = lock["packages"].as_object().unwrap().iter().filter(|(path, _)| !path.is_empty());
        let mut count = 0;
        for (path, package) in packages {
            assert!(package["integrity"].as_str().is_some_and(|digest| digest.starts_with("sha512-")), "{path}");
            assert!(package.get("resolved").is_none(), "{path}");
            count += 1;
        }
        assert!(count > 10, "{count} packages");
    }
}
