//! The servers that an API's definition names: OpenAPI 3 `servers`, Swagger 2 `host`, `basePath` and `schemes`.

use std::collections::BTreeSet;

use callboard_model::yaml;
use serde_json::Value;
use url::Url;

/// At most so many addresses come out of one definition's variables; a definition with more is not one to expand.
const MAX_SERVERS: usize = 1_000;

/// The servers of one definition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Servers {
    urls: Vec<Url>,
    /// Whether there are some without a host of their own.
    relative: bool,
}

/// Why a request is not for a server of the definition.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotNamed {
    #[error("the entity's definition is neither JSON nor YAML: {0}")]
    Unreadable(String),
    #[error(
        "the definition names its server only by a path, so nobody knows on which host it is; give it an absolute URL \
         (OpenAPI 3: `servers`; Swagger 2: `host`)"
    )]
    OnlyRelative,
    #[error("the definition names no server (OpenAPI 3: `servers`; Swagger 2: `host`, `basePath`, `schemes`)")]
    None,
    #[error("{url} does not belong to a server that the definition names; it names {}", .named.join(", "))]
    Other { url: String, named: Vec<String> },
}

impl Servers {
    /// Reads a definition.
    pub(crate) fn of(definition: &str) -> Result<Servers, NotNamed> {
        let document = read(definition)?;
        let mut servers = Servers { urls: Vec::new(), relative: false };
        if document.get("swagger").is_some() {
            servers.add_swagger(&document);
        } else {
            servers.add_openapi(&document);
        }
        servers.urls.sort();
        servers.urls.dedup();
        Ok(servers)
    }

    /// Checks that a URL is below one of them.
    pub(crate) fn check(&self, url: &Url) -> Result<(), NotNamed> {
        if self.urls.iter().any(|server| is_below(url, server)) {
            return Ok(());
        }
        if self.urls.is_empty() {
            return Err(if self.relative { NotNamed::OnlyRelative } else { NotNamed::None });
        }
        let named = self.urls.iter().take(5).map(ToString::to_string).collect();
        Err(NotNamed::Other { url: url.to_string(), named })
    }

    fn add_swagger(&mut self, document: &Value) {
        let text = |key: &str| document.get(key).and_then(Value::as_str);
        let base = text("basePath").unwrap_or("/");
        let Some(host) = text("host") else {
            self.relative = true;
            return;
        };
        // Where no scheme is given, it is the one by which the document itself was read: nobody knows it here, and
        // either leads to the host that is named.
        let given: Vec<&str> = document
            .get("schemes")
            .and_then(Value::as_array)
            .map(|schemes| schemes.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let schemes = if given.is_empty() { vec!["https", "http"] } else { given };
        for scheme in schemes {
            self.add(&format!("{scheme}://{host}/{}", base.trim_start_matches('/')));
        }
    }

    fn add_openapi(&mut self, document: &Value) {
        self.add_list(document);
        let paths = document.get("paths").and_then(Value::as_object);
        for item in paths.into_iter().flat_map(|paths| paths.values()) {
            self.add_list(item);
            for operation in item.as_object().into_iter().flat_map(|item| item.values()) {
                self.add_list(operation);
            }
        }
    }

    fn add_list(&mut self, holder: &Value) {
        let list = holder.get("servers").and_then(Value::as_array);
        for server in list.into_iter().flatten() {
            if let Some(template) = server.get("url").and_then(Value::as_str) {
                for url in expand(template, server.get("variables").unwrap_or(&Value::Null)) {
                    self.add(&url);
                }
            }
        }
    }

    fn add(&mut self, url: &str) {
        match Url::parse(url) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {}
            // Whoever reads `bank.example@other.example` takes it for the bank's.
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {}
            Ok(url) if self.urls.len() < MAX_SERVERS => self.urls.push(url),
            Err(url::ParseError::RelativeUrlWithoutBase) => self.relative = true,
            _ => {}
        }
    }
}

fn read(definition: &str) -> Result<Value, NotNamed> {
    match serde_json::from_str(definition) {
        Ok(value) => Ok(value),
        Err(_) => yaml::value(definition).map_err(|error| NotNamed::Unreadable(error.to_string())),
    }
}

/// A server's URL with each value that the definition lists for its variables. A variable that lists none has its
/// default: a free one could name any host.
fn expand(template: &str, variables: &Value) -> Vec<String> {
    let mut urls = vec![template.to_owned()];
    for (name, variable) in variables.as_object().into_iter().flatten() {
        let placeholder = format!("{{{name}}}");
        if !template.contains(&placeholder) {
            continue;
        }
        let listed = variable.get("enum").and_then(Value::as_array).into_iter().flatten();
        let values: BTreeSet<&str> =
            variable.get("default").into_iter().chain(listed).filter_map(Value::as_str).collect();
        let filled = urls.iter().flat_map(|url| values.iter().map(|value| url.replace(&placeholder, value)));
        urls = filled.take(MAX_SERVERS).collect();
    }
    urls
}

