//! Where the database is.

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::{POSTGRES_CONNECTIONS, STARTUP};

mod url;

pub use url::UrlError;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseConfig {
    /// A SQLite file. It and its folder are created where they do not exist.
    File(PathBuf),
    /// A SQLite database that is gone when the last [`Db`](crate::Db) is dropped: for trials and tests.
    Memory,
    /// A PostgreSQL server, which several replicas may share.
    Postgres(Box<PostgresConfig>),
}

/// How PostgreSQL is reached, and what in it is ours.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// A name, an address, or the folder of a Unix socket, which begins with `/`.
    pub host: String,
    /// 5432 where nothing else is said.
    pub port: u16,
    /// Who we are there; none leaves it to `PGUSER` or the system's user, as every client of PostgreSQL does.
    pub user: Option<String>,
    /// None leaves it to `PGPASSWORD`; a server that trusts us asks for none.
    pub password: Option<Secret>,
    /// The database; none is the one with the user's name.
    pub database: Option<String>,
    /// The schema of the tables; none is the first of the user's search path, which usually is `public`.
    pub schema: Option<String>,
    /// A role to take on after connecting, which then owns the tables.
    pub role: Option<String>,
    /// Whether and how the connection is encrypted.
    pub tls: Tls,
    /// Connections at once: one writes, one listens, and the others read. At least three.
    pub connections: u32,
    /// Whether the database is created where there is none.
    pub creates_database: bool,
    /// Whether the schema is created where there is none.
    pub creates_schema: bool,
    /// How we are called in the server's list of connections.
    pub application_name: String,
    /// For how long the start waits for a server that is not there yet.
    pub patience: Duration,
}

/// Encryption of the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether, and what must be right about the server's certificate.
    pub mode: TlsMode,
    /// Who may have signed the server's certificate, as PEM; none stands for the public authorities.
    pub ca: Option<Pem>,
    /// Our own certificate.
    pub certificate: Option<Pem>,
    /// Its key.
    pub key: Option<Secret>,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Off,
    /// Where the server offers it, whatever its certificate says.
    #[default]
    Offered,
    /// Always, whatever the server's certificate says.
    Unverified,
    /// Always, with a certificate of a known authority, for whatever host.
    Authority,
    /// Always, with a certificate of a known authority for this host.
    Verified,
}

/// A certificate, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pem {
    /// The text.
    Text(String),
    /// A file.
    File(PathBuf),
}

/// A text that nothing prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the connection only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// What may be a secret, or came out of the environment like one, is left out.
impl std::fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("database", &self.database)
            .field("schema", &self.schema)
            .field("tls", &self.tls.mode)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl Default for PostgresConfig {
    fn default() -> Self {
        PostgresConfig {
            host: "localhost".to_owned(),
            port: 5432,
            user: None,
            password: None,
            database: None,
            schema: None,
            role: None,
            tls: Tls::default(),
            connections: POSTGRES_CONNECTIONS,
            creates_database: true,
            creates_schema: true,
            application_name: "callboard".to_owned(),
            patience: STARTUP,
        }
    }
}

impl PostgresConfig {
    /// Reads `postgres://user:password@host:5432/database?sslmode=…`.
    ///
    /// # Errors
    /// It is no such URL, or has a parameter that is not known. The error never repeats the URL, which may hold a
    /// password.
    pub fn from_url(text: &str) -> Result<PostgresConfig, UrlError> {
        url::parse(text)
    }

    /// For messages: the server, and who wants what there.
    pub(crate) fn place(&self) -> String {
        let server = match self.host.strip_prefix('/') {
            Some(_) => format!("{}/.s.PGSQL.{}", self.host, self.port),
            None if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            None => format!("{}:{}", self.host, self.port),
        };
        let named = |name: Option<&String>| name.map_or_else(|| "by default".to_owned(), |name| format!("\"{name}\""));
        format!("{server} (database {}, user {})", named(self.database.as_ref()), named(self.user.as_ref()))
    }
}
