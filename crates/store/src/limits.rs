//! Every limit of this crate, with its reason.

use std::time::Duration;

/// Readers at once on SQLite. Each is a thread with a page cache of its own; more than the machine's cores only wait
/// for each other.
pub const READERS: u32 = 4;

/// How long a statement waits for the database or for a connection. Longer than the longest transaction that the
/// catalog makes (a first run over a large source), shorter than a person's patience with a hanging page.
pub const BUSY: Duration = Duration::from_secs(30);

/// SQLite's page cache per connection, in KiB. The index pages of 10,000 entities fit.
pub const CACHE_KIB: u32 = 16 * 1024;

/// SQLite's page size in bytes. Most entities fit into one page with it, where half of them need two of 4,096.
pub const PAGE_BYTES: u32 = 8192;

/// Rows that one INSERT carries. SQLite takes 32,766 arguments a statement; this leaves room for 60 columns.
pub const ROWS_PER_STATEMENT: usize = 500;

/// One value of a plugin. A larger thing is a file, and belongs into a bucket.
pub const KV_VALUE_BYTES: usize = 1024 * 1024;

/// Everything that a plugin keeps, keys included. A plugin that keeps a cursor and some ETags needs a thousandth of it; a
/// hostile one could otherwise fill the disk that every other one writes to.
pub const KV_PLUGIN_BYTES: u64 = 64 * 1024 * 1024;

/// A key of a plugin, in bytes. Room for a URL.
pub const KV_KEY_BYTES: usize = 512;

/// Keys that are listed at once, so that a listing never holds more than half a MiB.
pub const KV_KEYS_PER_PAGE: i64 = 1000;
