//! Every limit of this crate, with its reason.

use std::time::Duration;

/// An entity's document as it goes out, in bytes, placeholders resolved. The same bound as for a document of a file:
/// somebody's browser has to show it.
pub(crate) const DOCUMENT_BYTES: usize = 16 * 1024 * 1024;

/// What one placeholder may bring, in bytes: as much as a descriptor file.
pub(crate) const FILE_BYTES: usize = 32 * 1024 * 1024;

/// Placeholders in one entity, and files of one API description. Each is a request to somebody's server; real entities
/// have one or two, and descriptions a dozen.
pub(crate) const PLACEHOLDERS: usize = 100;

/// How deep an API description may be when its files are put together. No real one comes near, and what reads it has a
/// limit as well.
pub(crate) const BUNDLE_DEPTH: usize = 200;

/// Values of such a description: as many as a document of a file may have.
pub(crate) const BUNDLE_VALUES: usize = 1_000_000;

/// Targets of one Location, after its globs. Each is a file to read; a larger organisation has several Locations.
pub(crate) const TARGETS: usize = 10_000;

/// Entries that one glob looks at, so that a pattern over a whole disk ends.
pub(crate) const GLOB_ENTRIES: usize = 100_000;

/// Directories within each other that a glob follows.
pub(crate) const GLOB_DEPTH: usize = 32;

/// Entities that are processed side by side: enough for two transactions of results, so that processing goes on while one
/// is written. Most wait for a network or for those that do.
pub(crate) const IN_FLIGHT: usize = 400;

/// Entities that are taken from the queue at once: a look at the queue for each would cost as much as the work.
pub(crate) const TAKEN_AT_ONCE: usize = 64;

/// Entities that cross to a processor of a plugin at once.
pub(crate) const BATCH_ENTITIES: usize = 200;

/// How long the first of them waits for others. They come within moments of each other, or not at all.
pub(crate) const BATCH_PAUSE: Duration = Duration::from_millis(5);

/// Batches of one processor that are under way at once: enough to hide the latency of one that asks a server.
pub(crate) const PROCESSOR_CALLS: usize = 4;

/// The longest key that an entity is found by when somebody refreshes what it was made from, in characters.
pub(crate) const REFRESH_KEY_CHARS: usize = 255;

/// What is kept of a longer one, before its digest.
pub(crate) const REFRESH_KEY_KEPT: usize = 180;

/// Requests and files that are read side by side: enough to hide latency, few enough for a bucket not to throttle.
pub(crate) const READS_AT_ONCE: usize = 16;

/// Results that are stored in one transaction, which then takes a tenth of a second. In a large catalog the results of
/// even a few entities touch the pages of many indexes, and each such page is written once for each transaction.
pub(crate) const RESULTS_PER_TRANSACTION: usize = 200;

/// The pause after the first failed read; it doubles with every further one, up to the processing interval.
pub(crate) const FIRST_RETRY: Duration = Duration::from_secs(5);

/// Between two looks at the files, at least. People expect a saved file to show by the time they switch windows.
pub(crate) const WATCH_PAUSE: Duration = Duration::from_millis(500);

/// A look at the files may take up at most one part in so many of the time.
pub(crate) const WATCH_SHARE: u32 = 20;

/// Between a change and a look at what the database wants to have done: a first load, or a refresh of everything, leaves
/// much behind within seconds.
pub(crate) const UPKEEP_PAUSE: Duration = Duration::from_secs(1);

/// The pause after that, in times of what it took.
pub(crate) const UPKEEP_SHARE: u32 = 4;

/// The pause after an error of the database, before the engine tries again.
pub(crate) const STORE_RETRY: Duration = Duration::from_secs(1);

/// The longest pause after errors of the database. One that is back is found by then; a hundred replicas that ask it
/// every five seconds are no load.
pub(crate) const STORE_BACKOFF: Duration = Duration::from_secs(5);

/// For how long a replica is believed that says nothing. Longer than a hiccup of the network or a stop of a virtual
/// machine that is moved, short enough for a person who waits. Whoever is at work says so three times within it.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// The shortest such time: a replica that is busy must still come to say so.
pub(crate) const LEASE_LEAST: Duration = Duration::from_secs(1);

/// Between two words to the other replicas, at least. A page that shows a change a tenth of a second later is not slower
/// to a person, and an ingestion commits many times within it.
pub(crate) const TELL_PAUSE: Duration = Duration::from_millis(100);

/// How long a replica that ends takes to give up what it holds. Others find it a little later otherwise.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// The pause before a provider that asked to be called again at once is called again, so that one which never waits
/// does not take a processor for itself.
pub(crate) const AGAIN_PAUSE: Duration = Duration::from_millis(200);

/// Pages of one run. A provider whose cursor goes round in circles ends here.
pub(crate) const PAGES_PER_RUN: u64 = 1_000_000;

/// How long a run that has found nothing new may go on without a note of how far it is. Up to then it writes nothing, and
/// begins anew when it is cut off.
pub(crate) const RUN_PROGRESS: Duration = Duration::from_secs(60);

/// Problems of a provider that are listed, and entities that a Location names and others have; the rest is a number.
pub(crate) const PROBLEMS: usize = 100;

/// Parents that a refresh follows upwards.
pub(crate) const REFRESH_LEVELS: usize = 32;

/// Entities that a dry run of a registration reads at most.
pub(crate) const DRY_RUN_ENTITIES: usize = 10_000;

/// How long a registration waits for what it brings: long enough for a file on a server nearby, short enough for
/// somebody who looks at a button.
pub(crate) const REGISTRATION_WAIT: Duration = Duration::from_secs(5);

/// Between two looks at what somebody waits for, at least: every result that is stored would else cause one.
pub(crate) const WAIT_PAUSE: Duration = Duration::from_millis(20);

/// Between two looks at what somebody waits for, at most: a word of another replica may be lost.
pub(crate) const WAIT_LOOK: Duration = Duration::from_millis(500);

/// Entities that the analysis of a location answers with. Nobody looks through more of them before registering one.
pub(crate) const ANALYZED_ENTITIES: u64 = 1_000;

/// Refs and failures that the answer to a push lists; the rest is a number.
pub(crate) const PUSH_LISTED: usize = 1_000;

/// The longest name of a push source and of a part of it, in characters: both are in a column that is compared.
pub(crate) const PUSH_NAME_CHARS: usize = 200;

/// The longest message that is kept of an error, in characters.
pub(crate) const MESSAGE_CHARS: usize = 5_000;

/// Terms of facets that one request may ask for. A page shows a handful.
pub(crate) const FACETS: usize = 100;

/// Refs that one request may ask for. The official client sends 1,000 at most.
pub(crate) const REFS: usize = 10_000;

/// The longest ref, in bytes. An entity's own has 191 at most, so this only bounds what relations may lead to; an index
/// of PostgreSQL takes 2,704.
pub(crate) const REF_BYTES: usize = 1_000;

/// Refs that a process remembers by their ids: about 10 MiB of them. A page of a list needs some hundreds.
pub(crate) const REMEMBERED_REFS: usize = 65_536;

/// Bytes of documents that a process remembers by their refs: some thousands of them, as a portal shows them all day.
pub(crate) const REMEMBERED_DOCUMENTS: u64 = 16 * 1024 * 1024;

/// A read that meets more new refs than this at once leaves the memory to others: a group with 100,000 members. A list of
/// 2,000 entities meets some 12,000.
pub(crate) const REMEMBERED_AT_ONCE: usize = 16_384;
