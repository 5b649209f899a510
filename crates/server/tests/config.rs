//! Configurations in the shape that companies have, and what Callboard says of them.
//!
//! A case is a folder of `tests/config/`: an `app-config.yaml` with its layers, the environment in `env.yaml`, and in
//! `report.txt` the answer. `UPDATE_GOLDEN=1` writes the answers anew.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use callboard::config::sources::Sources;
use callboard::config::{Database, Loaded, Matching, ProxyCredentials, SignInService, load};
use callboard_store::{Pem, PostgresConfig, Secret, TlsMode};

/// What no message may ever contain: every secret of the cases begins with it.
const CANARY: &str = "canary";

fn folder(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(case)
}

fn load_case(case: &str) -> Loaded {
    let dir = folder(case);
    let env: BTreeMap<String, String> = match std::fs::read_to_string(dir.join("env.yaml")) {
        Ok(text) => serde_saphyr::from_str(&text).expect("an environment"),
        Err(_) => BTreeMap::new(),
    };
    load(&Sources { files: Vec::new(), dir, env })
}

/// The report is as it was written down, and gives no secret away.
fn check(case: &str) -> Loaded {
    let loaded = load_case(case);
    let report = loaded.report.to_string().replace(&folder(case).display().to_string(), "<folder>");
    assert!(!report.contains(CANARY), "{case}: a secret is in the report:\n{report}");
    let debug = format!("{loaded:?}");
    assert!(!debug.contains(CANARY), "{case}: a secret is in the debug output:\n{debug}");
    let golden = folder(case).join("report.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &report).expect("the report is written");
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(report, expected, "{case}: UPDATE_GOLDEN=1 writes the new report");
    loaded
}

#[test]
fn real_shaped_configurations_start() {
    for case in ["stock", "github-org", "aws", "kubernetes", "large", "sign-in"] {
        let loaded = check(case);
        assert!(loaded.report.is_accepted(false), "{case}:\n{}", loaded.report);
        assert!(!loaded.report.is_accepted(true), "{case} has keys without effect, which --strict takes for errors");
        assert!(loaded.config.is_some(), "{case}");
    }
}

#[test]
fn mistakes_are_named() {
    for case in ["mistakes", "sign-in-mistakes"] {
        let loaded = check(case);
        assert!(loaded.config.is_none(), "{case}");
    }
}

/// The keys that Backstage has for each service say where that is.
#[test]
fn services_to_sign_in_with() {
    let auth = load_case("sign-in").config.expect("sign-in").auth;
    assert_eq!(auth.session.idle.as_secs(), 8 * 3600);
    assert_eq!(auth.session.absolute.as_secs(), 30 * 24 * 3600);
    let found = |id: &str| auth.providers.iter().find(|provider| provider.id == id).expect("a provider");
    let SignInService::GitHub { instance, api } = &found("github").service else { panic!("GitHub") };
    assert_eq!((instance.as_str(), api.as_str()), ("https://ghe.acme.example/", "https://ghe.acme.example/api/v3/"));
    let github = found("github");
    assert_eq!((github.title.as_str(), github.session_duration.map(|time| time.as_secs())), ("GitHub", Some(86_400)));
    assert_eq!(github.additional_scopes, ["read:org", "repo"]);
    assert_eq!(github.resolvers.len(), 2);
    assert_eq!(github.client_id, "canary-github-id");

    let check = |id: &str, metadata_url: &str, parameters: &[(&str, &str)], matching: Matching| {
        let provider = found(id);
        let SignInService::Oidc(service) = &provider.service else { panic!("{id} speaks OpenID Connect") };
        assert_eq!(service.metadata_url.as_str(), metadata_url, "{id}");
        assert_eq!(service.metadata_url.as_str(), format!("{}/.well-known/openid-configuration", service.issuer));
        let found: Vec<_> = service.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, parameters, "{id}");
        assert_eq!(provider.resolvers[0].matching, matching, "{id}");
    };
    let annotation = |name: &str| name.to_owned();
    check(
        "auth0",
        "https://acme.eu.auth0.com/.well-known/openid-configuration",
        &[("connection", "employees")],
        Matching::Subject { annotation: annotation("acme.example/auth0-id") },
    );
    check(
        "gitlab",
        "https://gitlab.acme.example/.well-known/openid-configuration",
        &[],
        Matching::UserId { annotation: annotation("gitlab.com/user_id") },
    );
    check(
        "google",
        "https://accounts.google.com/.well-known/openid-configuration",
        &[],
        Matching::AnnotatedEmail { annotation: annotation("google.com/email") },
    );
    check(
        "microsoft",
        "https://login.microsoftonline.com/0d7ae1f5-29ba-4d0f-9c1f-0a6b3cd1a111/v2.0/.well-known/openid-configuration",
        &[("domain_hint", "acme.example")],
        Matching::UserId { annotation: annotation("graph.microsoft.com/user-id") },
    );
    check(
        "oidc",
        "https://id.acme.example/realms/acme/.well-known/openid-configuration",
        &[],
        Matching::Subject { annotation: annotation("keycloak.org/id") },
    );
    check(
        "okta",
        "https://acme.okta.com/oauth2/default/.well-known/openid-configuration",
        &[("idp", "0oa1")],
        Matching::ProfileEmail,
    );
    check("onelogin", "https://acme.onelogin.com/oidc/2/.well-known/openid-configuration", &[], Matching::Username);
    assert_eq!(found("google").resolvers[0].allowed_domains, ["acme.example", "acme.example.org"]);
    assert_eq!(found("google").additional_scopes, ["openid", "https://www.googleapis.com/auth/calendar.readonly"]);
    let oidc = found("oidc");
    assert!(oidc.resolvers[1].without_user && !oidc.resolvers[0].without_user);
    assert_eq!(oidc.title, "Acme");
    assert!(oidc.callback_url.as_ref().is_some_and(|url| url.path() == "/below/api/auth/oidc/handler/frame"));
}

