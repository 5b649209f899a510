//! `auth.providers`: the services where people sign in.

use callboard_model::schedule::parse_duration;
use url::{Host, Url};
use uuid::Uuid;

use super::{Build, texts};
use crate::config::check::nearest;
use crate::config::keys;
use crate::config::model::{
    ClientAuthentication, ClientSecret, Matching, OidcService, Resolver, SignInProvider, SignInService, UserIdClaim,
};
use crate::config::node::{Data, Node};

/// What of a service is so wherever it runs.
struct Kind {
    id: &'static str,
    title: &'static str,
    /// Whether the names that its users have are theirs alone, and not theirs to choose anew.
    has_names: bool,
    /// Where Backstage keeps the ids that the service's users have.
    user_id: Option<&'static str>,
    /// Where Backstage keeps an address that is only for signing in.
    email: Option<&'static str>,
    /// Whether it says of an address that it was verified.
    verifies_email: bool,
}

const KINDS: &[Kind] = &[
    Kind {
        id: "github",
        title: "GitHub",
        has_names: true,
        user_id: Some("github.com/user-id"),
        email: None,
        verifies_email: true,
    },
    Kind { id: "auth0", title: "Auth0", has_names: false, user_id: None, email: None, verifies_email: true },
    Kind {
        id: "gitlab",
        title: "GitLab",
        has_names: true,
        user_id: Some("gitlab.com/user_id"),
        email: None,
        verifies_email: true,
    },
    Kind {
        id: "google",
        title: "Google",
        has_names: false,
        user_id: None,
        email: Some("google.com/email"),
        verifies_email: true,
    },
    Kind {
        id: "microsoft",
        title: "Microsoft",
        has_names: false,
        user_id: Some("graph.microsoft.com/user-id"),
        email: Some("microsoft.com/email"),
        verifies_email: false,
    },
    Kind { id: "oidc", title: "single sign-on", has_names: true, user_id: None, email: None, verifies_email: true },
    Kind {
        id: "okta",
        title: "Okta",
        has_names: false,
        user_id: None,
        email: Some("okta.com/email"),
        verifies_email: true,
    },
    Kind { id: "onelogin", title: "OneLogin", has_names: true, user_id: None, email: None, verifies_email: true },
];

/// The resolvers. With each service there are those that it can be relied on for.
const RESOLVERS: [&str; 6] = [
    "usernameMatchingUserEntityName",
    "userIdMatchingUserEntityAnnotation",
    "subjectMatchingUserEntityAnnotation",
    "emailMatchingUserEntityProfileEmail",
    "emailMatchingUserEntityAnnotation",
    "emailLocalPartMatchingUserEntityName",
];

/// What follows an issuer where it describes itself (OpenID Connect Discovery 1.0, 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Entra's names for "whoever comes": tokens of any directory.
const NO_TENANT: &[&str] = &["common", "organizations", "consumers"];

