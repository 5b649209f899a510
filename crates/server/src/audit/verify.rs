//! Whether the chain is as it was written.

use std::fmt;

use callboard_store::{Db, Error, Row, Tx};

use super::AuditError;
use super::chain::{self, COLUMNS, Hash, Head};
use super::filter::select;

/// Rows that are read at once. With all their texts at their longest that is some MiB.
const PAGE: u64 = 1_000;

/// Where the chain is broken: the first row that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The row.
    pub seq: i64,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong at a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The row says something else than when it was written.
    Changed,
    /// There is no such row, and there are later ones.
    Missing,
    /// The row was written after another one than the one that is before it now.
    OutOfOrder,
    /// This row and those after it are gone: the log was longer.
    CutOff {
        /// The last row that there must be.
        last: u64,
    },
    /// The row comes after the newest one that was written.
    BehindHead {
        /// The newest one.
        last: u64,
    },
    /// It is the newest row, and not the one that was written last.
    OtherHead,
    /// There is no note of the newest row.
    NoHead,
    /// The chain is whole, and the row has another hash than was expected.
    Unexpected,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Break { seq, fault } = self;
        match fault {
            Fault::Changed => write!(f, "row {seq} was changed: its content does not fit its hash"),
            Fault::Missing => write!(f, "row {seq} is missing, and there are later rows"),
            Fault::OutOfOrder => write!(
                f,
                "row {seq} was written after another row than the one before it: one of them was replaced, moved or put in"
            ),
            Fault::CutOff { last } => write!(f, "rows {seq} to {last} are missing: the end of the log was cut off"),
            Fault::BehindHead { last } => {
                write!(
                    f,
                    "row {seq} was put in, or the note of the newest row was changed: by that, row {last} is the newest"
                )
            }
            Fault::OtherHead => {
                write!(
                    f,
                    "row {seq} is not the one that was written last: it or the note of the newest row was replaced"
                )
            }
            Fault::NoHead => write!(f, "the note of the newest row is gone; the rows up to {seq} fit together"),
            Fault::Unexpected => write!(
                f,
                "row {seq} has another hash than expected: the log was written anew from there or from an earlier row, \
                 or what is expected is of another database"
            ),
        }
    }
}

/// Walks through the chain as it is at this moment. With `expected`, its row must be there with the same hash.
pub(super) async fn verify(db: &Db, expected: Option<&Head>) -> Result<Result<Head, Break>, AuditError> {
    let mut tx = db.read().await?;
    let noted = readable(chain::head(&mut tx).await)?.flatten();
    let mut walk = Walk { last: Head::START, noted, expected: expected.copied().filter(|head| head.seq > 0) };
    let mut after = i64::MIN;
    loop {
        let rows = page(&mut tx, after).await?;
        let Some(last) = rows.last() else { return Ok(walk.end()) };
        after = last.get("seq")?;
        for row in &rows {
            if let Err(broken) = walk.step(row)? {
                return Ok(Err(broken));
            }
        }
    }
}

async fn page(tx: &mut Tx, after: i64) -> Result<Vec<Row>, Error> {
    let mut sql = select(COLUMNS);
    sql.push(" WHERE seq > ").bind(after).push(" ORDER BY seq").limit(PAGE);
    tx.fetch_all(sql).await
}

/// None where a row holds what was never written there. That is a finding, and no failure of the database.
fn readable<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Error::Column { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Walk {
    last: Head,
    noted: Option<Head>,
    /// What somebody noted elsewhere.
    expected: Option<Head>,
}

impl Walk {
    fn step(&mut self, row: &Row) -> Result<Result<(), Break>, Error> {
        let seq: i64 = row.get("seq")?;
        let next = self.last.seq + 1;
        let broken = |seq, fault| Ok(Err(Break { seq, fault }));
        if seq > chain::integer(next) {
            return broken(chain::integer(next), Fault::Missing);
        }
        if seq < chain::integer(next) {
            return broken(seq, Fault::OutOfOrder);
        }
        if let Some(noted) = self.noted.filter(|noted| next > noted.seq) {
            return broken(seq, Fault::BehindHead { last: noted.seq });
        }
        let hash_of = |column: &str| readable(row.get::<Vec<u8>>(column)).map(|bytes| bytes.and_then(hash));
        let (Some(previous), Some(own)) = (hash_of("previous")?, hash_of("hash")?) else {
            return broken(seq, Fault::Changed);
        };
        // Before its own hash, which has its number in it: of a row that was moved this says more.
        if previous != self.last.hash {
            return broken(seq, Fault::OutOfOrder);
        }
        let Some(entry) = readable(chain::read(row))? else { return broken(seq, Fault::Changed) };
        if chain::hash(&previous, &entry) != own {
            return broken(seq, Fault::Changed);
        }
        self.last = Head { seq: next, hash: own };
        match self.expected {
            Some(expected) if expected.seq == next && expected.hash != own => broken(seq, Fault::Unexpected),
            _ => Ok(Ok(())),
        }
    }

    fn end(self) -> Result<Head, Break> {
        let Walk { last, noted, expected } = self;
        let broken = |seq, fault| Err(Break { seq: chain::integer(seq), fault });
        let longest = [noted, expected].into_iter().flatten().map(|head| head.seq).max().unwrap_or(0);
        match noted {
            _ if longest > last.seq => broken(last.seq + 1, Fault::CutOff { last: longest }),
            None => broken(last.seq, Fault::NoHead),
            Some(noted) if noted != last => broken(last.seq, Fault::OtherHead),
            Some(_) => Ok(last),
        }
    }
}

fn hash(bytes: Vec<u8>) -> Option<Hash> {
    Hash::try_from(bytes).ok()
}
