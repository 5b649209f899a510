//! `callboard plugin push` and `callboard plugin sign`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bytes::Bytes;
use callboard_artifact::oci::{About, Manifest, Repository};
use callboard_artifact::trust::SigningKey;
use callboard_artifact::{Source, Wanted};
use chrono::{SecondsFormat, Utc};
use clap::Args;

use super::add::parse;
use super::desk::Desk;
use crate::cli::{ConfigFiles, Failure};

/// Publish a plugin in a registry
///
/// Its version is the one in its manifest. A version that is there already is never replaced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  callboard plugin push target/plugins/widgets.wasm oci://ghcr.io/acme/widgets\n  \
                        callboard plugin push widgets.wasm oci://ghcr.io/acme/widgets --key signing.pem")]
pub(in crate::cli) struct Push {
    /// The component's .wasm file
    file: PathBuf,
    /// Where to: oci://registry/name
    to: String,
    /// Sign it with this private key (PEM, PKCS #8), too
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFiles,
}

/// Sign a plugin with a key
///
/// A file gets a bundle beside it, `<file>.sigstore.json`; a plugin of a registry gets it there, as cosign does it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  callboard plugin sign widgets.wasm --key signing.pem\n  \
                        callboard plugin sign oci://ghcr.io/acme/widgets:1.2.3 --key signing.pem\n\n\
                        `openssl genpkey -algorithm ed25519 -out signing.pem` makes a key, and\n\
                        `openssl pkey -in signing.pem -pubout` shows what others trust.")]
pub(in crate::cli) struct Sign {
    /// A .wasm file, or oci://registry/name:version
    target: String,
    /// The private key (PEM, PKCS #8)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    config: ConfigFiles,
}

pub(super) async fn push(command: &Push, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let shown = command.file.display().to_string();
    let fail = |message: String| Failure::File { file: shown.clone(), message };
    let wasm = std::fs::read(&command.file).map_err(|error| fail(error.to_string()))?;
    let inspection = callboard_host::inspect(&wasm).map_err(|error| fail(error.to_string()))?;
    let key = command.key.as_deref().map(read_key).transpose()?;
    let Source::Oci(repository, Wanted::Matching(_)) = parse(&command.to, None)? else {
        let text = format!("{}: write oci://registry/name; the version is that of the plugin", command.to);
        return Err(Failure::Plugin(text));
    };
    let desk = Desk::open(&command.config)?;
    let registry = desk.fetcher()?.registries().of(&repository).map_err(|error| Failure::Plugin(error.to_string()))?;
    let manifest = &inspection.manifest;
    let about = About {
        title: format!("{}.wasm", manifest.id),
        created: now(),
        imports: inspection.imports.clone(),
        exports: inspection.exports.clone(),
        ..About::default()
    };
    let pushed = registry.push(&repository, &manifest.version, Bytes::from(wasm), &about).await;
    let pushed = pushed.map_err(|error| Failure::Plugin(error.to_string()))?;
    writeln!(out, "Pushed {} {} to {repository}:{}", manifest.id, manifest.version, pushed.tag)?;
    writeln!(out, "{}", pushed.manifest.digest)?;
    match key {
        Some(key) => attach(&desk, &repository, &pushed.manifest, &key, out).await?,
        None => writeln!(out, "It is not signed: `callboard plugin sign` or cosign does that")?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn sign(command: &Sign, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let key = read_key(&command.key)?;
    match parse(&command.target, None)? {
        Source::File(path) => {
            let fail = |message: String| Failure::File { file: path.display().to_string(), message };
            let wasm = std::fs::read(&path).map_err(|error| fail(error.to_string()))?;
            callboard_host::inspect(&wasm).map_err(|error| fail(error.to_string()))?;
            let mut beside = path.clone().into_os_string();
            beside.push(".sigstore.json");
            std::fs::write(&beside, key.sign_component(&wasm)).map_err(|error| fail(error.to_string()))?;
            writeln!(out, "Signed. Publish {} beside the component", beside.display())?;
        }
        Source::Oci(repository, wanted) => {
            let desk = Desk::open(&command.config)?;
            let resolved = desk.fetcher()?.resolve(&repository, &wanted).await;
            let resolved = resolved.map_err(|error| Failure::Plugin(error.to_string()))?;
            attach(&desk, &repository, &resolved.manifest, &key, out).await?;
        }
        Source::Url(url) => {
            return Err(Failure::Plugin(format!("{url}: sign the file, and publish the bundle beside it")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn attach(
    desk: &Desk,
    repository: &Repository,
    manifest: &Manifest,
    key: &SigningKey,
    out: &mut (dyn Write + Send),
) -> Result<(), Failure> {
    let fail = |error: callboard_artifact::oci::RegistryError| Failure::Plugin(error.to_string());
    let registry = desk.fetcher()?.registries().of(repository).map_err(fail)?;
    registry.attach(repository, manifest, key.sign_artefact(manifest), &now()).await.map_err(fail)?;
    writeln!(out, "Signed. Whoever shall trust it writes this under plugins.trust.require:\n")?;
    writeln!(out, "- key: |")?;
    key.public_pem().lines().try_for_each(|line| writeln!(out, "    {line}"))?;
    Ok(())
}

fn read_key(path: &Path) -> Result<SigningKey, Failure> {
    let fail = |message: String| Failure::File { file: path.display().to_string(), message };
    let pem = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    SigningKey::from_pem(&pem).map_err(|error| fail(error.to_string()))
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}
