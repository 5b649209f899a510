//! What a reader did to a tree, which is rendered anew while they look: open tabs, folded sections, what was typed.

use std::collections::{BTreeMap, HashMap};

use callboard_model::ui::Entry;
use leptos::prelude::*;

/// What outlives a tree that is rendered anew. It ends with the view that made it.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    texts: StoredValue<HashMap<String, ArcRwSignal<Option<String>>>>,
    forms: StoredValue<HashMap<String, ArcRwSignal<Typed>>>,
}

/// What stands in a form, and what is wrong with it, by the fields' pointers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Typed {
    pub entries: BTreeMap<String, Entry>,
    pub errors: BTreeMap<String, String>,
}

impl Memory {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { texts: StoredValue::new(HashMap::new()), forms: StoredValue::new(HashMap::new()) }
    }

    /// A text by the place of what it belongs to; none until somebody sets it.
    pub(super) fn text(self, at: &str) -> RwSignal<Option<String>> {
        let mut found = None;
        self.texts.update_value(|texts| {
            found = Some(texts.entry(at.to_owned()).or_insert_with(|| ArcRwSignal::new(None)).clone());
        });
        found.unwrap_or_else(|| ArcRwSignal::new(None)).into()
    }

    /// What stands in the form at a place.
    pub(super) fn form(self, at: &str) -> RwSignal<Typed> {
        let mut found = None;
        self.forms.update_value(|forms| {
            found = Some(forms.entry(at.to_owned()).or_default().clone());
        });
        found.unwrap_or_default().into()
    }

    /// What the plugin says is wrong with a form.
    pub(crate) fn refuse(self, at: &str, errors: impl IntoIterator<Item = (String, String)>) {
        let found = self.forms.with_value(|forms| forms.get(at).cloned());
        if let Some(form) = found {
            form.update(|typed| typed.errors = errors.into_iter().collect());
        }
    }

    /// The form was sent: it begins anew.
    pub(crate) fn forget(self, at: &str) {
        let found = self.forms.with_value(|forms| forms.get(at).cloned());
        if let Some(form) = found {
            form.set(Typed::default());
        }
    }
}