#[test]
fn layers_and_substitution_reach_the_typed_form() {
    let stock = load_case("stock").config.expect("stock");
    assert_eq!(stock.app.title, "Scaffolded Backstage App");
    assert_eq!(stock.backend.database, Database::Memory);
    assert_eq!(stock.auth.guest, None, "no guest outside development");

    let github = load_case("github-org").config.expect("github-org");
    assert_eq!(github.app.base_url.as_ref().map(url::Url::as_str), Some("http://localhost:3000/"));
    let guest = github.auth.guest.as_ref().expect("a guest in development");
    assert_eq!(guest.user_entity_ref.to_string(), "user:default/robin");
    assert_eq!(github.raw["integrations"]["github"][0]["apps"][0]["appId"], 123_456);
    assert!(github.raw["backend"].get("cors").is_none(), "null hides a lower layer");

    let aws = load_case("aws").config.expect("aws");
    assert_eq!(aws.app.title, "Halcyon Developer Portal", "the environment wins over files");
    assert_eq!(aws.raw["backend"]["database"]["connection"]["password"], "canary-password-2");
    assert_eq!(aws.raw["catalog"]["readonly"], true, "a boolean in words");
    assert_eq!(aws.backend.listen.port, 7007);

    let kubernetes = load_case("kubernetes").config.expect("kubernetes");
    assert_eq!(kubernetes.backend.database, Database::Directory(PathBuf::from("/var/lib/backstage")));
    assert!(kubernetes.auth.guest.is_some(), "allowed outside development on purpose");
    assert_eq!(kubernetes.raw["auth"]["providers"]["oidc"]["production"]["clientSecret"], "canary-oidc-secret");

    let Database::Postgres(database) = aws.backend.database else { panic!("a PostgreSQL") };
    assert_eq!((database.host.as_str(), database.port), ("db.internal", 5432), "a port in a text");
    assert_eq!(database.password, Some(Secret::new("canary-password-2")));
    assert_eq!(database.tls.mode, TlsMode::Verified);
    assert_eq!((database.database.as_deref(), database.schema.as_deref()), (None, Some("callboard")));
    assert!(!database.creates_database, "with a schema per plugin there is no database to create");

    let large = load_case("large").config.expect("large");
    let Database::Postgres(database) = &large.backend.database else { panic!("a PostgreSQL") };
    assert_eq!(database.host, "db.corvus.example");
    assert_eq!(database.database.as_deref(), Some("backstage"));
    assert_eq!(database.connections, 12);
    assert_eq!(large.backend.listen.port, 7007, "a fallback in a flow mapping");
    assert!(large.permission.enabled);
}

#[test]
fn endpoints_of_the_proxy() {
    let proxy = check("proxy").config.expect("proxy").proxy;
    let routes: Vec<&str> = proxy.endpoints.iter().map(|endpoint| endpoint.route.as_str()).collect();
    assert_eq!(routes, ["/simple", "/full", "/open", "/clear", "/here", "/github", "/pagerduty/v2", "/older"]);
    let [simple, full, open, ..] = proxy.endpoints.as_slice() else { panic!("{routes:?}") };
    assert_eq!((simple.target.as_str(), simple.change_origin), ("https://simple.example/base", true));
    assert_eq!((&simple.path_rewrite, &simple.allowed_methods), (&None, &None));
    assert_eq!(simple.credentials, ProxyCredentials::Require);
    let rewrites = [("^/api/proxy/full/z/(.*)", "/y/$1"), ("^/api/proxy/full/a", "")];
    assert_eq!(full.path_rewrite, Some(rewrites.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec()), "in this order");
    assert_eq!((full.host.as_deref(), full.change_origin), (Some("virtual.example"), false));
    assert_eq!(full.allowed_methods, Some(vec!["GET".to_owned(), "post".to_owned()]));
    assert_eq!(full.credentials, ProxyCredentials::Forward);
    assert_eq!(full.timeout.as_secs(), 5);
    let headers: Vec<_> = full.headers.iter().map(|header| (header.name.as_str(), header.is_substituted)).collect();
    assert_eq!(headers, [("Authorization", true), ("X-Scope-OrgID", false)]);
    assert_eq!(open.credentials, ProxyCredentials::DangerouslyAllowUnauthenticated);
    assert!(!format!("{proxy:?}").contains(CANARY));

    assert!(check("proxy-mistakes").config.is_none());
}

