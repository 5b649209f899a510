//! axe-core, the accessibility checker of the browser tests: fetched at a pinned version, never committed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha512};

use crate::{project, tool};

const VERSION: &str = "4.10.3";
/// Of the package as it was published: a registry that serves something else is refused.
const SHA512: &str = concat!(
    "5e6edba515e70d25f6604d9815f064d859c5d1ea7ab661bbc4f87c88779ef0c2",
    "1cae0abbeb636471ef39e9d62d2582e4b88a1866f19f4ecfcf6d986275e4dc12",
);

/// Where `axe.min.js` is, after fetching it where it is not.
pub(crate) fn fetch() -> Result<PathBuf> {
    let folder = project::target("npm").join(format!("axe-core-{VERSION}"));
    let script = folder.join("package/axe.min.js");
    if script.is_file() {
        return Ok(script);
    }
    std::fs::create_dir_all(&folder)?;
    tool::output(Command::new("npm").args(["pack", "--silent", &format!("axe-core@{VERSION}")]).current_dir(&folder))
        .context("npm could not fetch axe-core")?;
    let package = folder.join(format!("axe-core-{VERSION}.tgz"));
    let bytes = std::fs::read(&package).with_context(|| format!("{} cannot be read", package.display()))?;
    check(&bytes, SHA512).with_context(|| format!("axe-core {VERSION} as npm delivered it"))?;
    tool::run(Command::new("tar").arg("-xzf").arg(&package).current_dir(&folder))?;
    if !script.is_file() {
        bail!("the package axe-core {VERSION} holds no axe.min.js");
    }
    Ok(script)
}

fn check(bytes: &[u8], expected: &str) -> Result<()> {
    let found = hex::encode(Sha512::digest(bytes));
    if found != expected {
        bail!("its SHA-512 is {found}, but {expected} was published");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_content_is_refused() {
        let published = hex::encode(Sha512::digest(b"content"));
        check(b"content", &published).unwrap();
        assert!(check(b"Content", &published).unwrap_err().to_string().contains("was published"));
    }
}
