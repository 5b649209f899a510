//! What becomes of another version of a plugin.

use callboard_model::rights::{Rights, beyond};
use semver::Version;

use crate::{Digest, Locked};

/// What a source offers now.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its version.
    pub version: &'a Version,
    /// The digest of its component.
    pub digest: Digest,
    /// The rights that it asks for.
    pub rights: &'a Rights,
}

/// What to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it is what was approved.
    Same,
    /// Take it: it is another version that asks for nothing more.
    Update {
        /// The version that was approved.
        from: Version,
        /// The one that is offered.
        to: Version,
    },
    /// Keep the old one until somebody has approved what the new one asks for.
    NeedsApproval {
        /// The version that was approved.
        from: Version,
        /// The one that is offered.
        to: Version,
        /// What it asks for beyond that, as lines for `plugins.<id>.grant`.
        added: Vec<String>,
    },
    /// Refuse it: it is older, and may have a fault that was repaired since.
    Downgrade {
        /// The version that was approved.
        from: Version,
        /// The one that is offered.
        to: Version,
    },
    /// Refuse it: what was approved under this version was something else.
    ChangedDigest {
        /// The version.
        version: Version,
        /// The digest that was approved.
        approved: Digest,
        /// The one that is offered.
        offered: Digest,
    },
}

/// Compares what was approved with what is offered. Somebody who allows an older version still has to approve what it
/// asks for.
#[must_use]
pub fn decide(locked: &Locked, candidate: Candidate<'_>, allow_downgrade: bool) -> Decision {
    let (from, to) = (locked.version.clone(), candidate.version.clone());
    if to == from && candidate.digest != locked.digest {
        return Decision::ChangedDigest { version: to, approved: locked.digest, offered: candidate.digest };
    }
    if to < from && !allow_downgrade {
        return Decision::Downgrade { from, to };
    }
    let added = beyond(candidate.rights, &locked.rights).each();
    match (added.is_empty(), to == from) {
        (false, _) => Decision::NeedsApproval { from, to, added },
        (true, true) => Decision::Same,
        (true, false) => Decision::Update { from, to },
    }
}

