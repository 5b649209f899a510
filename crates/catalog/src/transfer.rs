//! Moving a catalog from one database to another, as a file of YAML documents.
//!
//! The file has what sources delivered and what no source would bring back: registered locations, uids, who brings what.
//! What is derived is made anew by the engine, but for results that were made from something beside the entity's own
//! source, such as a placeholder's file: these come along, so that a server that is down on the day of the move takes
//! nothing away.

mod document;
mod export;
mod import;
mod reader;

use std::io;

use callboard_store::{Db, Error, args, query};

pub use export::export;
pub use import::import;

/// How much was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// Entities.
    pub entities: u64,
    /// Registered locations.
    pub locations: u64,
}

/// Why a catalog was not moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A document of the file. Nothing was changed.
    #[error("line {line} (document {document}): {message}")]
    Document {
        /// Where it begins or where it is wrong, from 1.
        line: usize,
        /// From 1.
        document: usize,
        /// What is wrong with it.
        message: String,
    },
    /// There is something that the import would mix with.
    #[error(
        "the catalog is not empty: it has {entities} entities and {locations} registered locations. Import into an empty \
         database, or say --replace to remove them"
    )]
    NotEmpty {
        /// How many there are.
        entities: u64,
        /// How many there are.
        locations: u64,
    },
    /// An import did not get to its end.
    #[error("an import into this catalog was cut off. Repeat it with --replace")]
    CutOff,
    /// The tables are not those that this program reads.
    #[error("{0}")]
    Version(&'static str),
    /// What the database holds cannot be written down.
    #[error("{entity_ref}: {message}")]
    Entity {
        /// Which entity.
        entity_ref: String,
        /// What is wrong with it.
        message: String,
    },
    /// The file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A setting that is there while an import is under way.
const UNDER_WAY: &str = "import";

/// Whether an import was begun that did not get to its end.
pub(crate) async fn is_cut_off(db: &Db) -> Result<bool, Error> {
    let select = query("SELECT 1 FROM setting WHERE name = $1", args![UNDER_WAY]);
    Ok(db.fetch_optional(select).await?.is_some())
}
