//! `backend.auth.externalAccess`: the programs that may call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::Build;
use crate::config::check::nearest;
use crate::config::model::{ExternalAccess, ExternalKind};
use crate::config::node::Node;
use crate::policy::{Action, Limit, Part};

const PATH: &str = "backend.auth.externalAccess";

/// The shortest token that Backstage takes.
const TOKEN_CHARS: usize = 8;

/// Algorithms whose keys may be published. A shared secret never is, so that nobody can sign with what is public.
pub(crate) const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

impl Build<'_> {
    pub(super) fn external_access(&mut self) -> Vec<ExternalAccess> {
        let mut all: Vec<ExternalAccess> = Vec::new();
        for (index, node) in self.root.at(PATH).map(Node::items).unwrap_or_default().iter().enumerate() {
            let path = format!("{PATH}[{index}]");
            let Some(kind) = self.external_kind(node, &path) else { continue };
            for other in &all {
                self.twice(&path, node, &kind, &other.kind);
            }
            let restrictions = node.get("accessRestrictions").map(|list| self.restrictions(list, &path));
            if restrictions.is_none() {
                let message = "lets whoever has the token do everything";
                let fix =
                    "Add `accessRestrictions`, such as `[{ plugin: catalog, permissionAttribute: { action: read } }]`.";
                self.warn(&path, node, message, fix);
            }
            all.push(ExternalAccess { kind, restrictions });
        }
        all
    }

    fn external_kind(&mut self, node: &Node, path: &str) -> Option<ExternalKind> {
        let options = format!("{path}.options");
        let text = |key: &str| node.get("options").and_then(|options| options.get(key)).and_then(Node::text);
        let subject = |build: &mut Self| match text("subject") {
            Some(subject) if !subject.is_empty() && !subject.contains(char::is_whitespace) => Some(subject.to_owned()),
            _ => {
                build.fail(&options, node, "has no `subject` that is a single word", "Name the program, such as `ci`.");
                None
            }
        };
        match node.get("type").and_then(Node::text)? {
            "static" => {
                let subject = subject(self)?;
                let token = text("token").unwrap_or_default();
                if token.chars().count() < TOKEN_CHARS || token.contains(char::is_whitespace) {
                    let fix = "Use at least 8 characters without spaces, better what `openssl rand -hex 32` prints.";
                    self.fail(&options, node, "has no `token` that can be told from a guess", fix);
                    return None;
                }
                Some(ExternalKind::Static { token: token.to_owned(), subject })
            }
            "legacy" => {
                let subject = subject(self)?;
                match STANDARD.decode(text("secret").unwrap_or_default()) {
                    Ok(secret) if !secret.is_empty() => Some(ExternalKind::Legacy { secret, subject }),
                    _ => {
                        let fix = "Write the same base64 text as in `backend.auth.keys` of the other service.";
                        self.fail(&options, node, "has no `secret` in base64", fix);
                        None
                    }
                }
            }
            "jwks" => self.jwks(node, &options),
            // The kind of the key was checked before.
            _ => None,
        }
    }

    fn jwks(&mut self, node: &Node, path: &str) -> Option<ExternalKind> {
        let options = node.get("options");
        let url =
            options.and_then(|options| options.get("url")).and_then(Node::text).and_then(|url| Url::parse(url).ok());
        let Some(url) = url else {
            self.fail(path, node, "has no `url` where the keys are", "Write the `jwks_uri` of whoever signs.");
            return None;
        };
        let many = |key: &str| options.and_then(|options| options.get(key)).map(one_or_many).unwrap_or_default();
        let algorithms = many("algorithm");
        for algorithm in algorithms.iter().filter(|algorithm| !ALGORITHMS.contains(&algorithm.as_str())) {
            let fix = match nearest(algorithm, &ALGORITHMS) {
                Some(nearest) => format!("Did you mean `{nearest}`?"),
                None => format!("There may be {}.", ALGORITHMS.join(", ")),
            };
            self.fail(path, node, "names an algorithm that has no public key, or that is not known", &fix);
        }
        let (issuers, audiences) = (many("issuer"), many("audience"));
        for (key, values) in [("issuer", &issuers), ("audience", &audiences)] {
            if values.is_empty() {
                let message = format!("has no `{key}`, so that tokens that were made for others are accepted too");
                let fix = format!("Add `{key}` with what the tokens that are meant have there.");
                self.warn(path, node, &message, &fix);
            }
        }
        let prefix = options.and_then(|options| options.get("subjectPrefix")).and_then(Node::text).map(str::to_owned);
        Some(ExternalKind::Jwks { url, algorithms, issuers, audiences, prefix })
    }

    fn twice(&mut self, path: &str, node: &Node, kind: &ExternalKind, other: &ExternalKind) {
        use ExternalKind::{Legacy, Static};
        if let (Static { token, .. }, Static { token: known, .. }) = (kind, other)
            && token == known
        {
            self.fail(path, node, "has the token of another entry", "Give every program a token of its own.");
        }
        let subject = |kind: &ExternalKind| match kind {
            Static { subject, .. } | Legacy { subject, .. } => Some(subject.clone()),
            ExternalKind::Jwks { .. } => None,
        };
        if subject(kind).is_some_and(|name| Some(name) == subject(other)) {
            self.fail(path, node, "has the subject of another entry", "Give every program a subject of its own.");
        }
    }

    fn restrictions(&mut self, list: &Node, path: &str) -> Limit {
        let mut any: Vec<Part> = Vec::new();
        for (index, node) in list.items().iter().enumerate() {
            let path = format!("{path}.accessRestrictions[{index}]");
            let Some(api) = node.get("plugin").and_then(Node::text).filter(|api| !api.is_empty()) else { continue };
            if any.iter().any(|part| matches!(part, Part::Api { api: other, .. } if other == api)) {
                self.fail(&path, node, "names a plugin that another restriction names", "Put both into one entry.");
            }
            let actions = node.get("permissionAttribute").and_then(|attribute| attribute.get("action"));
            let actions = actions.map(|actions| {
                one_or_many(actions)
                    .iter()
                    .filter_map(|name| {
                        let action = Action::ALL.into_iter().find(|action| action.name() == name);
                        if action.is_none() {
                            let fix = "There are create, read, update and delete.";
                            self.fail(&path, node, "names an action that there is not", fix);
                        }
                        action
                    })
                    .collect()
            });
            let names = node.get("permission").map(|names| one_or_many(names).into_iter().collect());
            any.push(Part::Api { api: api.to_owned(), names, actions });
        }
        Limit { any }
    }
}

/// A text with commas, or a list of texts.
fn one_or_many(node: &Node) -> Vec<String> {
    let texts: Vec<&str> = match node.text() {
        Some(text) => text.split(',').collect(),
        None => node.items().iter().filter_map(Node::text).collect(),
    };
    texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}