impl Build<'_> {
    /// The services that are configured for this environment.
    pub(super) fn sign_in_providers(&mut self, environment: &str) -> Vec<SignInProvider> {
        let mut providers = Vec::new();
        for kind in KINDS {
            let path = format!("auth.providers.{}", kind.id);
            let Some(block) = self.root.at(&path) else { continue };
            let Some((settings, path)) = self.settings(kind, block, &path, environment) else { continue };
            providers.extend(self.sign_in_provider(kind, settings, &path, environment));
        }
        providers
    }

    /// The settings for this environment, which stand in the block itself or below the environment's name.
    fn settings<'n>(
        &mut self,
        kind: &Kind,
        block: &'n Node,
        path: &str,
        environment: &str,
    ) -> Option<(&'n Node, String)> {
        let is_setting = |name: &str| keys::sign_in::settings(kind.id).any(|setting| setting == name);
        if block.entries().iter().any(|(name, _)| is_setting(name)) {
            return Some((block, path.to_owned()));
        }
        if let Some(settings) = block.get(environment) {
            return Some((settings, format!("{path}.{environment}")));
        }
        let message =
            format!("has nothing for the environment `{environment}`, so nobody can sign in with {}", kind.title);
        let fix = format!(
            "`auth.environment` says which environment this is; put the settings below `{path}.{environment}`, or \
             directly below `{path}` for any."
        );
        self.warn(path, block, &message, &fix);
        None
    }

    fn sign_in_provider(
        &mut self,
        kind: &Kind,
        settings: &Node,
        path: &str,
        environment: &str,
    ) -> Option<SignInProvider> {
        let text = |name: &str| settings.get(name).and_then(Node::text).filter(|text| !text.is_empty());
        let client_id = text("clientId");
        let client_secret = text("clientSecret");
        let missing: Vec<&str> = [("clientId", client_id), ("clientSecret", client_secret)]
            .iter()
            .filter_map(|(name, value)| value.is_none().then_some(*name))
            .collect();
        if !missing.is_empty() {
            let message =
                format!("`{}` is missing, so nobody can sign in with {}", missing.join("` and `"), kind.title);
            let fix = format!("{} gives both to an application that is registered there; set them here.", kind.title);
            // As in Backstage: at a developer's desk the portal starts without a service that is not set up.
            match environment == super::access::DEVELOPMENT {
                true => self.warn(path, settings, &message, &fix),
                false => self.fail(path, settings, &message, &fix),
            }
            return None;
        }
        let service = self.service(kind, settings, path)?;
        let duration = settings.get("sessionDuration").and_then(|node| parse_duration(&node.to_json()).ok());
        Some(SignInProvider {
            id: kind.id.to_owned(),
            title: text("title").unwrap_or(kind.title).to_owned(),
            client_id: client_id?.to_owned(),
            client_secret: ClientSecret::new(client_secret?),
            callback_url: self.callback(kind, settings, path),
            additional_scopes: self.scopes(settings, path),
            session_duration: duration,
            resolvers: self.resolvers(kind, settings, path),
            service,
        })
    }

    /// The portal answers below its own path alone, whatever stands before that.
    fn callback(&mut self, kind: &Kind, settings: &Node, path: &str) -> Option<Url> {
        let node = settings.get("callbackUrl")?;
        let url = Url::parse(node.text()?).ok()?;
        let end = format!("/api/auth/{}/handler/frame", kind.id);
        if !url.path().ends_with(&end) || url.query().is_some() || url.fragment().is_some() {
            let fix = format!("Make it end in `{end}`, and register it like that.");
            self.fail(
                &format!("{path}.callbackUrl"),
                node,
                "is not where the portal waits for people to come back",
                &fix,
            );
        }
        Some(url)
    }

    fn scopes(&mut self, settings: &Node, path: &str) -> Vec<String> {
        let Some(node) = settings.get("additionalScopes") else { return Vec::new() };
        match &node.data {
            Data::Text(text) => text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            Data::List(items) if items.iter().all(|item| item.text().is_some()) => texts(Some(node)),
            _ => {
                let path = format!("{path}.additionalScopes");
                self.fail(&path, node, "is neither a text nor a list of texts", "Write `[scope, another]`.");
                Vec::new()
            }
        }
    }

    fn service(&mut self, kind: &Kind, settings: &Node, path: &str) -> Option<SignInService> {
        let text = |name: &str| settings.get(name).and_then(Node::text).filter(|text| !text.is_empty());
        let issuer = match kind.id {
            "github" => {
                let service = github(text("enterpriseInstanceUrl"))?;
                if let SignInService::GitHub { instance, .. } = &service {
                    self.warn_without_tls(instance, settings, path);
                }
                return Some(service);
            }
            "auth0" => self.required(kind, settings, path, "domain").map(|domain| format!("https://{domain}")),
            "gitlab" => Some(text("audience").unwrap_or("https://gitlab.com").to_owned()),
            "google" => Some("https://accounts.google.com".to_owned()),
            "microsoft" => self.tenant(kind, settings, path),
            "oidc" => self.metadata_issuer(kind, settings, path),
            "okta" => self.required(kind, settings, path, "audience").map(|organisation| {
                let organisation = organisation.trim_end_matches('/');
                match text("authServerId") {
                    Some(server) => format!("{organisation}/oauth2/{server}"),
                    None => organisation.to_owned(),
                }
            }),
            _ => self.required(kind, settings, path, "issuer"),
        }?;
        let issuer = issuer.trim_end_matches('/').to_owned();
        let Ok(metadata_url) = Url::parse(&format!("{issuer}{WELL_KNOWN}")) else {
            self.fail(path, settings, "does not say where the service is", "Correct its address.");
            return None;
        };
        self.warn_without_tls(&metadata_url, settings, path);
        let parameters =
            [("connection", "connection"), ("domainHint", "domain_hint"), ("idp", "idp"), ("prompt", "prompt")]
                .iter()
                // In Backstage `auto` stands for no wish.
                .filter_map(|(name, parameter)| Some((*parameter, text(name).filter(|text| *text != "auto")?)))
                .map(|(parameter, value)| (parameter.to_owned(), value.to_owned()));
        Some(SignInService::Oidc(OidcService {
            issuer,
            metadata_url,
            authentication: text("tokenEndpointAuthMethod").map(|method| match method {
                "client_secret_post" => ClientAuthentication::Post,
                _ => ClientAuthentication::Basic,
            }),
            parameters: parameters.collect(),
            user_id_claim: if kind.id == "microsoft" { UserIdClaim::Oid } else { UserIdClaim::Sub },
        }))
    }

    fn warn_without_tls(&mut self, url: &Url, settings: &Node, path: &str) {
        if url.scheme() != "https" && !is_loopback(url) {
            let message = "reaches the service without TLS, so whoever sits between can sign in as anybody";
            self.warn(path, settings, message, "Use its https address.");
        }
    }

    fn required(&mut self, kind: &Kind, settings: &Node, path: &str, name: &str) -> Option<String> {
        let found = settings.get(name).and_then(Node::text).filter(|text| !text.is_empty());
        if found.is_none() {
            let message = format!("`{name}` is missing, which says where the service is");
            let described = keys::all().find(|key| key.path == format!("auth.providers.{}.{name}", kind.id));
            let text = described.map(|key| key.text.trim_end_matches("; required")).unwrap_or_default();
            self.fail(path, settings, &message, &format!("{text}."));
        }
        found.map(str::to_owned)
    }

    fn tenant(&mut self, kind: &Kind, settings: &Node, path: &str) -> Option<String> {
        let tenant = self.required(kind, settings, path, "tenantId")?;
        if Uuid::try_parse(&tenant).is_err() {
            let message = match NO_TENANT.contains(&tenant.as_str()) {
                true => "lets in people of any directory, and of none",
                false => "is not the id of a directory",
            };
            let fix = "Write the directory's id, a GUID; the application's overview in Entra shows it.";
            let node = settings.get("tenantId").unwrap_or(settings);
            // A value from the environment may be anything at this point; whether it is one is found out at sign-in.
            match node.holds_substituted() {
                true => self.warn(&format!("{path}.tenantId"), node, message, fix),
                false => self.fail(&format!("{path}.tenantId"), node, message, fix),
            }
        }
        Some(format!("https://login.microsoftonline.com/{tenant}/v2.0"))
    }

    fn metadata_issuer(&mut self, kind: &Kind, settings: &Node, path: &str) -> Option<String> {
        let url = self.required(kind, settings, path, "metadataUrl")?;
        match url.strip_suffix(WELL_KNOWN) {
            Some(issuer) => Some(issuer.to_owned()),
            // As in Backstage, the issuer alone will do.
            None if !url.contains("/.well-known/") => Some(url),
            None => {
                let node = settings.get("metadataUrl").unwrap_or(settings);
                let fix = format!("Write the issuer and `{WELL_KNOWN}` after it.");
                self.fail(&format!("{path}.metadataUrl"), node, "does not say who the issuer is", &fix);
                None
            }
        }
    }

    fn resolvers(&mut self, kind: &Kind, settings: &Node, path: &str) -> Vec<Resolver> {
        let Some(list) = settings.at("signIn.resolvers").filter(|list| !list.items().is_empty()) else {
            let message =
                format!("nobody can sign in with {}, because nothing says who is who in the catalog", kind.title);
            let fix = format!("Add `signIn: {{ resolvers: [{{ resolver: {} }}] }}`.", kind.suggestion());
            self.warn(&format!("{path}.signIn.resolvers"), settings, &message, &fix);
            return Vec::new();
        };
        let mut resolvers = Vec::new();
        for (index, node) in list.items().iter().enumerate() {
            resolvers.extend(self.resolver(kind, node, &format!("{path}.signIn.resolvers[{index}]")));
        }
        resolvers
    }

    fn resolver(&mut self, kind: &Kind, node: &Node, path: &str) -> Option<Resolver> {
        let name = node.get("resolver").and_then(Node::text)?;
        let annotation = node.get("annotation").and_then(Node::text);
        let Some(matching) = kind.matching(name, annotation) else {
            let names = kind.resolvers();
            let (message, fix) = if names.contains(&name) {
                let fix = "Add `annotation` with the one to compare with, such as `example.com/user-id`.";
                ("does not say what is compared".to_owned(), fix.to_owned())
            } else if let Some(nearest) = nearest(name, &names).filter(|_| !RESOLVERS.contains(&name)) {
                ("unknown resolver".to_owned(), format!("Did you mean `{nearest}`?"))
            } else {
                let message = format!("is nothing that {} can be relied on for", kind.title);
                (message, format!("There may be {}.", names.join(", ")))
            };
            self.fail(&format!("{path}.resolver"), node.get("resolver").unwrap_or(node), &message, &fix);
            return None;
        };
        let allowed_domains = self.allowed_domains(kind, &matching, node, path);
        let without_user =
            node.get("dangerouslyAllowSignInWithoutUserInCatalog").is_some_and(|node| node.data == Data::Bool(true));
        Some(Resolver { matching, allowed_domains, without_user })
    }

    fn allowed_domains(&mut self, kind: &Kind, matching: &Matching, node: &Node, path: &str) -> Vec<String> {
        let listed = node.get("allowedDomains");
        let domains = texts(listed);
        if !matching.needs_email() {
            if let Some(listed) = listed {
                self.warn(
                    &format!("{path}.allowedDomains"),
                    listed,
                    "has no effect: no address is compared",
                    "Remove it.",
                );
            }
            return domains;
        }
        if !kind.verifies_email {
            let message = format!("finds nobody: {} does not say whether an address was verified", kind.title);
            let fix = format!("Use `{}`.", kind.suggestion());
            self.warn(path, node, &message, &fix);
            return domains;
        }
        if domains.is_empty() {
            let message = "would let in whoever has any verified address";
            self.fail(
                path,
                node,
                message,
                "Add `allowedDomains: [example.com]` with the domains of your organisation.",
            );
        }
        if !domains.iter().all(|domain| is_domain(domain)) {
            let listed = listed.unwrap_or(node);
            let fix =
                "Write each domain alone and in full, such as `example.com`; others below it are domains of their own.";
            self.fail(&format!("{path}.allowedDomains"), listed, "names something that is not a domain", fix);
        }
        domains.iter().map(|domain| domain.to_ascii_lowercase()).collect()
    }
}

