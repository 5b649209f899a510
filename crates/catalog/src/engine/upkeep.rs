//! What the database wants to have done after much has changed.

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::limits::{UPKEEP_PAUSE, UPKEEP_SHARE};

/// Does it while something changes, until `shutdown`. Other replicas do the same, and the database lets one of them.
pub(crate) async fn run(shared: Shared, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = keep_up(&shared) => {}
    }
}

async fn keep_up(shared: &Shared) {
    let mut changes = shared.changes.subscribe();
    while changes.changed().await.is_ok() {
        // What changes meanwhile is looked at together.
        tokio::time::sleep(UPKEEP_PAUSE).await;
        changes.borrow_and_update();
        let begun = Instant::now();
        if let Err(error) = shared.db.tidy().await {
            tracing::debug!(%error, "the database was not tidied up");
        }
        tokio::time::sleep(begun.elapsed().saturating_mul(UPKEEP_SHARE)).await;
    }
}
