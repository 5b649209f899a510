//! Every entity that something is about, for the catalog's own use.

use callboard_model::access::Access;
use callboard_model::filter::Predicate;
use callboard_store::{Error, Tx};

use super::select::Selection;

/// The ids of all entities that can be seen and match.
pub(crate) async fn ids(tx: &mut Tx, filter: Option<&Predicate>) -> Result<Vec<i64>, Error> {
    let mut selection = Selection::of(tx, &Access::All, filter, None).await?;
    Ok(selection.sets(tx).await?.iter().collect())
}