impl Kind {
    /// What a resolver's name stands for with this service; none where the service is not to be relied on for it.
    fn matching(&self, name: &str, annotation: Option<&str>) -> Option<Matching> {
        let or = |usual: Option<&str>| annotation.or(usual).map(str::to_owned);
        Some(match name {
            "usernameMatchingUserEntityName" if self.has_names => Matching::Username,
            // Backstage's name for it with this service.
            "preferredUsernameMatchingUserEntityName" if self.id == "oidc" => Matching::Username,
            "userIdMatchingUserEntityAnnotation" if self.user_id.is_some() => {
                Matching::UserId { annotation: or(self.user_id)? }
            }
            "subjectMatchingUserEntityAnnotation" => Matching::Subject { annotation: or(None)? },
            // Backstage's names for two services of this kind.
            "oidcSubClaimMatchingKeycloakUserId" if self.id == "oidc" => {
                Matching::Subject { annotation: or(Some("keycloak.org/id"))? }
            }
            "oidcSubClaimMatchingPingIdentityUserId" if self.id == "oidc" => {
                Matching::Subject { annotation: or(Some("pingidentity.org/id"))? }
            }
            "emailMatchingUserEntityProfileEmail" => Matching::ProfileEmail,
            "emailMatchingUserEntityAnnotation" => Matching::AnnotatedEmail { annotation: or(self.email)? },
            "emailLocalPartMatchingUserEntityName" => Matching::EmailLocalPart,
            _ => return None,
        })
    }

