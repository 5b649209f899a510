//! Postings: which entities have a term, as chunks of bitmaps.

use callboard_store::Error;
use roaring::RoaringBitmap;

/// The posting of everything that can be seen; its key is 0, too.
pub(crate) const VISIBLE: i64 = 0;

/// The posting of the entities with a value under a key.
pub(crate) fn valued(key: i64) -> i64 {
    key.saturating_mul(-2)
}

/// The posting of the entities with something under a key that equals nothing: null, or a text that is too long.
pub(crate) fn null(key: i64) -> i64 {
    valued(key).saturating_sub(1)
}

/// The chunk of a number.
pub(crate) fn chunk(number: u32) -> i64 {
    i64::from(number >> 16)
}

/// As the table has it.
pub(crate) fn encode(numbers: &mut RoaringBitmap) -> Result<Vec<u8>, Error> {
    // Numbers are given one after the other: what most entities have is a few runs.
    numbers.optimize();
    let mut bytes = Vec::with_capacity(numbers.serialized_size());
    numbers.serialize_into(&mut bytes).map_err(|error| Error::Failed(error.to_string()))?;
    Ok(bytes)
}

/// From the table.
pub(crate) fn decode(bytes: &[u8]) -> Result<RoaringBitmap, Error> {
    RoaringBitmap::deserialize_from(bytes).map_err(|error| Error::Failed(format!("an index entry is damaged: {error}")))
}
