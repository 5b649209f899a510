//! `callboard entity push`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use callboard_egress::{Credential, Egress, OnlyOrigin, Request, Secret, Settings};
use callboard_model::api::{ErrorBody, PushMode, PushRequest, PushResult, PushedEntity};
use callboard_model::yaml;
use clap::Args;
use http::Method;
use url::Url;

use super::placeholders::{self, Elsewhere};
use super::{Failure, Source, count, place};

/// Push entities from descriptor files to a running portal
///
/// What a placeholder such as `$text` names beside its file is put in its place; the portal itself reads what has a URL.
/// Nothing is sent unless every file can be read. The exit code is 1 where an entity failed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Push {
    /// The name that the source has in catalog.push of the portal's app-config
    #[arg(long, value_name = "NAME")]
    source: String,
    /// Where the portal is
    #[arg(long, value_name = "URL")]
    url: Url,
    /// Read the source's token from this file instead of from the environment variable CALLBOARD_PUSH_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The files are everything that the source has: the portal removes the rest of it
    #[arg(long, conflicts_with = "remove")]
    full: bool,
    /// Remove this entity of the source's; may be repeated
    #[arg(long, value_name = "REF")]
    remove: Vec<String>,
    /// The part of the source that the files are from, such as a repository
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Descriptor files; - reads standard input
    #[arg(required_unless_present = "remove", value_name = "FILE")]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  CALLBOARD_PUSH_TOKEN=… callboard entity push --source ci --url https://portal.example.com catalog-info.yaml
  callboard entity push --source ci --url http://localhost:7007 --token-file token --full entities/*.yaml
  callboard entity push --source ci --url http://localhost:7007 --token-file token --remove component:default/old";

/// Entities that are sent at once where their order does not matter: well below what the portal takes, so that there is
/// progress to see.
const REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// What the portal takes at once.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Longer than the portal waits for its engine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The largest answer: a thousand failures with long messages.
const ANSWER_BYTES: u64 = 16 * 1024 * 1024;

pub(in crate::cli) async fn run(command: Push, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    let token = token(command.token_file.as_deref())?;
    let mut entities = Vec::new();
    let mut problems = Vec::new();
    for file in &command.files {
        read(file, command.key.as_deref(), &mut entities, &mut problems)?;
    }
    if !problems.is_empty() {
        for problem in &problems {
            writeln!(out, "{problem}")?;
        }
        writeln!(out, "Nothing was sent: {}", count(problems.len(), "problem", "problems"))?;
        return Ok(ExitCode::FAILURE);
    }
    let portal = Portal::new(&command.url, &command.source, &token)?;
    let requests = requests(entities, command.full, command.remove)?;
    let total = requests.len();
    let mut sum = PushResult::default();
    for (number, request) in requests.into_iter().enumerate() {
        if total > 1 {
            let entities = count(request.entities.len(), "entity", "entities");
            writeln!(out, "request {} of {total}: {entities}", number.saturating_add(1))?;
            out.flush()?;
        }
        let result = portal.push(&request).await?;
        for failure in &result.failed {
            for error in &failure.errors {
                writeln!(out, "{}: {}: {}", failure.entity_ref, error.name, error.message)?;
            }
        }
        add(&mut sum, result);
    }
    let counts = &sum.counts;
    writeln!(
        out,
        "{}: {} added, {} changed, {} unchanged, {} removed, {} failed",
        count(usize::try_from(counts.listed).unwrap_or(usize::MAX), "entity", "entities"),
        counts.added,
        counts.changed,
        counts.unchanged,
        counts.removed,
        sum.failed_count,
    )?;
    if sum.pending_count > 0 {
        writeln!(out, "The portal has taken them over and still has to process {}", sum.pending_count)?;
    }
    Ok(if sum.failed_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn add(sum: &mut PushResult, result: PushResult) {
    let counts = &mut sum.counts;
    counts.listed = counts.listed.saturating_add(result.counts.listed);
    counts.added = counts.added.saturating_add(result.counts.added);
    counts.changed = counts.changed.saturating_add(result.counts.changed);
    counts.unchanged = counts.unchanged.saturating_add(result.counts.unchanged);
    counts.removed = counts.removed.saturating_add(result.counts.removed);
    sum.failed_count = sum.failed_count.saturating_add(result.failed_count);
    sum.pending_count = sum.pending_count.saturating_add(result.pending_count);
}

fn token(file: Option<&Path>) -> Result<Secret, Failure> {
    const VARIABLE: &str = "CALLBOARD_PUSH_TOKEN";
    let (name, token) = match file {
        Some(file) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::File { file: name.clone(), message: format!("cannot be read: {error}") })?;
            (name, text.trim().to_owned())
        }
        None => (VARIABLE.to_owned(), std::env::var(VARIABLE).unwrap_or_default()),
    };
    if token.is_empty() {
        let message = format!("has no token; set {VARIABLE} to the source's, or name a file with --token-file");
        return Err(Failure::File { file: name, message });
    }
    Ok(Secret::new(token))
}

