//! What one set of rights has beyond another, and both together: for updates that ask for more than was approved.

use super::effective::{covers_http, is_below, merged};
use super::{
    CatalogRights, EntityProcessorRights, EntityProviderRights, EventSubscriberRights, Rights, ScaffolderActionsRights,
};

/// What `wide` has and `narrow` does not.
#[must_use]
pub fn beyond(wide: &Rights, narrow: &Rights) -> Rights {
    let paths = |path: &&String| !narrow.config.iter().any(|other| is_below(path, other));
    let kinds = |wide: &[String], narrow: &[String]| {
        let has = |kind: &&String| !narrow.iter().any(|other| other.eq_ignore_ascii_case(kind));
        wide.iter().filter(has).cloned().collect()
    };
    Rights {
        log: wide.log && !narrow.log,
        config: wide.config.iter().filter(paths).cloned().collect(),
        http: wide
            .http
            .iter()
            .filter(|right| !narrow.http.iter().any(|other| covers_http(other, right)))
            .cloned()
            .collect(),
        kv: wide.kv && !narrow.kv,
        catalog: CatalogRights { kinds: kinds(&wide.catalog.kinds, &narrow.catalog.kinds) },
        entity_processor: EntityProcessorRights {
            kinds: kinds(&wide.entity_processor.kinds, &narrow.entity_processor.kinds),
        },
        entity_provider: EntityProviderRights {
            kinds: kinds(&wide.entity_provider.kinds, &narrow.entity_provider.kinds),
        },
        event_subscriber: EventSubscriberRights {
            topics: {
                let has = |topic: &&String| !narrow.event_subscriber.topics.contains(topic);
                wide.event_subscriber.topics.iter().filter(has).cloned().collect()
            },
        },
        scaffolder_actions: ScaffolderActionsRights {
            actions: {
                let has = |action: &&String| !narrow.scaffolder_actions.actions.contains(action);
                wide.scaffolder_actions.actions.iter().filter(has).cloned().collect()
            },
        },
        workspace: wide.workspace && !narrow.workspace,
    }
}

/// What either has, without what another one of it covers in full.
#[must_use]
pub fn union(one: &Rights, other: &Rights) -> Rights {
    let more = beyond(other, one);
    let both = |one: &[String], more: Vec<String>| one.iter().cloned().chain(more).collect();
    Rights {
        log: one.log || more.log,
        config: both(&one.config, more.config),
        http: merged(one.http.iter().cloned().chain(more.http).collect()),
        kv: one.kv || more.kv,
        catalog: CatalogRights { kinds: both(&one.catalog.kinds, more.catalog.kinds) },
        entity_processor: EntityProcessorRights {
            kinds: both(&one.entity_processor.kinds, more.entity_processor.kinds),
        },
        entity_provider: EntityProviderRights { kinds: both(&one.entity_provider.kinds, more.entity_provider.kinds) },
        event_subscriber: EventSubscriberRights {
            topics: both(&one.event_subscriber.topics, more.event_subscriber.topics),
        },
        scaffolder_actions: ScaffolderActionsRights {
            actions: both(&one.scaffolder_actions.actions, more.scaffolder_actions.actions),
        },
        workspace: one.workspace || more.workspace,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rights(value: Value) -> Rights {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn beyond_and_together() {
        let check = |wide: Value, narrow: Value, more: Value| {
            let (wide, narrow, more) = (rights(wide), rights(narrow), rights(more));
            assert_eq!(beyond(&wide, &narrow), more);
            let together = union(&narrow, &wide);
            assert_eq!(beyond(&wide, &together), Rights::default());
            assert_eq!(beyond(&narrow, &together), Rights::default());
        };
        check(json!({}), json!({ "log": true }), json!({}));
        check(json!({ "log": true, "kv": true }), json!({ "kv": true }), json!({ "log": true }));
        check(
            json!({ "config": ["a.b", "c"], "http": ["GET https://a.example.com", "POST https://a.example.com"] }),
            json!({ "config": ["a"], "http": ["GET,POST https://*.example.com", "GET https://a.example.com"] }),
            json!({ "config": ["c"] }),
        );
        check(
            json!({ "catalog": { "kinds": ["API", "User"] }, "entity-provider": { "kinds": ["Group"] } }),
            json!({ "catalog": { "kinds": ["api"] } }),
            json!({ "catalog": { "kinds": ["User"] }, "entity-provider": { "kinds": ["Group"] } }),
        );
        check(
            json!({
                "http": ["GET https://a.example.com", "GET config:a.b"],
                "entity-processor": { "kinds": ["Resource"] },
                "event-subscriber": { "topics": ["github", "catalog.entity"] },
            }),
            json!({ "http": ["GET https://*.example.com"], "event-subscriber": { "topics": ["GitHub", "catalog.entity"] } }),
            json!({
                "http": ["GET config:a.b"],
                "entity-processor": { "kinds": ["Resource"] },
                "event-subscriber": { "topics": ["github"] },
            }),
        );
        check(
            json!({ "scaffolder-actions": { "actions": ["a:b", "a:c"] }, "workspace": true }),
            json!({ "scaffolder-actions": { "actions": ["a:b"] } }),
            json!({ "scaffolder-actions": { "actions": ["a:c"] }, "workspace": true }),
        );
    }
}
