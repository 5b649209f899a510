//! The parts of the configuration that other crates read: they judge them here already, so that what they refuse is
//! named with its place and together with everything else.

use callboard_host::{LimitOverrides, Limits};

use super::Build;
use crate::config::node::Node;

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
