//! Giving back the room of rows that are gone.
//!
//! The server does that by itself, once a minute at best. A catalog that is read for the first time is there within
//! seconds: its planner would know nothing of the tables until then, and what changes several times within the minute
//! would leave several times its room behind.

use sqlx::{Connection as _, PgConnection, Row as _};

use super::connect::Server;
use super::failure::classify;
use super::script;
use crate::Error;

/// The tables of which a tenth changed. `reltuples` is as of the last such look. The smallest are left to the server:
/// they take a few pages whatever happens to them.
const CHANGED: &str = "SELECT s.relid::regclass::text FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid \
     WHERE s.schemaname = current_schema() AND c.relkind = 'r' AND greatest(s.n_dead_tup, s.n_mod_since_analyze) \
     > 500 + greatest(c.reltuples, 0) / 10 ORDER BY 1";

/// Whether a table is mostly room, by what was found when it was looked at just before: more than half a page for each
/// row, and few rows. A queue is so once everything in it is done.
const HOLLOW: &str = "SELECT reltuples BETWEEN 0 AND 10000 AND pg_relation_size(oid) > 4096 * (reltuples + 64) \
     FROM pg_class WHERE oid = $1::regclass";

/// On a connection of its own, which waits for nothing but the disk: no transaction may be around this, and it takes
/// longer than any other statement may.
pub(super) async fn tidy(server: &Server) -> Result<(), Error> {
    let mut connection = server.connect().await.map_err(|error| server.unavailable(&error))?;
    let tidied = tables(&mut connection, server.writer_setup()).await;
    connection.close().await.ok();
    tidied.map_err(|error| classify(&error).error)
}

async fn tables(connection: &mut PgConnection, setup: String) -> Result<(), sqlx::Error> {
    script(connection, setup).await?;
    for row in sqlx::query(CHANGED).fetch_all(&mut *connection).await? {
        // As the server writes it, with quotes where it needs them.
        let table: String = row.try_get(0)?;
        // Another replica, or the server itself, may be at it.
        script(connection, format!("VACUUM (ANALYZE, SKIP_LOCKED) {table}")).await?;
        let is_hollow: bool = sqlx::query(HOLLOW).bind(&table).fetch_one(&mut *connection).await?.try_get(0)?;
        if is_hollow {
            // Nobody can use the table meanwhile, which is as long as its few rows take to be written once more.
            script(connection, format!("VACUUM (FULL, ANALYZE, SKIP_LOCKED) {table}")).await?;
        }
        tracing::debug!(table, "gave back the room of rows that are gone");
    }
    Ok(())
}
