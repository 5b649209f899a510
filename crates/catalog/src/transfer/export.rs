//! Writing a catalog down.

use std::collections::HashMap;
use std::io::Write;

use callboard_store::{Db, Error, Row, Sql, Tx, args, query};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::document::{self, End, FORMAT, Header, Location, Named, Outcome, Record, Source, State};
use super::{TransferError, Transferred, UNDER_WAY};
use crate::catalog::MIGRATIONS;
use crate::graph::source::SourceText;

/// Entities that are looked at in one go.
const PAGE: i64 = 500;

/// Text of sources and results that is held at once, in bytes, but for a single entity that has more.
const HELD: u64 = 8 << 20;

/// Writes the catalog down, as of one moment, while it may be at work. Entities come in the order of their refs, so that
/// two exports can be compared. `program` is the version that the file says it was written by.
///
/// # Errors
/// The tables are not those of this program, there is half an import in them, or the file or the database fails.
pub async fn export(db: &Db, program: &str, out: &mut (dyn Write + Send)) -> Result<Transferred, TransferError> {
    let mut tx = db.read().await?;
    check(&mut tx).await?;
    let header = Header {
        format: FORMAT,
        program: program.to_owned(),
        created: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        locations: count(&mut tx, "SELECT count(*) FROM location").await?,
        sources: count(&mut tx, "SELECT count(*) FROM source").await?,
        entities: count(&mut tx, "SELECT count(*) FROM entity").await?,
    };
    let moved = Transferred { entities: header.entities, locations: header.locations };
    writeln!(out, "# A Callboard catalog. `callboard catalog import` reads it.")?;
    put(out, None, Record::Export(header))?;
    let select = "SELECT id, type, target, entity_ref, optional FROM location ORDER BY id";
    for row in tx.fetch_all(query(select, args![])).await? {
        let (id, kind, target) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let location = Location { id, kind, target, entity_ref: row.get(3)?, optional: row.get(4)? };
        put(out, None, Record::Location(location))?;
    }
    for row in tx.fetch_all(query("SELECT name, owner FROM source ORDER BY name", args![])).await? {
        put(out, None, Record::Source(Source { name: row.get(0)?, owner: row.get(1)? }))?;
    }
    let mut after = String::new();
    loop {
        let page = page(&mut tx, &after).await?;
        let Some((last, ..)) = page.last() else { break };
        after.clone_from(last);
        let mut rest = page.as_slice();
        while !rest.is_empty() {
            let mut held = 0_u64;
            let fit = rest.iter().take_while(|(_, _, bytes)| {
                let first = held == 0;
                held = held.saturating_add((*bytes).max(1));
                first || held <= HELD
            });
            let (some, others) = rest.split_at(fit.count());
            rest = others;
            entities(&mut tx, some, out).await?;
        }
    }
    put(out, None, Record::End(End { entities: moved.entities }))?;
    out.flush()?;
    Ok(moved)
}

async fn check(tx: &mut Tx) -> Result<(), TransferError> {
    let newest = MIGRATIONS.last().map_or(0, |migration| migration.version);
    let found = count(tx, "SELECT coalesce(max(version), 0) FROM migration WHERE owner = 'catalog'").await?;
    match i64::try_from(found).unwrap_or(i64::MAX) {
        0 => {
            return Err(TransferError::Version(
                "there is no catalog in this database: no portal has been started on it",
            ));
        }
        found if found < newest => {
            return Err(TransferError::Version(
                "the catalog is of an earlier version of Callboard. Start this version once, which brings its tables up to \
                 date, and export then",
            ));
        }
        found if found > newest => {
            return Err(TransferError::Version(
                "the catalog is of a later version of Callboard. Export it with that version",
            ));
        }
        _ => {}
    }
    let under_way = query("SELECT 1 FROM setting WHERE name = $1", args![UNDER_WAY]);
    if tx.fetch_optional(under_way).await?.is_some() { Err(TransferError::CutOff) } else { Ok(()) }
}

pub(super) async fn count(tx: &mut Tx, select: &'static str) -> Result<u64, Error> {
    tx.fetch_optional(query(select, args![])).await?.map_or(Ok(0), |row| row.get(0))
}

fn put(out: &mut (dyn Write + Send), source: Option<Map<String, Value>>, record: Record) -> Result<(), TransferError> {
    let text = document::write(source, record)
        .map_err(|message| TransferError::Entity { entity_ref: "a location or provider".to_owned(), message })?;
    Ok(out.write_all(text.as_bytes())?)
}

/// Refs after one, with their ids and how much text they come with.
async fn page(tx: &mut Tx, after: &str) -> Result<Vec<(String, i64, u64)>, Error> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT r.ref, e.id, length(s.source) + coalesce(length(d.document), 0) FROM ref r JOIN entity e ON e.id = r.id \
         JOIN entity_source s ON s.entity_id = e.id LEFT JOIN document d ON d.entity_id = e.id WHERE r.ref > ",
    );
    sql.bind(after).push(" ORDER BY r.ref LIMIT ").bind(PAGE);
    tx.fetch_all(sql).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
}

