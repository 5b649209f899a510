//! Connection strings, as the drivers of Node.js and libpq read them.

use super::{Pem, PostgresConfig, Secret, TlsMode};
use url::Url;

/// A connection string that cannot be used. It never repeats the string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlError(String);

/// What other clients read and what changes nothing here.
const WITHOUT_EFFECT: &[&str] = &["connect_timeout", "fallback_application_name", "keepalives", "uselibpqcompat"];

pub(super) fn parse(text: &str) -> Result<PostgresConfig, UrlError> {
    let refuse = |message: &str| Err(UrlError(message.to_owned()));
    let Ok(url) = Url::parse(text) else {
        return refuse(
            "is no URL; write `postgres://user:password@host:5432/database`, with `%40` for an `@` in the password",
        );
    };
    if !["postgres", "postgresql"].contains(&url.scheme()) {
        return refuse("does not begin with `postgres://` or `postgresql://`");
    }
    let mut config = PostgresConfig::default();
    if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
        let host = decode(host)?;
        config.host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host).to_owned();
    }
    if let Some(port) = url.port() {
        config.port = port;
    }
    if !url.username().is_empty() {
        config.user = Some(decode(url.username())?);
    }
    if let Some(password) = url.password() {
        config.password = Some(Secret::new(decode(password)?));
    }
    let database = url.path().trim_start_matches('/');
    if !database.is_empty() {
        config.database = Some(decode(database)?);
    }
    for (name, value) in url.query_pairs() {
        parameter(&mut config, &name, value.into_owned())?;
    }
    Ok(config)
}

fn parameter(config: &mut PostgresConfig, name: &str, value: String) -> Result<(), UrlError> {
    match name {
        "host" => config.host = value,
        "port" => config.port = value.parse().map_err(|_| UrlError("has a `port` that is no port".to_owned()))?,
        "user" => config.user = Some(value),
        "password" => config.password = Some(Secret::new(value)),
        "dbname" => config.database = Some(value),
        "schema" => config.schema = Some(value),
        "application_name" => config.application_name = value,
        "ssl" => {
            config.tls.mode = match value.as_str() {
                "true" | "1" => TlsMode::Verified,
                "false" | "0" => TlsMode::Off,
                _ => return Err(UrlError("has an `ssl` that is neither `true` nor `false`".to_owned())),
            }
        }
        "sslmode" => config.tls.mode = ssl_mode(&value)?,
        "sslrootcert" => config.tls.ca = Some(Pem::File(value.into())),
        "sslcert" => config.tls.certificate = Some(Pem::File(value.into())),
        _ if WITHOUT_EFFECT.contains(&name) => {}
        _ => {
            return Err(UrlError(format!(
                "has the parameter `{name}`, which is not known; there may be host, port, user, password, dbname, \
                 schema, application_name, ssl, sslmode, sslrootcert and sslcert"
            )));
        }
    }
    Ok(())
}

/// `require` verifies, as it does in Backstage: there, `no-verify` is the word for not looking.
fn ssl_mode(word: &str) -> Result<TlsMode, UrlError> {
    match word {
        "disable" => Ok(TlsMode::Off),
        "allow" | "prefer" => Ok(TlsMode::Offered),
        "no-verify" => Ok(TlsMode::Unverified),
        "verify-ca" => Ok(TlsMode::Authority),
        "require" | "verify-full" => Ok(TlsMode::Verified),
        _ => Err(UrlError(
            "has an `sslmode` that is not known; there may be disable, prefer, no-verify, verify-ca, require and \
             verify-full"
                .to_owned(),
        )),
    }
}

fn decode(text: &str) -> Result<String, UrlError> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| UrlError("has a part that is not UTF-8 once its `%` are resolved".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings() {
        let config = parse("postgresql://back%40stage:p%40ss%2Fword@db.example:6432/portal?sslmode=require").unwrap();
        assert_eq!(config.host, "db.example");
        assert_eq!(config.port, 6432);
        assert_eq!(config.user.as_deref(), Some("back@stage"));
        assert_eq!(config.password, Some(Secret::new("p@ss/word")));
        assert_eq!(config.database.as_deref(), Some("portal"));
        assert_eq!(config.tls.mode, TlsMode::Verified);
        for (text, host) in [
            ("postgres://%2Frun%2Fpostgresql/x", "/run/postgresql"),
            ("postgres:///x?host=/run/postgresql", "/run/postgresql"),
            ("postgres://[::1]:5432/x", "::1"),
            ("postgres://u@/x", "localhost"),
        ] {
            match parse(text) {
                Ok(config) => assert_eq!(config.host, host, "{text}"),
                // The WHATWG rules know no user without a host.
                Err(error) => assert!(text.contains("u@/"), "{text}: {error}"),
            }
        }
        let file = parse("postgres://h/x?sslmode=verify-ca&sslrootcert=/etc/ca.pem").unwrap();
        assert_eq!((file.tls.mode, file.tls.ca), (TlsMode::Authority, Some(Pem::File("/etc/ca.pem".into()))));
    }

    #[test]
    fn what_cannot_be_used_is_named_without_the_password() {
        for (text, expected) in [
            ("mysql://u:canary@h/x", "does not begin with `postgres://`"),
            ("u:canary@h/x", "does not begin with"),
            ("postgres://u:canary@h:99999/x", "is no URL"),
            ("postgres://u:canary@h/x?sslmode=canary", "`sslmode` that is not known"),
            ("postgres://u:canary@h/x?ssl=canary", "neither `true` nor `false`"),
            ("postgres://u:canary@h/x?pasword=canary", "the parameter `pasword`"),
            ("postgres://u:canary@h/x?port=canary", "`port` that is no port"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn nothing_prints_the_password() {
        let config = parse("postgres://u:canary@h/x").unwrap();
        let shown = format!("{config:?} {:#?} {}", config, config.place());
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("h:5432 (database \"x\", user \"u\")"), "{shown}");
    }
}
