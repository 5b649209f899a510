//! How much is taken from whoever keeps plugins. Each is a bound for somebody hostile, and generous for anybody else.

use std::time::Duration;

/// The largest component. The largest plugin that is known takes a tenth; what is larger would not be compiled either.
pub const COMPONENT_BYTES: u64 = 32 << 20;

/// The largest manifest of an artefact. One with one layer takes a thousandth; the specification asks for registries to
/// take 4 MiB, which only indexes of many images need.
pub const MANIFEST_BYTES: u64 = 1 << 20;

/// The largest answer that lists tags or referrers. A page of a thousand tags of the longest kind takes 128 KiB.
pub const LIST_BYTES: u64 = 4 << 20;

/// How many pages of a list are asked for, so that a registry that always names a next one is not followed for ever.
pub const LIST_PAGES: usize = 200;

/// How many tags a repository may have. A version a day for fifty years.
pub const TAGS: usize = 20_000;

/// The largest answer of a token server. Tokens of some hold a list of rights and take a few KiB.
pub const TOKEN_BYTES: u64 = 256 << 10;

/// The largest sigstore bundle. One with a certificate, an entry of the log and its proof takes 10 KiB; the statement of
/// a build is larger, and the proof of a log grows with the logarithm of its size.
pub const BUNDLE_BYTES: u64 = 1 << 20;

/// How many bundles of one artefact are looked at. Whoever may push to the repository may add some.
pub const BUNDLES: usize = 16;

/// The largest body of an error that is read for its message.
pub const ERROR_BYTES: u64 = 16 << 10;

/// How long a request may take that is no download.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);

/// How long the download or the upload of a component may take: 32 MiB at 1 Mbit/s.
pub const TRANSFER_TIME: Duration = Duration::from_secs(300);

/// How long nothing may move while a component is downloaded.
pub const STALL: Duration = Duration::from_secs(30);

/// How long a token is used whose server does not say for how long. What the specification of tokens says.
pub const TOKEN_LIFE: Duration = Duration::from_secs(60);

/// The longest that a token is used, whatever its server says.
pub const LONGEST_TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// The largest lock file. A thousand plugins with a hundred rights each.
pub const LOCK_BYTES: u64 = 16 << 20;