async fn entities(tx: &mut Tx, page: &[(String, i64, u64)], out: &mut (dyn Write + Send)) -> Result<(), TransferError> {
    let ids = || page.iter().map(|(_, id, _)| *id);
    let mut sql = Sql::new();
    // A result comes along where the source alone does not say what it is, or it was itself imported.
    sql.push(
        "SELECT e.id, e.uid, e.location_key, e.version, e.errors, s.source, s.facts, \
         CASE WHEN e.errors IS NOT NULL OR e.made_with IS NULL OR EXISTS (SELECT 1 FROM dependency p WHERE p.entity_id = e.id) \
         OR EXISTS (SELECT 1 FROM chained c WHERE c.entity_id = e.id) THEN d.document END AS document \
         FROM entity e JOIN entity_source s ON s.entity_id = e.id \
         LEFT JOIN document d ON d.entity_id = e.id AND e.hash IS NOT NULL WHERE e.id IN ",
    );
    sql.ids(ids());
    let mut rows: HashMap<i64, Row> = HashMap::new();
    for row in tx.fetch_all(sql).await? {
        rows.insert(row.get(0)?, row);
    }
    let mut providers = names(
        tx,
        "SELECT p.entity_id, s.name FROM provided p JOIN source s ON s.id = p.source_id WHERE p.entity_id IN ",
        ids(),
    )
    .await?;
    let mut parents = names(
        tx,
        "SELECT r.child_id, p.ref FROM reference r JOIN ref p ON p.id = r.parent_id WHERE r.child_id IN ",
        ids(),
    )
    .await?;
    let mut contenders =
        names(tx, "SELECT c.ref_id, p.ref FROM contender c JOIN ref p ON p.id = c.parent_id WHERE c.ref_id IN ", ids())
            .await?;
    let mut with_result = Vec::new();
    for (id, row) in &rows {
        if row.get::<Option<String>>("document")?.is_some() {
            with_result.push(*id);
        }
    }
    let mut relations = relations(tx, with_result).await?;
    for (name, id, _) in page {
        let Some(row) = rows.remove(id) else { continue };
        let damaged = |message: String| TransferError::Entity { entity_ref: name.clone(), message };
        let document: Option<Value> = json(&row, "document").map_err(damaged)?;
        let result = document.map(|document| Outcome { document, relations: relations.remove(id).unwrap_or_default() });
        let state = State {
            uid: row.get("uid")?,
            location_key: row.get("location_key")?,
            version: row.get("version")?,
            facts: json(&row, "facts").map_err(damaged)?.unwrap_or_default(),
            provided_by: providers.remove(id).unwrap_or_default(),
            parents: parents.remove(id).unwrap_or_default(),
            contenders: contenders.remove(id).unwrap_or_default(),
            errors: json(&row, "errors").map_err(damaged)?.unwrap_or_default(),
            result,
            own: None,
        };
        let source: SourceText = row.get("source")?;
        let source: Option<Map<String, Value>> = parse(Some(source.0)).map_err(damaged)?;
        let text = document::write(source, Record::Entity(Box::new(state))).map_err(damaged)?;
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>, String> {
    parse(row.get(column).map_err(|error| error.to_string())?)
}

fn parse<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, String> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| format!("what is stored is damaged: {error}"))
}

/// What a statement says of entities: an id and a name a row.
async fn names(
    tx: &mut Tx,
    select: &'static str,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, Vec<String>>, Error> {
    let mut sql = Sql::new();
    sql.push(select).ids(ids);
    let mut names: HashMap<i64, Vec<String>> = HashMap::new();
    for row in tx.fetch_all(sql).await? {
        names.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    names.values_mut().for_each(|names| names.sort());
    Ok(names)
}

async fn relations(tx: &mut Tx, ids: Vec<i64>) -> Result<HashMap<i64, Vec<Named>>, Error> {
    let mut found: HashMap<i64, Vec<Named>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let mut sql = Sql::new();
    sql.push("SELECT r.origin_id, s.ref, t.name, t.inverse, g.ref FROM (");
    sql.push("SELECT origin_id, source_id, type_id, target_id FROM relation WHERE origin_id = source_id ");
    sql.push("AND source_id IN ").ids(ids.iter().copied());
    sql.push(" UNION ALL SELECT origin_id, source_id, type_id, target_id FROM relation ");
    sql.push("WHERE origin_id <> source_id AND origin_id IN ").ids(ids);
    sql.push(
        ") r JOIN ref s ON s.id = r.source_id JOIN ref g ON g.id = r.target_id JOIN relation_type t ON t.id = r.type_id",
    );
    for row in tx.fetch_all(sql).await? {
        let (source, kind, inverse, target): (String, String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        let named = found.entry(row.get(0)?).or_default();
        if !inverse.is_empty() {
            named.push(Named { source: target.clone(), kind: inverse, target: source.clone() });
        }
        named.push(Named { source, kind, target });
    }
    found.values_mut().for_each(|named| named.sort());
    Ok(found)
}
