//! What the most used portal does: its stock backend, release 1.52 to 1.54, on a machine with 2 cores, 10,000 entities in
//! 100 files. On SQLite it ran in memory; on PostgreSQL other work ran beside it, so that those figures are an order of
//! magnitude.

use super::Engine;

/// Entities that it was measured with.
pub(super) const SIZE: u64 = 10_000;

/// From the refresh of a changed file to the change, in milliseconds, on SQLite.
pub(super) const REFRESH: f64 = 10_600.0;

/// Database beyond the JSON of an entity; what its own published catalog takes.
pub(super) const BYTES_PER_ENTITY: f64 = 60_000.0;

/// The first load of [`SIZE`] entities.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ingest {
    pub(super) seconds: f64,
    pub(super) cpu: f64,
    pub(super) mebibytes: f64,
}

pub(super) fn ingest(engine: Engine) -> Ingest {
    match engine {
        Engine::Sqlite => Ingest { seconds: 171.0, cpu: 132.0, mebibytes: 1_230.0 },
        Engine::Postgres => Ingest { seconds: 180.0, cpu: 187.0, mebibytes: 792.0 },
    }
}

/// Requests a second at 16 connections: by name, the first ordered page, facets, a hundred by their refs.
pub(super) fn requests(engine: Engine) -> [f64; 4] {
    match engine {
        Engine::Sqlite => [815.0, 19.0, 141.0, 371.0],
        Engine::Postgres => [560.0, 54.0, 174.0, 343.0],
    }
}

/// Seconds from its start until it is ready, and MiB that it then holds, and holds when idle.
pub(super) fn start(engine: Engine) -> [f64; 3] {
    match engine {
        Engine::Sqlite => [5.5, 596.0, 279.0],
        Engine::Postgres => [6.9, 565.0, 314.0],
    }
}