    /// The resolvers that there are.
    fn resolvers(&self) -> Vec<&'static str> {
        let is_there = |name: &&str| match *name {
            "usernameMatchingUserEntityName" => self.has_names,
            "userIdMatchingUserEntityAnnotation" => self.user_id.is_some(),
            "subjectMatchingUserEntityAnnotation" => true,
            _ => self.verifies_email,
        };
        RESOLVERS.iter().copied().filter(is_there).collect()
    }

    /// The one that is most likely right.
    fn suggestion(&self) -> &'static str {
        match (self.user_id, self.verifies_email) {
            (Some(_), _) => "userIdMatchingUserEntityAnnotation",
            (None, true) => "emailMatchingUserEntityProfileEmail, allowedDomains: [example.com]",
            (None, false) => "subjectMatchingUserEntityAnnotation",
        }
    }
}

fn github(enterprise: Option<&str>) -> Option<SignInService> {
    let (instance, api) = match enterprise.map(|base| base.trim_end_matches('/')) {
        Some(base) => (format!("{base}/"), format!("{base}/api/v3/")),
        None => ("https://github.com/".to_owned(), "https://api.github.com/".to_owned()),
    };
    Some(SignInService::GitHub { instance: Url::parse(&instance).ok()?, api: Url::parse(&api).ok()? })
}

/// As a name is written in DNS, without wildcards.
fn is_domain(text: &str) -> bool {
    text.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
