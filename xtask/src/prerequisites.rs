//! What a machine must have. What is missing is installed where that can be done, and named with its command where
//! it cannot.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{postgres, project, tool};

/// Makes sure that the compiler knows these targets.
pub(crate) fn rust_targets(targets: &[&str]) -> Result<()> {
    let sysroot = tool::output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(project::root()))
        .context("rustc is needed; rustup.rs tells how to get it")?;
    let libraries = std::path::Path::new(sysroot.trim()).join("lib/rustlib");
    for target in targets {
        if libraries.join(target).join("lib").is_dir() {
            continue;
        }
        if tool::find(&["rustup"]).is_none() {
            bail!("the compiler has no target {target}, and there is no rustup to add it: install it by hand");
        }
        println!("    rustup target add {target}");
        tool::run(Command::new("rustup").args(["target", "add", target]).current_dir(project::root()))?;
    }
    Ok(())
}

/// A program that is not Rust's, and where Debian has it.
struct Program {
    names: &'static [&'static str],
    package: &'static str,
    why: &'static str,
}

impl Program {
    fn is_there(&self) -> bool {
        match self.package {
            POSTGRES => postgres::programs().is_some(),
            _ => tool::find(self.names).is_some(),
        }
    }
}

const BROWSER_PROGRAMS: &[Program] = &[
    Program {
        names: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        why: "the browser journeys",
    },
    Program { names: &["chromedriver"], package: "chromium-driver", why: "the browser journeys" },
    Program { names: &["npm"], package: "npm", why: "axe-core, which checks each page's accessibility" },
];

/// npm, which fetches it, is there for the browser tests.
const OIDC_PROGRAMS: &[Program] =
    &[Program { names: &["node"], package: "nodejs", why: "the OIDC provider of the sign-in tests" }];

/// The package, whose programs are not in `PATH`.
const POSTGRES: &str = "postgresql";

const POSTGRES_PROGRAMS: &[Program] = &[
    Program {
        names: &["PostgreSQL (initdb, postgres)"],
        package: POSTGRES,
        why: "everything that is kept in a database, which runs on it as well as on SQLite",
    },
    Program { names: &["openssl"], package: "openssl", why: "the certificate of that PostgreSQL" },
];

const REGISTRY_PROGRAMS: &[Program] = &[Program {
    names: &["docker-registry"],
    package: "docker-registry",
    why: "the OCI registry that plugins are fetched from and pushed to",
}];

/// Fonts for the browser, which comes with none where recommended packages are left out.
const FONTS: &str = "fonts-liberation";

/// Makes sure that the programs are there that only tests need.
pub(crate) fn test_programs() -> Result<()> {
    programs(BROWSER_PROGRAMS.iter().chain(OIDC_PROGRAMS).chain(POSTGRES_PROGRAMS).chain(REGISTRY_PROGRAMS))
}

/// Makes sure that the browser is there.
pub(crate) fn browser_programs() -> Result<()> {
    programs(BROWSER_PROGRAMS)
}

/// Makes sure that PostgreSQL is there.
pub(crate) fn postgres() -> Result<()> {
    programs(POSTGRES_PROGRAMS)
}

fn programs(programs: impl IntoIterator<Item = &'static Program>) -> Result<()> {
    let missing: Vec<&Program> = programs.into_iter().filter(|program| !program.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
    if packages.contains(&"chromium") {
        packages.push(FONTS);
    }
    if !may_install()? {
        bail!("{}", how_to_install(&missing, &packages));
    }
    println!("    apt-get install {}", packages.join(" "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    tool::run(apt().args(["update", "--quiet=2"]))?;
    tool::run(apt().args(["install", "--yes", "--quiet=2", "--no-install-recommends"]).args(&packages))
}

/// Whether this is root on a Debian.
fn may_install() -> Result<bool> {
    if tool::find(&["apt-get"]).is_none() {
        return Ok(false);
    }
    Ok(tool::output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn how_to_install(missing: &[&Program], packages: &[&str]) -> String {
    let needs: Vec<String> = missing
        .iter()
        .map(|program| format!("{} for {}", program.names.first().copied().unwrap_or(program.package), program.why))
        .collect();
    format!(
        "missing: {}.\nOn Debian: sudo apt-get install {}\nElsewhere: install these programs so that PATH has them, \
         then run the same command again.",
        needs.join("; "),
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_command() {
        let missing: Vec<&Program> = BROWSER_PROGRAMS.iter().chain(POSTGRES_PROGRAMS).collect();
        let text = how_to_install(&missing, &["chromium", "npm"]);
        assert!(text.contains("chromedriver for the browser journeys"), "{text}");
        assert!(text.contains("PostgreSQL (initdb, postgres) for everything"), "{text}");
        assert!(text.contains("sudo apt-get install chromium npm"), "{text}");
    }
}