/// The entities of a file, and what is wrong with it.
fn read(
    file: &Path,
    key: Option<&str>,
    entities: &mut Vec<PushedEntity>,
    problems: &mut Vec<String>,
) -> Result<(), Failure> {
    let Source { name, dir, text } = Source::open(file)?;
    let text = match text {
        Ok(text) => text,
        Err(message) => {
            problems.push(format!("{name}: cannot be read: {message}"));
            return Ok(());
        }
    };
    let documents = match yaml::documents(&text, &yaml::Limits::default()) {
        Ok(documents) => documents,
        Err(error) => {
            problems.push(place(&name, error.line, None) + &error.message);
            return Ok(());
        }
    };
    for (at, document) in documents.into_iter().enumerate() {
        let mut document = match document {
            Ok(document) => document,
            Err(error) => {
                problems.push(place(&name, error.line, Some(at)) + &error.message);
                continue;
            }
        };
        if document.value.is_null() {
            continue;
        }
        let outcome = placeholders::resolve(&mut document.value, dir.as_deref(), Elsewhere::Left);
        for (_, problem) in outcome.problems {
            problems.push(place(&name, Some(document.line), Some(document.index)) + &problem);
        }
        entities.push(PushedEntity { entity: document.value, location_key: key.map(ToOwned::to_owned) });
    }
    Ok(())
}

/// What is to be sent. A full push must be one request: the next would remove what it brought.
fn requests(entities: Vec<PushedEntity>, full: bool, removed: Vec<String>) -> Result<Vec<PushRequest>, Failure> {
    if full {
        return Ok(vec![PushRequest { mode: PushMode::Full, entities, removed: Vec::new() }]);
    }
    let mut requests = vec![PushRequest { mode: PushMode::Delta, entities: Vec::new(), removed }];
    let mut bytes = 0_usize;
    for entity in entities {
        let size = serde_json::to_vec(&entity).map_err(|error| Failure::Start(error.to_string()))?.len();
        bytes = bytes.saturating_add(size);
        match requests.last_mut() {
            Some(last) if bytes <= REQUEST_BYTES || last.entities.is_empty() => last.entities.push(entity),
            _ => {
                bytes = size;
                requests.push(PushRequest { mode: PushMode::Delta, entities: vec![entity], removed: Vec::new() });
            }
        }
    }
    Ok(requests)
}

struct Portal {
    egress: Egress,
    url: Url,
    credential: Credential,
}

impl Portal {
    fn new(base: &Url, source: &str, token: &Secret) -> Result<Portal, Failure> {
        let fail = |message: String| Failure::File { file: base.to_string(), message };
        let mut url = base.clone();
        url.path_segments_mut()
            .map_err(|()| fail("is not the address of a portal; write https://host".to_owned()))?
            .pop_if_empty()
            .extend(["api", "catalog", "push", source]);
        let egress = Egress::new(Settings::default()).map_err(|error| fail(error.to_string()))?;
        let credential = Credential::bearer(base, token).map_err(|error| fail(error.to_string()))?;
        Ok(Portal { egress, url, credential })
    }

    async fn push(&self, request: &PushRequest) -> Result<PushResult, Failure> {
        let fail = |message: String| Failure::File { file: self.url.to_string(), message };
        let body = serde_json::to_vec(request).map_err(|error| fail(error.to_string()))?;
        if body.len() > MAX_BYTES {
            return Err(fail(format!(
                "the request would have {} MiB, and the portal takes {} at once; leave out --full, or split the source in \
                 several",
                body.len() / 1024 / 1024,
                MAX_BYTES / 1024 / 1024
            )));
        }
        let mut sent = Request::new(Method::POST, self.url.clone());
        sent.header("Content-Type", "application/json").map_err(|error| fail(error.to_string()))?;
        sent.body = Bytes::from(body);
        sent.timeout = TIMEOUT;
        sent.max_redirects = 0;
        sent.max_body = ANSWER_BYTES;
        sent.credential = Some(self.credential.clone());
        // And nothing that it might redirect to.
        let only = OnlyOrigin::of(&self.url);
        let response = self.egress.send(sent, &only).await.map_err(|error| fail(error.to_string()))?;
        let status = response.status;
        let body = response.body.collect(ANSWER_BYTES).await.map_err(|error| fail(error.to_string()))?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| fail(format!("the answer is not a portal's: {error}")));
        }
        Err(fail(match serde_json::from_slice::<ErrorBody>(&body) {
            Ok(body) => format!("the portal answers {status}: {}: {}", body.error.name, body.error.message),
            Err(_) => format!("the answer is {status}, and not from a portal of this version"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn divided() {
        fn check(sizes: &[usize], full: bool, expected: &[usize]) {
            let entities = sizes
                .iter()
                .map(|size| PushedEntity { entity: json!({ "text": "x".repeat(*size) }), location_key: None })
                .collect();
            let requests = requests(entities, full, Vec::new()).expect("requests");
            let found: Vec<usize> = requests.iter().map(|request| request.entities.len()).collect();
            assert_eq!(found, expected, "{sizes:?}");
        }
        let half = REQUEST_BYTES / 2;
        check(&[], false, &[0]);
        check(&[1, 2, 3], false, &[3]);
        check(&[half, half, half], false, &[1, 1, 1]);
        check(&[1, REQUEST_BYTES, 1], false, &[1, 1, 1]);
        check(&[half - 100, half - 100, half], false, &[2, 1]);
        check(&[REQUEST_BYTES, REQUEST_BYTES], true, &[2]);
    }
}
