//! Whoever can write to the database changes the log. Each way is found, at the right row.

use callboard::audit::{AuditError, AuditLog, Break, Fault, Filter, Head};
use callboard_store::{Db, Sql, Value, args, query};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::support::{Place, ROWS, all, fill, on_both, verify};

on_both!(
    a_changed_value,
    a_row_that_is_gone_moved_or_put_in,
    the_end_is_cut_off,
    the_note_of_the_newest_row,
    the_whole_log_is_written_anew,
    what_cannot_be_read_is_said,
);

const LAST: i64 = ROWS as i64;

/// A log that can be put back as it was.
struct Victim {
    db: Db,
    log: AuditLog,
    rows: Vec<Vec<Value>>,
    head: Head,
}

impl Victim {
    async fn new(place: &Place) -> Victim {
        let (db, log) = place.open().await;
        fill(&log).await;
        assert_eq!(verify(&log, None).await, None);
        let head = log.head().await.unwrap();
        assert_eq!(verify(&log, Some(&head)).await, None);
        let mut rows = Vec::new();
        for row in db.fetch_all(query("SELECT * FROM audit ORDER BY seq", args![])).await.unwrap() {
            let (text, number) = (
                |at: usize| Value::from(row.get::<Option<String>>(at).unwrap()),
                |at: usize| Value::from(row.get::<Option<i64>>(at).unwrap()),
            );
            let mut values = vec![number(0), number(1)];
            values.extend((2..12).map(text));
            values.extend((12..15).map(number));
            values.extend((15..17).map(|at| Value::Blob(row.get(at).unwrap())));
            rows.push(values);
        }
        Victim { db, log, rows, head }
    }

    /// After these statements the log is broken like this; then it is as before.
    async fn check(&self, statements: Vec<Sql>, expected: (i64, Fault), what: &str) {
        self.check_against(None, statements, Some(expected), what).await;
    }

