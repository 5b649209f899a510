//! What is written: every row of every table, counted by triggers in the database, so that nothing depends on what the
//! program says of itself.
//!
//! The tests of the crates below the portal take this file by its path, so it knows nothing but the store.

use std::collections::BTreeMap;

use callboard_store::{Db, Engine, Error, args, query, query_on};

/// Counts from when it was made.
pub struct Written {
    db: Db,
}

/// What was done to a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub inserts: u64,
    pub updates: u64,
    pub deletes: u64,
    /// Of how many rows that was.
    pub rows: u64,
}

/// By table; those that nothing was done to are not there.
pub type Counts = BTreeMap<String, Count>;

impl Written {
    /// Watches every table that there is.
    ///
    /// # Errors
    /// The database fails.
    pub async fn watch(db: &Db) -> Result<Written, Error> {
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in db.fetch_all(query_on(SQLITE_KEYS, POSTGRES_KEYS, args![])).await? {
            tables.entry(row.get(0)?).or_default().extend(row.get::<Option<String>>(1)?);
        }
        let mut statements =
            vec!["CREATE TABLE written(name TEXT NOT NULL, what TEXT NOT NULL, place TEXT NOT NULL)".to_owned()];
        if db.engine() == Engine::Postgres {
            statements.push(POSTGRES_FUNCTION.to_owned());
        }
        for (table, key) in &tables {
            for what in ["insert", "update", "delete"] {
                statements.push(trigger(db.engine(), table, key, what));
            }
        }
        for statement in statements {
            // The texts of statements are parts of the program; of these there are a hundred in a test.
            db.execute(query(statement.leak(), args![])).await?;
        }
        Ok(Written { db: db.clone() })
    }

    /// What was written since the last call.
    ///
    /// # Errors
    /// The database fails.
    pub async fn take(&self) -> Result<Counts, Error> {
        let mut tx = self.db.begin().await?;
        let mut counts = Counts::new();
        let select = "SELECT name, what, count(*), count(DISTINCT place) FROM written GROUP BY name, what \
                      UNION ALL SELECT name, '', 0, count(DISTINCT place) FROM written GROUP BY name";
        for row in tx.fetch_all(query(select, args![])).await? {
            let count = counts.entry(row.get(0)?).or_default();
            let times = row.get(2)?;
            match row.get::<String>(1)?.as_str() {
                "insert" => count.inserts = times,
                "update" => count.updates = times,
                "delete" => count.deletes = times,
                _ => count.rows = row.get(3)?,
            }
        }
        tx.execute(query("DELETE FROM written", args![])).await?;
        tx.commit().await?;
        Ok(counts)
    }
}

/// Every table with each column of its key; one that has no key with none.
const SQLITE_KEYS: &str = "SELECT t.name, c.name FROM sqlite_master t LEFT JOIN pragma_table_info(t.name) c ON c.pk > 0 \
                           WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY 1, c.pk";

const POSTGRES_KEYS: &str = "SELECT t.relname::text, c.attname::text FROM pg_class t \
                             LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary \
                             LEFT JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = ANY(i.indkey) \
                             WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace \
                             ORDER BY 1, c.attnum";

/// Its arguments are the columns of the table's key; without one, the whole row is what tells it from others.
const POSTGRES_FUNCTION: &str = "CREATE FUNCTION written() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN \
     INSERT INTO written SELECT TG_TABLE_NAME, lower(TG_OP), coalesce(string_agg(r.line ->> c, chr(10)), r.line::text) \
     FROM (SELECT to_jsonb(coalesce(NEW, OLD)) AS line) r LEFT JOIN unnest(TG_ARGV) c ON true GROUP BY r.line; \
     RETURN NULL; END'";

fn trigger(engine: Engine, table: &str, key: &[String], what: &str) -> String {
    let head = format!("CREATE TRIGGER written_{table}_{what} AFTER {what} ON \"{table}\"");
    let row = if what == "delete" { "OLD" } else { "NEW" };
    match engine {
        Engine::Sqlite => {
            let place: Vec<String> = key.iter().map(|column| format!("{row}.\"{column}\"")).collect();
            let place = if key.is_empty() { format!("{row}.rowid") } else { place.join(" || char(10) || ") };
            format!("{head} BEGIN INSERT INTO written VALUES ('{table}', '{what}', {place}); END")
        }
        Engine::Postgres => {
            let key: Vec<String> = key.iter().map(|column| format!("'{column}'")).collect();
            format!("{head} FOR EACH ROW EXECUTE FUNCTION written({})", key.join(", "))
        }
    }
}
