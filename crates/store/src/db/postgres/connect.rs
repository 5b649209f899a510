//! Getting to the server, and what is ours there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};

use crate::Error;
use crate::config::{Pem, PostgresConfig, TlsMode};
use crate::limits::{BUSY, CONNECT, IDLE_IN_TRANSACTION, PREPARED};

/// The oldest version that is known to do: it is the oldest that is still maintained, with one to spare.
const OLDEST: u32 = 130_000;

/// The database that every server has, from which another one is created.
const MAINTENANCE: &str = "postgres";

/// The first pause before another attempt, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Where to connect to. Cheap to clone.
#[derive(Clone)]
pub(super) struct Server {
    options: Arc<PgConnectOptions>,
    place: Arc<str>,
    /// What holds for every connection.
    setup: Arc<str>,
}

impl Server {
    pub(super) fn new(config: &PostgresConfig) -> Server {
        let mut setup = format!(
            "SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; SET client_min_messages = warning; \
             SET jit = off",
            BUSY.as_millis(),
            IDLE_IN_TRANSACTION.as_millis()
        );
        if let Some(role) = &config.role {
            setup.push_str(&format!("; SET ROLE {}", quoted(role)));
        }
        if let Some(schema) = &config.schema {
            setup.push_str(&format!("; SET search_path = {}", quoted(schema)));
        }
        Server { options: Arc::new(options(config)), place: config.place().into(), setup: setup.into() }
    }

    /// What the writing connection is told first.
    pub(super) fn writer_setup(&self) -> String {
        self.setup.to_string()
    }

    /// What a reading connection is told first: it cannot write, and gives up what takes too long.
    pub(super) fn reader_setup(&self) -> String {
        let limit = BUSY.as_millis();
        format!("{}; SET default_transaction_read_only = on; SET statement_timeout = {limit}", self.setup)
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        (*self.options).clone()
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        self.options.connect().await
    }

    /// A later failure to connect.
    pub(super) fn unavailable(&self, error: &sqlx::Error) -> Error {
        Error::Unavailable(format!("PostgreSQL at {}: {}", self.place, reason(error)))
    }

    /// Neither an answer nor an error.
    pub(super) fn silent(&self) -> Error {
        Error::Unavailable(format!("PostgreSQL at {} does not answer", self.place))
    }

    /// Waits for the server, creates what is to be created, and returns the name of the schema.
    pub(super) async fn prepare(&self, config: &PostgresConfig) -> Result<String, Error> {
        let begun = Instant::now();
        let mut pause = PAUSE.0;
        loop {
            let error = match tokio::time::timeout(CONNECT, self.try_prepare(config)).await {
                Ok(Ok(schema)) => return Ok(schema),
                Ok(Err(Refusal::Version(version))) => {
                    return Err(self.refused(
                        format!("it has version {}, and at least {} is needed", version / 10_000, OLDEST / 10_000),
                        "Upgrade the server",
                    ));
                }
                Ok(Err(Refusal::Driver(error))) if !may_pass(&error) => {
                    return Err(self.refused(reason(&error), fix(&error)));
                }
                Ok(Err(Refusal::Driver(error))) => error,
                Err(_) => sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "it does not answer")),
            };
            if begun.elapsed() + pause > config.patience {
                return Err(self.refused(reason(&error), fix(&error)));
            }
            tracing::warn!(
                reason = reason(&error),
                "PostgreSQL at {} cannot be used yet; trying for {} s",
                self.place,
                config.patience.as_secs()
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn try_prepare(&self, config: &PostgresConfig) -> Result<String, Refusal> {
        let mut connection = match self.connect().await {
            Err(error) if config.creates_database && code(&error) == "3D000" => {
                self.create_database(config).await?;
                self.connect().await?
            }
            connection => connection?,
        };
        let version = connection.server_version_num().unwrap_or(OLDEST);
        if version < OLDEST {
            return Err(Refusal::Version(version));
        }
        if let Some(role) = &config.role {
            connection.execute(AssertSqlSafe(format!("SET ROLE {}", quoted(role)))).await?;
        }
        if let Some(schema) = config.schema.as_ref().filter(|_| config.creates_schema) {
            let exists = sqlx::query("SELECT 1 FROM pg_namespace WHERE nspname = $1").bind(schema);
            if exists.fetch_optional(&mut connection).await?.is_none() {
                let create = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
                ignoring_rivals(connection.execute(AssertSqlSafe(create)).await)?;
            }
        }
        super::script(&mut connection, self.setup.to_string()).await?;
        let schema: Option<String> =
            sqlx::query("SELECT current_schema()::text").fetch_one(&mut connection).await?.try_get(0)?;
        connection.close().await.ok();
        // None of the search path exists, or may be used: the first CREATE TABLE says so better than we could.
        Ok(schema.unwrap_or_else(|| "public".to_owned()))
    }

    async fn create_database(&self, config: &PostgresConfig) -> Result<(), sqlx::Error> {
        let Some(name) = &config.database else { return Ok(()) };
        let mut connection = self.options().database(MAINTENANCE).connect().await?;
        if let Some(role) = &config.role {
            connection.execute(AssertSqlSafe(format!("SET ROLE {}", quoted(role)))).await?;
        }
        let created = connection.execute(AssertSqlSafe(format!("CREATE DATABASE {}", quoted(name)))).await;
        connection.close().await.ok();
        ignoring_rivals(created)?;
        tracing::info!("created the database {name}");
        Ok(())
    }

    fn refused(&self, reason: String, fix: &'static str) -> Error {
        Error::Connect { place: self.place.to_string(), reason, fix }
    }
}

enum Refusal {
    Driver(sqlx::Error),
    Version(u32),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Refusal::Driver(error)
    }
}