    async fn check_against(
        &self,
        head: Option<&Head>,
        statements: Vec<Sql>,
        expected: Option<(i64, Fault)>,
        what: &str,
    ) {
        for statement in statements {
            self.db.execute(statement).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        assert_eq!(verify(&self.log, head).await, expected, "{what}");
        let mut tx = self.db.begin().await.unwrap();
        tx.execute(query("DELETE FROM audit", args![])).await.unwrap();
        tx.insert("INSERT INTO audit VALUES ", self.rows.clone(), "").await.unwrap();
        tx.execute(query("DELETE FROM audit_head", args![])).await.unwrap();
        tx.insert("INSERT INTO audit_head VALUES ", [noted(&self.head)], "").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(verify(&self.log, Some(&self.head)).await, None, "{what}, and back");
    }

    fn note(&self, seq: i64) -> Sql {
        let Value::Blob(hash) = &self.rows[usize::try_from(seq).unwrap() - 1][16] else { panic!("a hash") };
        query("UPDATE audit_head SET seq = $1, hash = $2", args![seq, hash.clone()])
    }
}

fn noted(head: &Head) -> Vec<Value> {
    args![i64::try_from(head.seq).unwrap(), head.hash.to_vec()]
}

async fn a_changed_value(place: Place) {
    let victim = Victim::new(&place).await;
    let texts = [
        "UPDATE audit SET actor = actor || 'x' WHERE seq = $1",
        "UPDATE audit SET credential = '' WHERE seq = $1",
        "UPDATE audit SET permission = upper(permission) WHERE seq = $1",
        "UPDATE audit SET method = 'PATCH' WHERE seq = $1",
        "UPDATE audit SET path = path || ' ' WHERE seq = $1",
        "UPDATE audit SET resource = coalesce(resource, '') || 'x' WHERE seq = $1",
        "UPDATE audit SET resource = CASE WHEN resource IS NULL THEN '' END WHERE seq = $1",
        "UPDATE audit SET remote = coalesce(remote, '') || '1' WHERE seq = $1",
        "UPDATE audit SET remote = CASE WHEN remote IS NULL THEN '' END WHERE seq = $1",
        "UPDATE audit SET decision = CASE decision WHEN 'allowed' THEN 'denied' ELSE 'allowed' END WHERE seq = $1",
        "UPDATE audit SET decision = 'perhaps' WHERE seq = $1",
        "UPDATE audit SET rule = 'another' WHERE seq = $1",
        "UPDATE audit SET request_id = '' WHERE seq = $1",
        "UPDATE audit SET at = at + 1 WHERE seq = $1",
        "UPDATE audit SET at = 9223372036854775807 WHERE seq = $1",
        "UPDATE audit SET count = count + 1 WHERE seq = $1",
        "UPDATE audit SET count = -count WHERE seq = $1",
        "UPDATE audit SET follows = coalesce(follows, 0) + 1 WHERE seq = $1",
        "UPDATE audit SET follows = CASE WHEN follows IS NULL THEN 1 END WHERE seq = $1",
        "UPDATE audit SET status = coalesce(status, 400) + 1 WHERE seq = $1",
        "UPDATE audit SET status = CASE WHEN status IS NULL THEN 500 END WHERE seq = $1",
        "UPDATE audit SET status = 1000000 WHERE seq = $1",
    ];
    for seq in 1..=LAST {
        for text in texts {
            victim.check(vec![query(text, args![seq])], (seq, Fault::Changed), &format!("{text} {seq}")).await;
        }
        for (text, fault) in [
            ("UPDATE audit SET hash = $1 WHERE seq = $2", Fault::Changed),
            ("UPDATE audit SET previous = $1 WHERE seq = $2", Fault::OutOfOrder),
        ] {
            victim.check(vec![query(text, args![vec![7_u8; 32], seq])], (seq, fault), &format!("{text} {seq}")).await;
            let short = query(text, args![vec![7_u8; 3], seq]);
            victim.check(vec![short], (seq, Fault::Changed), &format!("{text} {seq}, short")).await;
        }
    }
}

async fn a_row_that_is_gone_moved_or_put_in(place: Place) {
    let victim = Victim::new(&place).await;
    let remove = |seq: i64| query("DELETE FROM audit WHERE seq = $1", args![seq]);
    let renumber = |from: i64, to: i64| query("UPDATE audit SET seq = $1 WHERE seq = $2", args![to, from]);
    let far = 1_000;
    for seq in 1..=LAST {
        let gone = if seq == LAST { Fault::CutOff { last: ROWS } } else { Fault::Missing };
        victim.check(vec![remove(seq)], (seq, gone), &format!("{seq} removed")).await;
        victim.check(vec![renumber(seq, far)], (seq, Fault::Missing), &format!("{seq} put far away")).await;
        victim.check(vec![renumber(seq, -far)], (-far, Fault::OutOfOrder), &format!("{seq} put before all")).await;
        // Those that follow close the gap.
        let mut closed = vec![remove(seq)];
        closed.extend((seq + 1..=LAST).map(|next| renumber(next, next - 1)));
        let expected = if seq == LAST { gone } else { Fault::OutOfOrder };
        victim.check(closed, (seq, expected), &format!("{seq} removed, and the gap closed")).await;
        for other in seq + 1..=LAST {
            let swapped = vec![renumber(seq, far), renumber(other, seq), renumber(far, other)];
            victim.check(swapped, (seq, Fault::OutOfOrder), &format!("{seq} and {other} swapped")).await;
        }
        // A copy of it takes a place, and those that follow make room.
        let mut doubled: Vec<Sql> = (seq + 1..=LAST).rev().map(|next| renumber(next, next + 1)).collect();
        doubled.push(query(
            "INSERT INTO audit SELECT seq + 1, at, actor, credential, permission, method, path, resource, remote, decision, \
             rule, request_id, count, follows, status, previous, hash FROM audit WHERE seq = $1",
            args![seq],
        ));
        let expected = if seq == LAST { Fault::BehindHead { last: ROWS } } else { Fault::OutOfOrder };
        victim.check(doubled, (seq + 1, expected), &format!("{seq} doubled")).await;
    }
}

async fn the_end_is_cut_off(place: Place) {
    let victim = Victim::new(&place).await;
    for seq in 1..=LAST {
        let cut = || query("DELETE FROM audit WHERE seq >= $1", args![seq]);
        let expected = (seq, Fault::CutOff { last: ROWS });
        victim.check(vec![cut()], expected, &format!("cut off at {seq}")).await;
        // With a note that fits, only who noted another row knows.
        let note = match seq {
            1 => query("UPDATE audit_head SET seq = 0, hash = $1", args![vec![0_u8; 32]]),
            seq => victim.note(seq - 1),
        };
        victim.check_against(None, vec![cut(), note.clone()], None, &format!("cut off at {seq}, and noted")).await;
        let noted = vec![cut(), note];
        victim.check_against(Some(&victim.head), noted, Some(expected), &format!("cut off at {seq}, expected")).await;
    }
}

async fn the_note_of_the_newest_row(place: Place) {
    let victim = Victim::new(&place).await;
    let plain = |text: &'static str| vec![query(text, args![])];
    victim.check(plain("DELETE FROM audit_head"), (LAST, Fault::NoHead), "no note").await;
    victim
        .check(plain("INSERT INTO audit_head SELECT seq + 1, hash FROM audit_head"), (LAST, Fault::NoHead), "two")
        .await;
    victim.check(plain("UPDATE audit_head SET seq = -1"), (LAST, Fault::NoHead), "none that could be").await;
    let longer = (LAST + 1, Fault::CutOff { last: ROWS + 2 });
    victim.check(plain("UPDATE audit_head SET seq = seq + 2"), longer, "a longer log").await;
    let other = query("UPDATE audit_head SET hash = $1", args![vec![7_u8; 32]]);
    victim.check(vec![other], (LAST, Fault::OtherHead), "another hash").await;
    for seq in 1..LAST {
        let behind = Fault::BehindHead { last: u64::try_from(seq).unwrap() };
        victim.check(vec![victim.note(seq)], (seq + 1, behind), &format!("note of {seq}")).await;
    }
    // Nothing is added to a log that is broken there.
    victim.db.execute(victim.note(2)).await.unwrap();
    let refused = victim.log.allowed(super::support::entry("user:default/ada", "/e")).await.err().unwrap();
    assert!(matches!(refused, AuditError::BehindHead(2)), "{refused}");
    victim.db.execute(query("DELETE FROM audit_head", args![])).await.unwrap();
    let refused = victim.log.allowed(super::support::entry("user:default/ada", "/e")).await.err().unwrap();
    assert!(matches!(refused, AuditError::Headless), "{refused}");
}

/// The hash of an entry, by what its description says and nothing else.
fn hash(previous: &[u8], entry: &Json) -> Vec<u8> {
    let mut entry = entry.as_object().unwrap().clone();
    entry.remove("previous");
    entry.remove("hash");
    let mut fields: Vec<(String, Json)> = entry.into_iter().collect();
    fields.sort_by(|left, right| left.0.cmp(&right.0));
    let fields: Vec<String> =
        fields.iter().map(|(key, value)| format!("{}:{value}", Json::from(key.as_str()))).collect();
    let json = format!("{{{}}}", fields.join(","));
    Sha256::new().chain_update(previous).chain_update(json).finalize().to_vec()
}

async fn the_whole_log_is_written_anew(place: Place) {
    let victim = Victim::new(&place).await;
    let entries: Vec<Json> = all(&victim.log).await.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect();
    let mut previous = vec![0; 32];
    for entry in &entries {
        assert_eq!(entry["previous"], hex::encode(&previous), "{entry}");
        previous = hash(&previous, entry);
        assert_eq!(entry["hash"], hex::encode(&previous), "{entry}");
    }
    for forged in 1..=LAST {
        let mut statements = vec![query("UPDATE audit SET actor = 'user:default/eve' WHERE seq = $1", args![forged])];
        let mut heads = vec![];
        let mut previous = vec![0; 32];
        for (seq, entry) in (1..).zip(&entries) {
            let mut entry = entry.clone();
            if seq == forged {
                entry["actor"] = Json::from("user:default/eve");
            }
            let own = hash(&previous, &entry);
            let fits = "UPDATE audit SET previous = $1, hash = $2 WHERE seq = $3";
            statements.push(query(fits, args![previous, own.clone(), seq]));
            // As far as it is written anew, and no further.
            let expected = match seq {
                seq if seq < forged => (forged, Fault::Changed),
                LAST => (LAST, Fault::OtherHead),
                seq => (seq + 1, Fault::OutOfOrder),
            };
            victim.check(statements.clone(), expected, &format!("{forged} forged, up to {seq}")).await;
            heads.push(Head { seq: u64::try_from(seq).unwrap(), hash: own.clone().try_into().unwrap() });
            previous = own;
        }
        statements.push(query("UPDATE audit_head SET hash = $1", args![previous]));
        let what = format!("{forged} forged, with all that follow");
        victim.check_against(None, statements.clone(), None, &what).await;
        // A row that was noted before says so, if it is not before the forged one.
        for (seq, entry) in (1..).zip(&entries) {
            let noted: Head = format!("{seq}:{}", entry["hash"].as_str().unwrap()).parse().unwrap();
            let expected = (seq >= forged).then_some((seq, Fault::Unexpected));
            victim.check_against(Some(&noted), statements.clone(), expected, &format!("{what}, noted {seq}")).await;
        }
    }
}

async fn what_cannot_be_read_is_said(place: Place) {
    let victim = Victim::new(&place).await;
    victim.db.execute(query("UPDATE audit SET decision = 'perhaps' WHERE seq = 2", args![])).await.unwrap();
    let error = victim.log.newest(&Filter::default(), None, 10).await.unwrap_err();
    assert!(matches!(error, AuditError::Unreadable(2)), "{error}");
    for (fault, text) in [
        (Fault::Changed, "row 2 was changed"),
        (Fault::Missing, "row 2 is missing"),
        (Fault::OutOfOrder, "row 2 was written after another row"),
        (Fault::CutOff { last: 9 }, "rows 2 to 9 are missing: the end of the log was cut off"),
        (Fault::BehindHead { last: 1 }, "by that, row 1 is the newest"),
        (Fault::OtherHead, "row 2 is not the one that was written last"),
        (Fault::NoHead, "the note of the newest row is gone"),
        (Fault::Unexpected, "row 2 has another hash than expected"),
    ] {
        let said = Break { seq: 2, fault }.to_string();
        assert!(said.contains(text), "{said}");
    }
}
