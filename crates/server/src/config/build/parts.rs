//! The parts of the configuration that other crates read: they judge them here already, so that what they refuse is
//! named with its place and together with everything else.

use callboard_host::{LimitOverrides, Limits};

use super::{Build, is_plugin_id};
use crate::config::node::Node;

/// The shortest token. Written in hexadecimal digits, it takes 2⁸⁰ guesses.
const TOKEN_CHARS: usize = 20;

impl Build<'_> {
    /// What egress and catalog read.
    pub(super) fn check_parts(&mut self) {
        let settings = callboard_egress::Settings::from_values(
            &self.json("backend.reading"),
            &self.json("integrations"),
            &self.json("aws"),
        );
        if let Err(error) = settings
            && !self.is_reported(&error.path)
        {
            let node = self.root.at(&error.path).unwrap_or(self.root);
            self.fail(&error.path, node, &error.message, "");
        }
        if let Some(catalog) = self.root.get("catalog")
            && !self.is_reported("catalog")
        {
            self.typed::<callboard_catalog::Settings>(catalog, "catalog", "docs/config.md says what may stand there.");
        }
        self.removed_location_types();
        self.push_sources();
    }

    /// The names and the tokens of those who may push.
    fn push_sources(&mut self) {
        let mut tokens: Vec<(&str, &str)> = Vec::new();
        for (name, source) in self.root.at("catalog.push").map(Node::entries).unwrap_or_default() {
            let path = format!("catalog.push.{name}");
            if !is_plugin_id(name) {
                let fix = "Use lower-case letters, digits and `-`, beginning with a letter, at most 63 in all.";
                self.fail(&path, source, "is not a push source's name", fix);
            }
            let Some((node, token)) = source.get("token").and_then(|node| Some((node, node.text()?))) else { continue };
            let path = format!("{path}.token");
            if token.chars().count() < TOKEN_CHARS || token.chars().any(|c| !c.is_ascii_graphic()) {
                let fix = "Use at least 20 letters and digits, such as `openssl rand -hex 32` prints.";
                self.fail(&path, node, "is not a token that can be told from a guess", fix);
            }
            if let Some((other, _)) = tokens.iter().find(|(_, known)| *known == token) {
                let message = format!("is the token of `{other}` as well");
                self.fail(&path, node, &message, "Give every source a token of its own.");
            }
            tokens.push((name, token));
        }
    }

    /// Types that only a processor of Backstage's could read, and that it refuses without one as well.
    fn removed_location_types(&mut self) {
        const REMOVED: &[(&str, &str)] = &[
            ("aws-cloud-accounts", "There is nothing in its place yet."),
            ("azure-discovery", "Use `catalog.providers.azureDevOps`."),
            ("bitbucket-discovery", "Use `catalog.providers.bitbucketCloud`."),
            ("github-discovery", "Use `catalog.providers.github`."),
            ("github-org", "Use `catalog.providers.githubOrg`."),
            ("gitlab-discovery", "Use `catalog.providers.gitlab`."),
            ("ldap-org", "Use `catalog.providers.ldapOrg`."),
            ("microsoft-graph-org", "Use `catalog.providers.microsoftGraphOrg`."),
            ("s3-discovery", "Use `catalog.providers.awsS3`."),
        ];
        for (index, location) in
            self.root.at("catalog.locations").map(Node::items).unwrap_or_default().iter().enumerate()
        {
            let Some(node) = location.get("type") else { continue };
            if let Some((name, fix)) = REMOVED.iter().find(|(name, _)| node.text() == Some(name)) {
                let message = format!("nothing reads locations of the type `{name}`");
                self.fail(&format!("catalog.locations[{index}].type"), node, &message, fix);
            }
        }
    }

    /// The base with what is written changed; what the host would refuse is reported.
    pub(super) fn limits(&mut self, node: Option<&Node>, path: &str, base: Limits) -> Limits {
        let Some(node) = node.filter(|_| !self.is_reported(path)) else { return base };
        let fix = "docs/config.md has each limit.";
        let Some(overrides) = self.typed::<LimitOverrides>(node, path, fix) else { return base };
        base.clone().with(&overrides).unwrap_or_else(|error| {
            let place = node.get(error.name).unwrap_or(node);
            self.fail(&format!("{path}.{}", error.name), place, &error.to_string(), "");
            base
        })
    }
}