/// Another replica that starts at the same moment may have created it first.
fn ignoring_rivals<T>(created: Result<T, sqlx::Error>) -> Result<(), sqlx::Error> {
    match created {
        Err(error) if !["42P04", "42P06", "23505"].contains(&code(&error).as_str()) => Err(error),
        _ => Ok(()),
    }
}

fn options(config: &PostgresConfig) -> PgConnectOptions {
    // The file of passwords in somebody's home is for people.
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&config.host)
        .port(config.port)
        .application_name(&config.application_name)
        .statement_cache_capacity(PREPARED)
        .ssl_mode(match config.tls.mode {
            // Nobody is between us and a socket of this machine.
            _ if config.host.starts_with('/') => PgSslMode::Disable,
            TlsMode::Off => PgSslMode::Disable,
            TlsMode::Offered => PgSslMode::Prefer,
            TlsMode::Unverified => PgSslMode::Require,
            TlsMode::Authority => PgSslMode::VerifyCa,
            TlsMode::Verified => PgSslMode::VerifyFull,
        })
        .disable_statement_logging();
    if let Some(user) = &config.user {
        options = options.username(user);
    }
    if let Some(password) = &config.password {
        options = options.password(password.expose());
    }
    if let Some(database) = &config.database {
        options = options.database(database);
    }
    options = match &config.tls.ca {
        Some(Pem::Text(text)) => options.ssl_root_cert_from_pem(text.clone().into_bytes()),
        Some(Pem::File(path)) => options.ssl_root_cert(path),
        None => options,
    };
    options = match &config.tls.certificate {
        Some(Pem::Text(text)) => options.ssl_client_cert_from_pem(text),
        Some(Pem::File(path)) => options.ssl_client_cert(path),
        None => options,
    };
    match &config.tls.key {
        Some(key) => options.ssl_client_key_from_pem(key.expose()),
        None => options,
    }
}

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned()
}

/// What was said, without the driver's words about itself.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Whether waiting may help: the server is starting, or its name is not known yet.
fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        error if is_tls(error) => false,
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::PermissionDenied,
        sqlx::Error::Database(_) => ["57P03", "57P01", "57P02", "53300"].contains(&code(error).as_str()),
        _ => false,
    }
}

/// The TLS library speaks through the socket: a certificate that it does not take is data that it does not take.
fn is_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

fn fix(error: &sqlx::Error) -> &'static str {
    match error {
        error if is_tls(error) => {
            "Check `ssl`: `ssl: { ca: … }` names who signed the server's certificate, `ssl: { rejectUnauthorized: false }` \
             accepts any, and `ssl: false` does without"
        }
        sqlx::Error::Io(_) => "Check `host` and `port`, and that the server is running and can be reached from here",
        _ => match code(error).as_str() {
            "28P01" => "Check `user` and `password`",
            "28000" => "Check `user`, and the server's pg_hba.conf",
            "3D000" => "Create the database, or let it be created with `ensureExists: true`",
            "42501" => "Give the user the right to do that, or create the database and the schema yourself",
            "53300" => "Raise max_connections of the server, or lower `knexConfig.pool.max`",
            "57P03" | "57P01" | "57P02" => "Wait until the server has started",
            _ => "Check `backend.database`",
        },
    }
}

/// A name as SQL has it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}