impl Decision {
    /// What happened and what to do, for a plugin.
    #[must_use]
    pub fn message(&self, id: &str) -> String {
        match self {
            Self::Same => format!("{id} is up to date"),
            Self::Update { from, to } => {
                format!("{id} {to} takes the place of {from} and asks for nothing more: `callboard plugin update {id}`")
            }
            Self::NeedsApproval { from, to, added } => format!(
                "{id} {to} asks for more than was approved, so {from} stays. It asks for {}. To approve that: \
                 `callboard plugin update {id}`",
                added.join(", ")
            ),
            Self::Downgrade { from, to } => format!(
                "{id} {to} is older than {from}, which was approved, and may have faults that {from} repaired. To go \
                 back all the same: `callboard plugin update {id} --allow-downgrade`"
            ),
            Self::ChangedDigest { version, approved, offered } => format!(
                "{id} {version} is not what was approved as {version}: it has the digest {offered}, and {approved} was \
                 approved. A version that was published does not change, so somebody may have tampered with it. Ask \
                 its author for a new version, or, if you know why it changed: `callboard plugin remove {id}` and add \
                 it again"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rights(value: Value) -> Rights {
        serde_json::from_value(value).unwrap()
    }

    fn locked() -> Locked {
        Locked {
            source: "oci://r.io/s3".to_owned(),
            requirement: None,
            version: "1.2.3".parse().unwrap(),
            digest: Digest::of(b"old"),
            manifest: None,
            rights: rights(json!({"log": true, "http": ["GET https://a.example.com"]})),
            signed_by: None,
            held: None,
        }
    }

    /// Every combination of version, digest, rights and permission to go back.
    #[test]
    fn decisions() {
        const SAME: &str = "same";
        const UPDATE: &str = "update";
        const MORE: &str = "more";
        const DOWN: &str = "down";
        const CHANGED: &str = "changed";
        let fewer = json!({"log": true});
        let as_many = json!({"log": true, "http": ["GET https://a.example.com"]});
        let more = json!({"log": true, "http": ["GET https://a.example.com", "GET https://b.example.com"]});
        for (version, old_bytes, asks, [plain, allowed]) in [
            ("1.2.3", true, &as_many, [SAME, SAME]),
            ("1.2.3", true, &fewer, [SAME, SAME]),
            ("1.2.3", true, &more, [MORE, MORE]),
            ("1.2.3", false, &as_many, [CHANGED, CHANGED]),
            ("1.2.3", false, &fewer, [CHANGED, CHANGED]),
            ("1.2.3", false, &more, [CHANGED, CHANGED]),
            ("1.2.4", false, &as_many, [UPDATE, UPDATE]),
            ("1.2.4", false, &fewer, [UPDATE, UPDATE]),
            ("1.2.4", false, &more, [MORE, MORE]),
            ("1.2.4", true, &as_many, [UPDATE, UPDATE]),
            ("1.2.4", true, &fewer, [UPDATE, UPDATE]),
            ("1.2.4", true, &more, [MORE, MORE]),
            ("1.2.2", false, &as_many, [DOWN, UPDATE]),
            ("1.2.2", false, &fewer, [DOWN, UPDATE]),
            ("1.2.2", false, &more, [DOWN, MORE]),
            ("1.2.2", true, &as_many, [DOWN, UPDATE]),
            ("1.2.2", true, &fewer, [DOWN, UPDATE]),
            ("1.2.2", true, &more, [DOWN, MORE]),
            // Versions that differ in what comes last.
            ("1.2.3-rc.1", false, &as_many, [DOWN, UPDATE]),
            ("1.2.4-rc.1", false, &as_many, [UPDATE, UPDATE]),
            ("1.2.3+2", false, &as_many, [UPDATE, UPDATE]),
            ("2.0.0", false, &as_many, [UPDATE, UPDATE]),
        ] {
            for (allow, expected) in [(false, plain), (true, allowed)] {
                let version = version.parse().unwrap();
                let digest = Digest::of(if old_bytes { b"old" } else { b"new" });
                let asked = rights(asks.clone());
                let decision = decide(&locked(), Candidate { version: &version, digest, rights: &asked }, allow);
                let name = match &decision {
                    Decision::Same => SAME,
                    Decision::Update { .. } => UPDATE,
                    Decision::NeedsApproval { added, .. } => {
                        assert_eq!(added, &["http: [ \"GET https://b.example.com\" ]"]);
                        MORE
                    }
                    Decision::Downgrade { .. } => DOWN,
                    Decision::ChangedDigest { .. } => CHANGED,
                };
                assert_eq!(name, expected, "{version} {old_bytes} {asks} {allow}");
            }
        }
    }

    #[test]
    fn every_right_counts() {
        for asked in [
            json!({"kv": true}),
            json!({"config": ["a.b"]}),
            json!({"catalog": {"kinds": ["API"]}}),
            json!({"entity-processor": {"kinds": ["API"]}}),
            json!({"entity-provider": {"kinds": ["API"]}}),
            json!({"http": ["POST https://a.example.com"]}),
            json!({"http": ["GET https://*.example.com"]}),
        ] {
            let version = "1.3.0".parse().unwrap();
            let candidate = Candidate { version: &version, digest: Digest::of(b"new"), rights: &rights(asked.clone()) };
            let decision = decide(&locked(), candidate, true);
            assert!(matches!(decision, Decision::NeedsApproval { .. }), "{asked}: {decision:?}");
        }
    }

    #[test]
    fn messages_say_what_to_do() {
        let check = |version: &str, bytes: &[u8], asked: Value, parts: &[&str]| {
            let version = version.parse().unwrap();
            let asked = rights(asked);
            let candidate = Candidate { version: &version, digest: Digest::of(bytes), rights: &asked };
            let message = decide(&locked(), candidate, false).message("s3");
            for part in parts {
                assert!(message.contains(part), "{message}");
            }
        };
        check("1.2.3", b"old", json!({}), &["s3 is up to date"]);
        check("1.3.0", b"new", json!({}), &["s3 1.3.0 takes the place of 1.2.3", "`callboard plugin update s3`"]);
        check("1.3.0", b"new", json!({"kv": true}), &["1.2.3 stays", "kv: true", "`callboard plugin update s3`"]);
        check("1.2.0", b"new", json!({}), &["older than 1.2.3", "--allow-downgrade"]);
        let digests = [Digest::of(b"new").to_string(), Digest::of(b"old").to_string()];
        check("1.2.3", b"new", json!({}), &["not what was approved", &digests[0], &digests[1], "new version"]);
    }
}
