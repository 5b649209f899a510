//! Rights as text: lines for `plugins.<id>.grant` in app-config, or for `rights` in a manifest.

use super::Rights;

/// The rights below one key.
enum Below {
    Yes,
    List(Vec<String>),
    /// A list with a key of its own.
    Named(&'static str, Vec<String>),
}

impl Rights {
    /// YAML of all that is given, a line for each key.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let lines: Vec<String> = self.given().iter().map(|(key, below)| line(key, below)).collect();
        lines.join("\n")
    }

    /// A line for each right, to be counted and looked at one by one.
    #[must_use]
    pub fn each(&self) -> Vec<String> {
        let one = |item: String| vec![item];
        let mut lines = Vec::new();
        for (key, below) in self.given() {
            match below {
                Below::Yes => lines.push(line(key, &Below::Yes)),
                Below::List(items) => lines.extend(items.into_iter().map(|item| line(key, &Below::List(one(item))))),
                Below::Named(name, items) => {
                    lines.extend(items.into_iter().map(|item| line(key, &Below::Named(name, one(item)))));
                }
            }
        }
        lines
    }

    fn given(&self) -> Vec<(&'static str, Below)> {
        let yes = |given: bool| given.then_some(Below::Yes);
        let list = |items: Vec<String>| (!items.is_empty()).then_some(Below::List(items));
        let named =
            |name: &'static str, items: &[String]| (!items.is_empty()).then(|| Below::Named(name, items.to_vec()));
        let all = [
            ("log", yes(self.log)),
            ("config", list(self.config.clone())),
            ("http", list(self.http.iter().map(|right| format!("\"{right}\"")).collect())),
            ("kv", yes(self.kv)),
            ("catalog", named("kinds", &self.catalog.kinds)),
            ("entity-processor", named("kinds", &self.entity_processor.kinds)),
            ("entity-provider", named("kinds", &self.entity_provider.kinds)),
            ("scaffolder-actions", named("actions", &self.scaffolder_actions.actions)),
            ("workspace", yes(self.workspace)),
            ("event-subscriber", named("topics", &self.event_subscriber.topics)),
        ];
        all.into_iter().filter_map(|(key, below)| Some((key, below?))).collect()
    }
}

fn line(key: &str, below: &Below) -> String {
    match below {
        Below::Yes => format!("{key}: true"),
        Below::List(items) => format!("{key}: [ {} ]", items.join(", ")),
        Below::Named(name, items) => format!("{key}: {{ {name}: [ {} ] }}", items.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn to_yaml_is_read_as_the_same_and_has_each_key_once() {
        let written = json!({
            "log": true,
            "config": ["catalog.providers.awsS3", "a"],
            "http": ["GET https://*.s3.*.amazonaws.com", "GET,POST https://a.example:8443"],
            "kv": true,
            "catalog": { "kinds": ["Component", "API"] },
            "entity-processor": { "kinds": ["Resource"] },
            "entity-provider": { "kinds": ["User", "Group"] },
            "scaffolder-actions": { "actions": ["acme:make", "acme:break"] },
            "workspace": true,
            "event-subscriber": { "topics": ["github", "catalog"] },
        });
        let rights: Rights = serde_json::from_value(written.clone()).unwrap();
        let text = rights.to_yaml();
        assert_eq!(
            crate::yaml::value(&text).map(|value| serde_json::to_value(value).unwrap()).unwrap(),
            written,
            "{text}"
        );
        assert_eq!(text.lines().count(), written.as_object().unwrap().len(), "{text}");
        assert_eq!(Rights::default().to_yaml(), "");
    }

    #[test]
    fn each_is_a_right_of_its_own() {
        let check = |written: Value, lines: &[&str]| {
            assert_eq!(serde_json::from_value::<Rights>(written).unwrap().each(), lines);
        };
        check(json!({}), &[]);
        check(
            json!({ "log": true, "http": ["GET https://a.example", "GET https://b.example"], "catalog": { "kinds": ["API", "User"] } }),
            &[
                "log: true",
                "http: [ \"GET https://a.example\" ]",
                "http: [ \"GET https://b.example\" ]",
                "catalog: { kinds: [ API ] }",
                "catalog: { kinds: [ User ] }",
            ],
        );
    }
}
