//! `backend.database`: where the data is kept.

use std::path::Path;

use callboard_store::limits::{POSTGRES_CONNECTIONS, POSTGRES_CONNECTIONS_LEAST};
use callboard_store::{Pem, PostgresConfig, Secret, TlsMode};

use super::Build;
use crate::config::model::Database;
use crate::config::node::{Data, Node};

const CONNECTION: &str = "backend.database.connection";

/// The database and the schema, where nothing else is said. The schema is not `public`, because another program's
/// tables may be there, and because ordinary users may no longer create tables in it.
const OURS: &str = "callboard";

impl Build<'_> {
    pub(super) fn database(&mut self, base_dir: &Path) -> Database {
        if self.text("backend.database.client").as_deref() == Some("pg") {
            return self.postgres().map_or(Database::DataDir, |config| Database::Postgres(Box::new(config)));
        }
        let Some(connection) = self.root.at(CONNECTION) else { return Database::DataDir };
        match &connection.data {
            Data::Text(text) if text == ":memory:" => Database::Memory,
            Data::Mapping(_) => match self.text("backend.database.connection.directory") {
                Some(directory) => Database::Directory(base_dir.join(directory)),
                None => Database::DataDir,
            },
            _ => {
                let fix = "Write `:memory:` or `{ directory: … }`, or `client: pg` beside it for PostgreSQL.";
                self.fail(CONNECTION, connection, "is not a place for a SQLite database", fix);
                Database::DataDir
            }
        }
    }

    fn postgres(&mut self) -> Option<PostgresConfig> {
        let mut config = self.connection()?;
        let by_schema = self.text("backend.database.pluginDivisionMode").as_deref() == Some("schema");
        if config.database.is_none() && !by_schema {
            let prefix = self.text("backend.database.prefix").unwrap_or_default();
            config.database = Some(format!("{prefix}{OURS}"));
        }
        config.schema.get_or_insert_with(|| OURS.to_owned());
        config.role = self.text("backend.database.role");
        config.creates_database = !by_schema && !self.is_off("backend.database.ensureExists");
        config.creates_schema = !self.is_off("backend.database.ensureSchemaExists");
        config.connections = self.connections();
        Some(config)
    }

    /// What is said about the server: a URL, or a mapping that may hold one.
    fn connection(&mut self) -> Option<PostgresConfig> {
        let Some(connection) = self.root.at(CONNECTION) else { return Some(PostgresConfig::default()) };
        let string = match connection.text() {
            Some(_) => Some((CONNECTION.to_owned(), connection)),
            None => connection.get("connectionString").map(|node| (format!("{CONNECTION}.connectionString"), node)),
        };
        let mut config = PostgresConfig::default();
        if let Some((path, node)) = string {
            match PostgresConfig::from_url(node.text().unwrap_or_default()) {
                Ok(read) => config = read,
                Err(error) => {
                    self.fail(&path, node, &error.to_string(), "");
                    return None;
                }
            }
        }
        let text = |key: &str| self.text(&format!("{CONNECTION}.{key}"));
        if let Some(host) = text("host") {
            config.host = host;
        }
        config.user = text("user").or(config.user);
        config.password = text("password").map(Secret::new).or(config.password);
        config.database = text("database").or(config.database);
        config.schema = text("schema").or(config.schema);
        if let Some(name) = text("application_name") {
            config.application_name = name;
        }
        if let Some(port) = connection.get("port").filter(|_| !self.is_reported("backend.database.connection.port")) {
            match port.to_json().as_u64().and_then(|port| u16::try_from(port).ok()) {
                Some(port) => config.port = port,
                None => {
                    self.fail("backend.database.connection.port", port, "is not a port", "Write 1 to 65535.");
                    return None;
                }
            }
        }
        if let Some(ssl) = connection.get("ssl") {
            encryption(ssl, &mut config);
        }
        Some(config)
    }

    fn connections(&mut self) -> u32 {
        const PATH: &str = "backend.database.knexConfig.pool.max";
        let Some(node) = self.root.at(PATH) else { return POSTGRES_CONNECTIONS };
        let most = node.to_json().as_u64().and_then(|most| u32::try_from(most).ok()).unwrap_or(POSTGRES_CONNECTIONS);
        if most < POSTGRES_CONNECTIONS_LEAST {
            let message = format!("is too few; {POSTGRES_CONNECTIONS_LEAST} are used");
            let fix = "One connection writes, one listens, and at least one reads.";
            self.warn(PATH, node, &message, fix);
        }
        most.max(POSTGRES_CONNECTIONS_LEAST)
    }

    fn is_off(&self, path: &str) -> bool {
        self.root.at(path).is_some_and(|node| node.data == Data::Bool(false))
    }
}

/// As the driver of Node.js has it: whatever is there means encryption, and verification unless it is refused.
fn encryption(ssl: &Node, config: &mut PostgresConfig) {
    config.tls.mode = match &ssl.data {
        Data::Bool(false) => TlsMode::Off,
        Data::Mapping(_) if ssl.get("rejectUnauthorized").is_some_and(|node| node.data == Data::Bool(false)) => {
            TlsMode::Unverified
        }
        _ => TlsMode::Verified,
    };
    let text = |key: &str| ssl.get(key).and_then(Node::text).map(str::to_owned);
    config.tls.ca = text("ca").map(Pem::Text).or(config.tls.ca.take());
    config.tls.certificate = text("cert").map(Pem::Text).or(config.tls.certificate.take());
    config.tls.key = text("key").map(Secret::new).or(config.tls.key.take());
}
