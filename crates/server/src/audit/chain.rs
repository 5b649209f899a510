//! The chain: what a row is, how it hangs on the one before, and how rows are added.

use std::fmt;
use std::str::FromStr;

use callboard_model::api::{AuditDecision, AuditEntry};
use callboard_model::stable_json;
use callboard_store::{Db, Error, Row, Tx, Value, args, query};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{AuditError, Entry};

/// The head is written to the log whenever so many rows were added: often enough that whoever wrote the whole chain anew
/// contradicts logs that were shipped elsewhere, and seldom enough that nobody minds the line.
pub const ANNOUNCED: u64 = 1_000;

/// The most bytes of one text of a row. A path or a ref has a tenth of it; what a stranger sends may have any length.
pub const TEXT_BYTES: usize = 1_000;

/// The columns that [`read`] takes, in this order.
pub(super) const COLUMNS: &str = "SELECT seq, at, actor, credential, permission, method, path, resource, remote, \
                                  decision, rule, request_id, count, follows, status, previous, hash FROM audit";

/// A hash of the chain.
pub(super) type Hash = [u8; 32];

/// A place in the chain that stands for all rows up to it: as text `SEQ:HASH`, the hash in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The row; 0 before the first one.
    pub seq: u64,
    /// Its hash; zeros before the first one.
    pub hash: Hash,
}

impl Head {
    /// Before the first row.
    pub(super) const START: Head = Head { seq: 0, hash: [0; 32] };
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex::encode(self.hash))
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Head, &'static str> {
        let parts = text.split_once(':').and_then(|(seq, hash)| {
            let mut bytes = [0; 32];
            hex::decode_to_slice(hash, &mut bytes).ok()?;
            Some(Head { seq: seq.parse().ok()?, hash: bytes })
        });
        parts.ok_or("write SEQ:HASH as the log has it: the number of a row, a colon, and 64 hexadecimal digits")
    }
}

/// What becomes a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) entry: Entry,
    /// When it happened.
    pub(super) at: DateTime<Utc>,
    pub(super) decision: AuditDecision,
    pub(super) count: u64,
    pub(super) follows: Option<u64>,
    pub(super) status: Option<u16>,
}

/// Adds rows in one transaction, all or none of them, and returns the new head.
///
/// Where the connection is lost while the database keeps them, nobody knows whether it did. A row that is there although
/// its change was refused, or twice, says too much; the other way round the log would say too little.
pub(super) async fn append(db: &Db, records: &[Record]) -> Result<Head, AuditError> {
    let mut tx = db.begin().await?;
    let before = head(&mut tx).await?.ok_or(AuditError::Headless)?;
    let mut after = before;
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let (row, hash) = seal(record, &after);
        after = Head { seq: after.seq + 1, hash };
        rows.push(row);
    }
    let inserted = tx
        .insert(
            "INSERT INTO audit(seq, at, actor, credential, permission, method, path, resource, remote, decision, rule, \
             request_id, count, follows, status, previous, hash) VALUES ",
            rows,
            "",
        )
        .await;
    match inserted {
        Err(Error::Duplicate(_)) => return Err(AuditError::BehindHead(before.seq)),
        inserted => inserted?,
    };
    let (seq, hash) = (integer(after.seq), after.hash.to_vec());
    tx.execute(query("UPDATE audit_head SET seq = $1, hash = $2", args![seq, hash])).await?;
    tx.commit().await?;
    if before.seq / ANNOUNCED != after.seq / ANNOUNCED {
        announce(&after);
    }
    Ok(after)
}

/// Writes a head to the log.
pub(super) fn announce(head: &Head) {
    tracing::info!(%head, "the audit log has come to");
}

/// The newest row; none where somebody removed the note of it.
pub(super) async fn head(tx: &mut Tx) -> Result<Option<Head>, Error> {
    let rows = tx.fetch_all(query("SELECT seq, hash FROM audit_head ORDER BY seq DESC", args![])).await?;
    let [row] = rows.as_slice() else { return Ok(None) };
    let (seq, hash): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
    Ok(u64::try_from(seq).ok().zip(Hash::try_from(hash).ok()).map(|(seq, hash)| Head { seq, hash }))
}

/// The row that follows `head`, and its hash.
fn seal(record: &Record, head: &Head) -> (Vec<Value>, Hash) {
    let Record { entry, at, decision, count, follows, status } = record;
    let mut sealed = AuditEntry {
        seq: head.seq + 1,
        at: time(*at),
        actor: text(&entry.actor),
        credential: text(&entry.credential),
        permission: text(&entry.permission),
        method: text(&entry.method),
        path: text(&entry.path),
        resource: entry.resource.as_deref().map(text),
        remote: entry.remote.as_deref().map(text),
        decision: *decision,
        rule: text(&entry.rule),
        request_id: text(&entry.request_id),
        count: *count,
        follows: *follows,
        status: *status,
        previous: hex::encode(head.hash),
        hash: String::new(),
    };
    let hash = hash(&head.hash, &sealed);
    sealed.hash = hex::encode(hash);
    let row = args![
        integer(sealed.seq),
        at.timestamp_millis(),
        sealed.actor,
        sealed.credential,
        sealed.permission,
        sealed.method,
        sealed.path,
        sealed.resource,
        sealed.remote,
        word(*decision),
        sealed.rule,
        sealed.request_id,
        integer(*count),
        follows.map(integer),
        status.map(i32::from),
        head.hash.to_vec(),
        hash.to_vec(),
    ];
    (row, hash)
}

