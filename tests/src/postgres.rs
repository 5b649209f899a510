//! A PostgreSQL for tests: `cargo xtask test` starts a private server and says in `CALLBOARD_POSTGRES` where it is.
//!
//! The tests of the crates below the portal take this file by its path, so it knows nothing but the store.

use std::sync::atomic::{AtomicU64, Ordering};

use callboard_store::{DatabaseConfig, PostgresConfig};

/// Where the tests' server is: a URL of somebody who may create databases there.
pub const VARIABLE: &str = "CALLBOARD_POSTGRES";

/// The file of who signed that server's certificate, which is for `localhost`.
pub const VARIABLE_CA: &str = "CALLBOARD_POSTGRES_CA";

/// Room for one test that nobody else uses: a schema of its own, which is created when it is opened.
///
/// # Panics
/// There is no server. A test that was skipped in silence would be taken for one that passed.
#[must_use]
pub fn fresh() -> PostgresConfig {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    // Of a process that is long gone there may still be tables, where the server is a developer's own.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_micros());
    let schema = format!("test_{}_{now}_{number}", std::process::id());
    PostgresConfig { schema: Some(schema), connections: 5, ..server() }
}

/// The same, as the store takes it.
#[must_use]
pub fn database() -> DatabaseConfig {
    DatabaseConfig::Postgres(Box::new(fresh()))
}

/// A database of its own, for what concerns the whole of it, such as its size. It stays until the server goes.
#[must_use]
pub fn own_database() -> PostgresConfig {
    let config = fresh();
    PostgresConfig { database: config.schema.clone(), schema: None, ..config }
}

/// The server, as its URL has it.
///
/// # Panics
/// There is none.
#[must_use]
#[allow(clippy::panic, reason = "a test must not go on without it, and must say what to do")]
pub fn server() -> PostgresConfig {
    let url = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set. Run `cargo xtask test`, which starts a PostgreSQL for the tests; for some of \
             them run `cargo xtask postgres cargo test --package callboard-store`, for example; or name a server of your own: \
             {VARIABLE}=postgres://user:password@localhost:5432/postgres, where the user may create databases"
        )
    });
    PostgresConfig::from_url(&url).unwrap_or_else(|error| panic!("{VARIABLE} {error}"))
}
