//! `callboard:plugin/entity-provider`: brings entities into the catalog.

use callboard_model::provided::{ProvidedEntity, ProvidedItem};
use callboard_model::schedule::Schedule;
use serde_json::Value;

use crate::acting::Acting;
use crate::bindings::entity_provider as wit;
use crate::call::{Target, output};
use crate::error::{ErrorKind, PluginError};
use crate::extension::may_bring;
use crate::limits::BATCH_BYTES;
use crate::plugin::Plugin;

/// One thing that a plugin reads on its own schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// For example `awsS3-provider:default`.
    pub name: String,
    /// When it is read.
    pub schedule: Schedule,
}

/// A part of a provider's run.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What it brings.
    pub items: Vec<ProvidedItem>,
    /// Where the next page begins; none when this was the last of the run.
    pub next: Option<String>,
    /// What a run means for what it does not bring.
    pub mode: Mode,
    /// When to read again.
    pub again: Again,
}

/// What a run means for what it does not bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is removed.
    Full,
    /// It stays.
    Delta,
}

/// When to read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// At the next time that the schedule names.
    Scheduled,
    /// At once, with [`Page::next`] as the cursor.
    Now,
}

/// As in WIT.
const POINT: &str = "entity-provider";
/// A plugin's providers. There is no portal with more; a guest that names more is broken.
const PROVIDERS: usize = 1_000;
/// A provider's name or a cursor: both are stored.
const NAME_BYTES: usize = 256;
const CURSOR_BYTES: usize = 64 * 1024;

impl Plugin {
    /// What app-config asks the plugin to read. None where it does not export `entity-provider`.
    ///
    /// # Errors
    /// The guest failed, or named a provider that makes no sense.
    pub async fn providers(&self, acting: &Acting) -> Result<Vec<Provider>, PluginError> {
        let target = self.entity_provider("providers", acting);
        let Some(indices) = self.inner.entity_provider.clone() else { return Ok(Vec::new()) };
        self.call(
            target,
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_providers(store, &context).await
                })
            },
            check_providers,
        )
        .await
    }

    /// One page of a provider's run.
    ///
    /// # Errors
    /// The guest failed or answered with an error, or an item is not an entity that it may bring.
    pub async fn read(&self, acting: &Acting, provider: &str, cursor: Option<String>) -> Result<Page, PluginError> {
        let target = self.entity_provider("read", acting);
        let Some(indices) = self.inner.entity_provider.clone() else {
            let message = "it does not export `entity-provider`".to_owned();
            return Err(self.error(&target, ErrorKind::NotThere, message));
        };
        let (plugin, provider) = (self.clone(), provider.to_owned());
        self.call(
            target,
            move |store, instance, context| {
                Box::pin(async move {
                    let guest = indices.load(&mut *store, &instance)?;
                    guest.call_read(store, &context, &provider, cursor.as_deref()).await
                })
            },
            move |page| plugin.check_page(page),
        )
        .await
    }

    fn entity_provider<'a>(&self, function: &'static str, acting: &'a Acting) -> Target<'a> {
        Target { extension_point: POINT, function, acting, limit: self.inner.limits.page_deadline }
    }

    fn check_page(&self, page: wit::Page) -> Result<Page, String> {
        if page.items.len() > BATCH_BYTES {
            return Err(format!(
                "its page has {} bytes, but at most {BATCH_BYTES} cross at once; it must make smaller pages",
                page.items.len()
            ));
        }
        if let Some(next) = page.next.as_ref().filter(|next| next.len() > CURSOR_BYTES) {
            return Err(format!("its cursor has {} bytes, but at most {CURSOR_BYTES} are kept", next.len()));
        }
        let again = match page.again {
            wit::Again::Scheduled => Again::Scheduled,
            wit::Again::Now if page.next.is_some() => Again::Now,
            wit::Again::Now => return Err("it asks to be read again at once, but gives no cursor".to_owned()),
        };
        let items: Vec<Value> = serde_json::from_str(&page.items)
            .map_err(|error| format!("its items are not a JSON list: {}", output::clean(&error.to_string(), 300)))?;
        let kinds = &self.inner.effective.entity_provider.kinds;
        let items = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| read_item(item, kinds).map_err(|error| format!("its item {index}: {error}")))
            .collect::<Result<_, _>>()?;
        let mode = match page.mode {
            wit::Mode::Full => Mode::Full,
            wit::Mode::Delta => Mode::Delta,
        };
        Ok(Page { items, next: page.next, mode, again })
    }
}