/// The hash that a row must have after another one.
pub(super) fn hash(previous: &Hash, entry: &AuditEntry) -> Hash {
    let mut json = serde_json::to_value(entry).unwrap_or_default();
    if let Json::Object(fields) = &mut json {
        fields.remove("previous");
        fields.remove("hash");
    }
    Sha256::new().chain_update(previous).chain_update(stable_json::to_string(&json)).finalize().into()
}

/// A row as [`COLUMNS`] has it. Fails with [`Error::Column`] where there is something that was never written.
pub(super) fn read(row: &Row) -> Result<AuditEntry, Error> {
    let unknown = |column: &str| Error::Column { column: column.to_owned(), reason: "has an unknown value".to_owned() };
    let status: Option<i64> = row.get("status")?;
    let decision: String = row.get("decision")?;
    let hexadecimal = |column: &'static str| row.get::<Vec<u8>>(column).map(hex::encode);
    Ok(AuditEntry {
        seq: row.get("seq")?,
        at: DateTime::from_timestamp_millis(row.get("at")?).map(time).ok_or_else(|| unknown("at"))?,
        actor: row.get("actor")?,
        credential: row.get("credential")?,
        permission: row.get("permission")?,
        method: row.get("method")?,
        path: row.get("path")?,
        resource: row.get("resource")?,
        remote: row.get("remote")?,
        decision: [AuditDecision::Allowed, AuditDecision::Denied]
            .into_iter()
            .find(|known| word(*known) == decision)
            .ok_or_else(|| unknown("decision"))?,
        rule: row.get("rule")?,
        request_id: row.get("request_id")?,
        count: row.get("count")?,
        follows: row.get("follows")?,
        status: status.map(u16::try_from).transpose().map_err(|_| unknown("status"))?,
        previous: hexadecimal("previous")?,
        hash: hexadecimal("hash")?,
    })
}

/// As the database has it.
pub(super) fn word(decision: AuditDecision) -> &'static str {
    match decision {
        AuditDecision::Allowed => "allowed",
        AuditDecision::Denied => "denied",
    }
}

/// Beyond what the database can hold there is nothing: that is ten thousand rows a second for thirty million years.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A text as it can be kept: not too long, and without NUL, so that no request is too odd to be recorded.
fn text(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_BYTES);
    let kept = text.get(..end).unwrap_or(text).replace('\0', "\u{fffd}");
    if end < text.len() { kept + "…" } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        fn check(given: &str, expected: &str) {
            assert_eq!(text(given), expected, "{} bytes", given.len());
        }
        let most = "a".repeat(TEXT_BYTES);
        check("", "");
        check("user:default/ada", "user:default/ada");
        check("a\0b", "a\u{fffd}b");
        check(&most, &most);
        check(&format!("{most}a"), &format!("{most}…"));
        // A character is kept or left out as a whole.
        let nearly = "a".repeat(TEXT_BYTES - 1);
        check(&format!("{nearly}ä"), &format!("{nearly}…"));
        check(&format!("{}\0", "a".repeat(TEXT_BYTES - 1)), &format!("{nearly}\u{fffd}"));
    }

    #[test]
    fn heads() {
        fn check(text: &str, expected: Option<(u64, u8)>) {
            let head = text.parse::<Head>().ok();
            assert_eq!(head, expected.map(|(seq, byte)| Head { seq, hash: [byte; 32] }), "{text}");
            if let Some(head) = head {
                assert_eq!(head.to_string(), text.to_lowercase());
            }
        }
        let digits = "ab".repeat(32);
        check(&format!("12:{digits}"), Some((12, 0xab)));
        check(&format!("12:{}", digits.to_uppercase()), Some((12, 0xab)));
        check(&Head::START.to_string(), Some((0, 0)));
        check("12", None);
        check("12:", None);
        check(&format!("12:{digits}ab"), None);
        check(&format!("-1:{digits}"), None);
        check(&format!(":{digits}"), None);
        check(&format!("12:{}", digits.replace("b", "g")), None);
    }

    /// What [`AuditEntry`] says of its hash, done by hand. It must never change: rows of years ago are checked by it.
    #[test]
    fn the_hash_of_a_row() {
        let entry = AuditEntry {
            seq: 7,
            at: "2026-11-21T10:00:00.000Z".to_owned(),
            actor: "user:default/ada".to_owned(),
            credential: "session".to_owned(),
            permission: "catalog.entity.delete".to_owned(),
            method: "DELETE".to_owned(),
            path: "/api/catalog/entities/by-uid/\"ä\n".to_owned(),
            resource: None,
            remote: Some("10.0.0.7".to_owned()),
            decision: AuditDecision::Allowed,
            rule: "permission.policy[0]".to_owned(),
            request_id: "00ff".to_owned(),
            count: 1,
            follows: Some(6),
            status: Some(404),
            previous: "ignored".to_owned(),
            hash: "ignored".to_owned(),
        };
        let json = r#"{"actor":"user:default/ada","at":"2026-11-21T10:00:00.000Z","count":1,"credential":"session","decision":"allowed","follows":6,"method":"DELETE","path":"/api/catalog/entities/by-uid/\"ä\n","permission":"catalog.entity.delete","remote":"10.0.0.7","requestId":"00ff","rule":"permission.policy[0]","seq":7,"status":404}"#;
        let expected = Sha256::digest([&[9; 32], json.as_bytes()].concat());
        assert_eq!(hash(&[9; 32], &entry), <Hash>::from(expected));
    }
}