/// The one of a configuration with this `backend.database`, or what is wrong with it.
fn database(yaml: &str) -> Result<Database, String> {
    let dir = tempfile::tempdir().expect("a folder");
    let text = format!("backend: {{ database: {yaml} }}");
    std::fs::write(dir.path().join("app-config.yaml"), text).expect("a file");
    let loaded =
        load(&Sources { files: vec!["app-config.yaml".into()], dir: dir.path().to_owned(), env: BTreeMap::new() });
    let report = loaded.report.to_string();
    assert!(!report.contains(CANARY), "{yaml}\n{report}");
    loaded.config.map(|config| config.backend.database).ok_or(report)
}

#[test]
fn databases() {
    fn check(yaml: &str, expected: impl FnOnce(&mut PostgresConfig)) {
        let mut config = PostgresConfig {
            database: Some("callboard".to_owned()),
            schema: Some("callboard".to_owned()),
            ..PostgresConfig::default()
        };
        expected(&mut config);
        let found = database(yaml).expect(yaml);
        // Compared as a whole: what Debug prints leaves secrets out.
        assert!(found == Database::Postgres(Box::new(config)), "{yaml}: {found:?}");
    }
    check("{ client: pg }", |_| {});
    check("{ client: pg, connection: 'postgres://u:canary@h:1/d?schema=s' }", |config| {
        config.host = "h".to_owned();
        config.port = 1;
        config.user = Some("u".to_owned());
        config.password = Some(Secret::new("canary"));
        config.database = Some("d".to_owned());
        config.schema = Some("s".to_owned());
    });
    check("{ client: pg, connection: { connectionString: 'postgres://u@h/d', user: v, port: '7' } }", |config| {
        config.host = "h".to_owned();
        config.port = 7;
        config.user = Some("v".to_owned());
        config.database = Some("d".to_owned());
    });
    check("{ client: pg, prefix: acme_, ensureExists: false, ensureSchemaExists: 'no', role: owner }", |config| {
        config.database = Some("acme_callboard".to_owned());
        config.creates_database = false;
        config.creates_schema = false;
        config.role = Some("owner".to_owned());
    });
    check("{ client: pg, pluginDivisionMode: schema, prefix: acme_ }", |config| {
        config.database = None;
        config.creates_database = false;
    });
    check("{ client: pg, knexConfig: { pool: { max: 1 } } }", |config| config.connections = 3);
    for (ssl, expected) in [
        ("true", TlsMode::Verified),
        ("'true'", TlsMode::Verified),
        ("false", TlsMode::Off),
        ("{ require: true }", TlsMode::Verified),
        ("{ rejectUnauthorized: false }", TlsMode::Unverified),
    ] {
        check(&format!("{{ client: pg, connection: {{ ssl: {ssl} }} }}"), |config| config.tls.mode = expected);
    }
    check("{ client: pg, connection: { ssl: { ca: a, cert: b, key: canary } } }", |config| {
        config.tls.mode = TlsMode::Verified;
        config.tls.ca = Some(Pem::Text("a".to_owned()));
        config.tls.certificate = Some(Pem::Text("b".to_owned()));
        config.tls.key = Some(Secret::new("canary"));
    });
    for (yaml, expected) in [
        (
            "{ client: postgres }",
            "backend.database.client: expected one of better-sqlite3, sqlite3, sqlite, pg, found `postgres`",
        ),
        ("{ client: pg, connection: ':memory:' }", "backend.database.connection: is no URL; write `postgres://"),
        ("{ client: pg, connection: 'mysql://u:canary@h/x' }", "does not begin with `postgres://`"),
        ("{ client: pg, connection: 'postgres://u:canary@h/x?pasword=canary' }", "has the parameter `pasword`"),
        ("{ client: pg, connection: { port: 70000 } }", "backend.database.connection.port: is not a port"),
        ("{ client: pg, connection: { port: many } }", "backend.database.connection.port: expected a number"),
        (
            "{ client: pg, connection: { ssl: perhaps } }",
            "backend.database.connection.ssl: expected true, false or a mapping",
        ),
        ("{ client: pg, connection: { password: 7 } }", "put the number in quotes"),
        ("{ client: pg, pluginDivisionMode: table }", "expected one of database, schema"),
        ("{ connection: 'postgres://u:canary@h/x' }", "`client: pg` beside it for PostgreSQL"),
    ] {
        let report = database(yaml).expect_err(yaml);
        assert!(report.contains(expected), "{yaml}\n{report}");
    }
}

#[test]
fn the_example_configuration_has_no_findings() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = Sources { files: vec!["app-config.yaml".into()], dir, env: BTreeMap::new() };
    let Loaded { config, report } = load(&sources);
    assert!(report.is_accepted(true), "{report}");
    let config = config.expect("the example");
    assert_eq!(config.plugins.iter().map(|plugin| plugin.id.as_str()).collect::<Vec<_>>(), ["s3"]);
    assert_eq!(config.auth.development_users.len(), 2);
    assert!(config.auth.guest.is_some());
}
