//! Which columns a list has: each kind says other things of itself.

use leptos::prelude::*;

use crate::entity::{self, Item};
use crate::messages::Msg;
use crate::ui::{Chips, Column, Glyph, Icon, Importance, Star, table};

/// The columns for a kind, or for all of them.
pub(crate) fn of_kind(kind: Option<&str>) -> Vec<Column<Item>> {
    match kind {
        None => vec![NAME, KIND, TYPE, OWNER, LIFECYCLE, DESCRIPTION, TAGS],
        Some("component" | "api" | "resource") => vec![NAME, TYPE, OWNER, SYSTEM, LIFECYCLE, DESCRIPTION, TAGS],
        Some("system") => vec![NAME, TYPE, OWNER, DOMAIN, DESCRIPTION, TAGS],
        Some("domain" | "template") => vec![NAME, TYPE, OWNER, DESCRIPTION, TAGS],
        Some("user") => vec![NAME, EMAIL, DESCRIPTION, TAGS],
        Some("group") => vec![NAME, TYPE, EMAIL, DESCRIPTION, TAGS],
        Some("location") => vec![NAME, TYPE, TARGET],
        Some(_) => vec![NAME, TYPE, OWNER, LIFECYCLE, DESCRIPTION, TAGS],
    }
}

const NAME: Column<Item> = Column {
    key: "name",
    label: Msg::Name,
    sorts: true,
    importance: Importance::Always,
    cell: |item| {
        let reference = item.reference();
        let title = item.title().to_owned();
        let starred = reference.to_string();
        view! {
            <span class="table__name" title=reference.to_string()>
                <Icon glyph=Glyph::of_kind(item.kind()) />
                <a href=entity::href(&reference)>{title.clone()}</a>
                <Star entity_ref=Signal::stored(starred) title=Signal::stored(title) small=true />
            </span>
        }
        .into_any()
    },
};

const KIND: Column<Item> = Column {
    key: "kind",
    label: Msg::Kind,
    sorts: true,
    importance: Importance::Always,
    cell: |item| item.kind().to_owned().into_any(),
};

const TYPE: Column<Item> = Column {
    key: "type",
    label: Msg::Type,
    sorts: true,
    importance: Importance::Always,
    cell: |item| text(item.spec("type")),
};

const OWNER: Column<Item> = Column {
    key: "owner",
    label: Msg::Owner,
    sorts: true,
    importance: Importance::Always,
    cell: |item| reference(item, "owner", "group"),
};

const SYSTEM: Column<Item> = Column {
    key: "system",
    label: Msg::System,
    sorts: true,
    importance: Importance::Less,
    cell: |item| reference(item, "system", "system"),
};

const DOMAIN: Column<Item> = Column {
    key: "domain",
    label: Msg::Domain,
    sorts: false,
    importance: Importance::Less,
    cell: |item| reference(item, "domain", "domain"),
};

const LIFECYCLE: Column<Item> = Column {
    key: "lifecycle",
    label: Msg::Lifecycle,
    sorts: true,
    importance: Importance::Less,
    cell: |item| text(item.spec("lifecycle")),
};

const EMAIL: Column<Item> = Column {
    key: "email",
    label: Msg::Email,
    sorts: false,
    importance: Importance::Less,
    cell: |item| text(item.profile("email")),
};

const TARGET: Column<Item> = Column {
    key: "target",
    label: Msg::Target,
    sorts: false,
    importance: Importance::Fill,
    cell: |item| text(item.spec("target")),
};

const DESCRIPTION: Column<Item> = Column {
    key: "description",
    label: Msg::Description,
    sorts: false,
    importance: Importance::Fill,
    cell: |item| match item.metadata("description") {
        Some(description) => {
            let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
            view! { <span class="muted" title=line.clone()>{line.clone()}</span> }.into_any()
        }
        None => table::none(),
    },
};

const TAGS: Column<Item> = Column {
    key: "tags",
    label: Msg::Tags,
    sorts: false,
    importance: Importance::Minor,
    cell: |item| match item.tags() {
        tags if tags.is_empty() => table::none(),
        tags => view! { <Chips words=tags /> }.into_any(),
    },
};

fn text(text: Option<&str>) -> AnyView {
    text.map_or_else(table::none, |text| text.to_owned().into_any())
}

fn reference(item: &Item, key: &str, default_kind: &str) -> AnyView {
    let Some(reference) = item.spec_ref(key, default_kind) else { return text(item.spec(key)) };
    let name = entity::short_name(&reference);
    view! { <a class="table__link" href=entity::href(&reference) title=reference.to_string()>{name}</a> }.into_any()
}