fn check_providers(providers: Vec<wit::Provider>) -> Result<Vec<Provider>, String> {
    if providers.len() > PROVIDERS {
        return Err(format!("it names {} providers, but at most {PROVIDERS} make sense", providers.len()));
    }
    let mut checked: Vec<Provider> = Vec::with_capacity(providers.len());
    for provider in providers {
        let name = output::clean(&provider.name, NAME_BYTES);
        if name != provider.name || name.is_empty() {
            return Err(format!("`{name}` cannot be a provider's name: at most {NAME_BYTES} printable characters"));
        }
        if checked.iter().any(|other| other.name == name) {
            return Err(format!("it names the provider `{name}` twice"));
        }
        let schedule = serde_json::from_str(&provider.schedule)
            .map_err(|error| format!("the schedule of `{name}`: {}", output::clean(&error.to_string(), 300)))?;
        checked.push(Provider { name, schedule });
    }
    Ok(checked)
}

/// By hand rather than through the untagged enum, whose message would only say that nothing fits.
fn read_item(item: Value, kinds: &[String]) -> Result<ProvidedItem, String> {
    if let Some(unchanged) = item.get("unchanged") {
        let unchanged = unchanged.as_str().ok_or("`unchanged` is not an entity ref")?.to_owned();
        return Ok(ProvidedItem::Unchanged { unchanged });
    }
    if let Some(removed) = item.get("removed") {
        let removed = removed.as_str().ok_or("`removed` is not an entity ref")?.to_owned();
        return Ok(ProvidedItem::Removed { removed });
    }
    let provided: ProvidedEntity =
        serde_json::from_value(item).map_err(|error| output::clean(&error.to_string(), 500))?;
    may_bring(POINT, &provided.entity, kinds)?;
    Ok(ProvidedItem::Entity(Box::new(provided)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(item: Value, kinds: &[&str], expected: Result<(), &str>) {
        let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        match (read_item(item.clone(), &kinds), expected) {
            (Ok(_), Ok(())) => {}
            (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
            (result, _) => panic!("{item}: {result:?}"),
        }
    }

    fn location(kind: &str) -> Value {
        json!({ "entity": {
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Location",
            "metadata": { "name": "generated-1" },
            "spec": { "type": kind, "target": "https://example.com/a.yaml" },
        } })
    }

    #[test]
    fn items() {
        let component = json!({ "entity": {
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": { "name": "a" },
            "spec": { "type": "service", "lifecycle": "production", "owner": "me" },
        } });
        check(location("url"), &[], Ok(()));
        check(location("file"), &[], Err("Location of type file"));
        check(location("file"), &["Location"], Ok(()));
        check(component.clone(), &["component"], Ok(()));
        check(component, &[], Err("entity-provider: { kinds: [Component] }"));
        check(json!({ "unchanged": "location:default/x" }), &[], Ok(()));
        check(json!({ "unchanged": 5 }), &[], Err("not an entity ref"));
        check(json!({ "entity": { "kind": "Component" } }), &[], Err(""));
        check(json!({}), &[], Err("entity"));
        check(json!("text"), &[], Err(""));
    }

    #[test]
    fn providers() {
        let check = |names: &[(&str, &str)], expected: Result<(), &str>| {
            let providers = names
                .iter()
                .map(|(name, schedule)| wit::Provider { name: (*name).to_owned(), schedule: (*schedule).to_owned() })
                .collect();
            match (check_providers(providers), expected) {
                (Ok(_), Ok(())) => {}
                (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
                (result, _) => panic!("{names:?}: {result:?}"),
            }
        };
        let schedule = r#"{"frequency":{"minutes":2},"timeout":{"minutes":3}}"#;
        check(&[], Ok(()));
        check(&[("a", schedule), ("b", schedule)], Ok(()));
        check(&[("a", schedule), ("a", schedule)], Err("twice"));
        check(&[("", schedule)], Err("cannot be a provider's name"));
        check(&[("a\nb", schedule)], Err("cannot be a provider's name"));
        check(&[(&"x".repeat(300), schedule)], Err("cannot be a provider's name"));
        check(&[("a", "{}")], Err("the schedule of `a`"));
        check(&[("a", "{")], Err("the schedule of `a`"));
    }
}
