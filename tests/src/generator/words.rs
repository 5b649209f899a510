//! Names and texts.

use super::Kind;
use super::random::Random;

const FIRST: &[&str] = &[
    "agile", "amber", "ample", "atlas", "basic", "brisk", "calm", "civic", "clear", "coral", "crisp", "delta", "early",
    "ember", "equal", "exact", "fable", "fleet", "frank", "fresh", "giant", "grand", "green", "happy", "ideal",
    "inner", "ivory", "jolly", "keen", "kind", "large", "light", "lucid", "lunar", "major", "mellow", "minor",
    "modern", "native", "noble", "north", "ocean", "olive", "orbit", "outer", "plain", "polar", "prime", "quick",
    "quiet", "rapid", "royal", "rural", "sharp", "silver", "solar", "solid", "south", "steady", "sunny", "swift",
    "tidal", "urban", "vivid",
];

const SECOND: &[&str] = &[
    "account",
    "album",
    "alert",
    "archive",
    "artist",
    "audio",
    "backup",
    "banner",
    "basket",
    "billing",
    "booking",
    "cache",
    "campaign",
    "catalog",
    "channel",
    "checkout",
    "cluster",
    "consent",
    "content",
    "contract",
    "credit",
    "customer",
    "dashboard",
    "dataset",
    "delivery",
    "device",
    "discount",
    "document",
    "event",
    "export",
    "feature",
    "feed",
    "fraud",
    "gateway",
    "history",
    "identity",
    "image",
    "import",
    "invoice",
    "journey",
    "ledger",
    "library",
    "license",
    "loyalty",
    "mailing",
    "message",
    "metrics",
    "notice",
    "order",
    "payment",
    "player",
    "playlist",
    "podcast",
    "pricing",
    "profile",
    "queue",
    "ranking",
    "report",
    "review",
    "search",
    "session",
    "stream",
    "ticket",
    "wallet",
];

const VERBS: &[&str] = &[
    "collects",
    "stores",
    "serves",
    "checks",
    "routes",
    "renders",
    "computes",
    "publishes",
    "archives",
    "enriches",
    "translates",
    "measures",
    "protects",
    "schedules",
    "synchronises",
    "validates",
];

/// Five components have it in their names, in any catalog: what a search for a rare text finds.
pub const RARE: &str = "zygomorph";
/// One in 64 entities has it in its name.
pub const COMMON: &str = "player";
const RARE_COMPONENTS: u64 = 5;

/// The name of an entity, in lower case.
pub(super) fn name(seed: u64, kind: Kind, number: u64) -> String {
    if kind == Kind::Group && number == 0 {
        return "everyone".to_owned();
    }
    let mut random = Random::of(!seed, kind as u64, number);
    let (first, second) = (random.pick(FIRST), random.pick(SECOND));
    match kind {
        Kind::Component if number < RARE_COMPONENTS => format!("{first}-{RARE}-{number}"),
        Kind::User => format!("{first}.{second}.{number}"),
        Kind::Group => format!("team-{first}-{second}-{number}"),
        _ => format!("{first}-{second}-{number}"),
    }
}

/// A name as people would write it.
pub(super) fn title(name: &str) -> String {
    let words = name.split(['-', '.']).map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Short enough to be looked for by its value, and nearly nobody else's.
pub(super) fn description(random: &mut Random, title: &str) -> String {
    format!(
        "{title} {} what the {} {} needs of the {} {}, and {} it for the {} of team {}.",
        random.pick(VERBS),
        random.pick(FIRST),
        random.pick(SECOND),
        random.pick(FIRST),
        random.pick(SECOND),
        random.pick(VERBS),
        random.pick(SECOND),
        random.below(10_000),
    )
}