fn is_below(url: &Url, server: &Url) -> bool {
    let base = server.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(base);
    url.origin() == server.origin()
        && url.username().is_empty()
        && url.password().is_none()
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(definition: &str, url: &str) -> String {
        let checked = Servers::of(definition).and_then(|servers| servers.check(&Url::parse(url).unwrap()));
        checked.map_or_else(|error| error.to_string(), |()| "named".to_owned())
    }

    #[test]
    fn openapi_3() {
        fn check(servers: &str, url: &str, named: bool) {
            let definition =
                format!("openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\nservers: {servers}\npaths: {{}}\n");
            assert_eq!(outcome(&definition, url) == "named", named, "{servers} {url}");
        }
        let plain = "[{url: 'https://api.example/v1'}]";
        check(plain, "https://api.example/v1", true);
        check(plain, "https://api.example/v1/", true);
        check(plain, "https://api.example/v1/pets?status=sold", true);
        check(plain, "https://API.example:443/v1/pets", true);
        check(plain, "https://api.example/v10", false);
        check(plain, "https://api.example/", false);
        check(plain, "https://api.example/v1/../admin", false);
        check(plain, "https://api.example/v1/%2e%2e/admin", false);
        check(plain, "http://api.example/v1/pets", false);
        check(plain, "https://api.example:8443/v1/pets", false);
        check(plain, "https://api.example.evil/v1/pets", false);
        check(plain, "https://user@api.example/v1/pets", false);
        check("[{url: 'https://api.example/'}]", "https://api.example/pets", true);
        check("[{url: 'https://a.example'}, {url: 'https://b.example'}]", "https://b.example/pets", true);
        check("[{url: 'file:///etc/passwd'}]", "https://api.example/", false);
        let variables = "[{url: 'https://{region}.api.example:{port}/{v}', variables: {region: {default: eu, enum: [eu, \
                         us]}, port: {default: '8443', enum: ['8443', '443']}, v: {default: v2}}}]";
        check(variables, "https://eu.api.example:8443/v2/pets", true);
        check(variables, "https://us.api.example/v2/pets", true);
        check(variables, "https://ap.api.example/v2/pets", false);
        check(variables, "https://us.api.example/v3/pets", false);
        check("[{url: 'https://{host}', variables: {host: {default: a.example}}}]", "https://b.example/", false);
        check("[{url: 'https://{host}'}]", "https://b.example/", false);
    }

    #[test]
    fn openapi_3_below_paths() {
        let definition = r#"{"openapi": "3.1.0", "paths": {
            "/a": {"servers": [{"url": "https://a.example"}], "get": {"servers": [{"url": "https://b.example"}]}}}}"#;
        assert_eq!(outcome(definition, "https://a.example/a"), "named");
        assert_eq!(outcome(definition, "https://b.example/a"), "named");
        assert_ne!(outcome(definition, "https://c.example/a"), "named");
    }

    #[test]
    fn swagger_2() {
        fn check(rest: &str, url: &str, named: bool) {
            let definition = format!("{{\"swagger\": \"2.0\", {rest}}}");
            assert_eq!(outcome(&definition, url) == "named", named, "{rest} {url}");
        }
        let petstore = r#""host": "petstore.example", "basePath": "/v2", "schemes": ["https"]"#;
        check(petstore, "https://petstore.example/v2/pet/findByStatus?status=available", true);
        check(petstore, "http://petstore.example/v2/pet/1", false);
        check(petstore, "https://petstore.example/v3/pet/1", false);
        check(r#""host": "petstore.example""#, "http://petstore.example/pet", true);
        check(r#""host": "petstore.example:8080", "basePath": "v2""#, "http://petstore.example:8080/v2/pet", true);
        check(r#""host": "petstore.example", "schemes": ["wss"]"#, "https://petstore.example/", false);
        check(r#""host": "petstore.example@evil.example""#, "https://evil.example/", false);
    }

    #[test]
    fn explanations() {
        fn check(definition: &str, start: &str) {
            let found = outcome(definition, "https://a.example/x");
            assert!(found.starts_with(start), "{found}");
        }
        check(r#"{"openapi": "3.0.0", "servers": [{"url": "/v1"}]}"#, "the definition names its server only by a path");
        check(r#"{"swagger": "2.0", "basePath": "/v1"}"#, "the definition names its server only by a path");
        check(r#"{"openapi": "3.0.0"}"#, "the definition names no server");
        check("just a text", "the definition names no server");
        check("a: [", "the entity's definition is neither JSON nor YAML");
        check(
            r#"{"openapi": "3.0.0", "servers": [{"url": "https://b.example/v1"}]}"#,
            "https://a.example/x does not belong to a server that the definition names; it names https://b.example/v1",
        );
    }
}
