//! What an entity belongs with, in both directions, grouped by how.

use std::collections::BTreeMap;

use leptos::prelude::*;

use super::Subject;
use crate::api;
use crate::entity::{self, Item};
use crate::format;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::ui::{Button, Card, EmptyState, EntityLink, Glyph, Status, Variant};

/// How many of a group show at first, and how many more at each press of a button.
const SHOWN: usize = 25;

/// The types of relations in the order in which they show, each with what it is called from this side.
const ORDER: [(&str, Msg); 14] = [
    ("hasPart", Msg::HasPart),
    ("hasMember", Msg::HasMember),
    ("providesApi", Msg::ProvidesApi),
    ("apiProvidedBy", Msg::ApiProvidedBy),
    ("consumesApi", Msg::ConsumesApi),
    ("apiConsumedBy", Msg::ApiConsumedBy),
    ("dependsOn", Msg::DependsOn),
    ("dependencyOf", Msg::DependencyOf),
    ("partOf", Msg::PartOf),
    ("ownedBy", Msg::OwnedBy),
    ("memberOf", Msg::MemberOf),
    ("childOf", Msg::ChildOf),
    ("parentOf", Msg::ParentOf),
    ("ownerOf", Msg::OwnerOf),
];

/// The targets of one type of relation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    kind: String,
    targets: Vec<String>,
    /// How many of them show.
    shown: usize,
}

/// The relations' card. The links are there at once; what their targets are called comes after.
#[component]
pub(crate) fn Relations(subject: Subject) -> impl IntoView {
    let data = subject.item.data;
    let more = RwSignal::new(BTreeMap::<String, usize>::new());
    let groups = Memo::new(move |_| {
        let more = more.get();
        data.with(|item| item.as_ref().map(|item| groups(item, &more))).unwrap_or_default()
    });
    let targets = live(
        move || {
            let mut refs = groups.with(|groups| {
                groups.iter().flat_map(|group| group.targets.iter().take(group.shown).cloned()).collect::<Vec<_>>()
            });
            refs.sort();
            refs.dedup();
            (!refs.is_empty()).then_some(refs)
        },
        |refs: Vec<String>| async move {
            let items = api::catalog::by_refs(refs.clone()).await?;
            Ok(refs.into_iter().zip(items).collect::<BTreeMap<_, _>>())
        },
        Habits { beats: false, keeps: true },
    );
    let known = targets.data;
    let rest = Callback::new(move |kind: String| more.update(|more| *more.entry(kind).or_default() += SHOWN * 4));
    let body = move || {
        let groups = groups.get();
        if groups.is_empty() {
            let text = t(Msg::NoRelationsText).to_owned();
            return view! { <EmptyState title=t(Msg::NoRelations) text=text glyph=Glyph::Link /> }.into_any();
        }
        groups
            .into_iter()
            .map(|group| view! { <GroupList group=group known=known on_more=rest /> })
            .collect_view()
            .into_any()
    };
    view! { <Card title=t(Msg::Relations) flush=true>{body}</Card> }
}

#[component]
fn GroupList(
    group: Group,
    known: RwSignal<Option<BTreeMap<String, Option<Item>>>>,
    on_more: Callback<String>,
) -> impl IntoView {
    let Group { kind, targets, shown } = group;
    let title =
        ORDER.iter().find(|(known, _)| *known == kind).map_or_else(|| kind.clone(), |(_, label)| t(*label).to_owned());
    let count = format::number(targets.len() as u64);
    let hidden = targets.len().saturating_sub(shown);
    let rows = targets
        .into_iter()
        .take(shown)
        .map(|target| {
            view! { <li class="relation">{move || known.with(|known| row(&target, known.as_ref().and_then(|known| known.get(&target))))}</li> }
        })
        .collect_view();
    let more = (hidden > 0).then(|| {
        let label = Msg::ShowMore.count(hidden as u64);
        view! {
            <div class="relation-group__more">
                <Button label=label variant=Variant::Quiet icon=Glyph::ChevronDown on_press=move |_| on_more.run(kind.clone()) />
            </div>
        }
    });
    view! {
        <section class="relation-group">
            <h3 class="relation-group__head">{title} " " <span class="muted">{count}</span></h3>
            <ul class="relation-group__list">{rows}</ul>
            {more}
        </section>
    }
}

/// A target: its name at once, its title, type and description once they are known, and whether it exists at all.
fn row(target: &str, item: Option<&Option<Item>>) -> AnyView {
    match item {
        Some(Some(item)) => {
            let kind = match item.spec("type") {
                Some(kind) => format!("{} — {kind}", item.kind()),
                None => item.kind().to_owned(),
            };
            let description =
                item.metadata("description").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
            view! {
                <EntityLink entity_ref=target.to_owned() text=item.title().to_owned() />
                <span class="muted">{kind}</span>
                <span class="relation__text" title=description.clone()>{description.clone()}</span>
            }
            .into_any()
        }
        Some(None) => view! {
            <EntityLink entity_ref=target.to_owned() />
            <Status level=callboard_model::ui::Level::Warning text=t(Msg::NotInCatalog) />
        }
        .into_any(),
        None => {
            let kind = entity::parse_ref(target).map(|target| format::kind(target.kind()));
            view! {
                <EntityLink entity_ref=target.to_owned() />
                <span class="muted">{kind}</span>
            }
            .into_any()
        }
    }
}

fn groups(item: &Item, more: &BTreeMap<String, usize>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for relation in item.relations() {
        match groups.iter_mut().find(|group| group.kind == relation.kind) {
            Some(group) => group.targets.push(relation.target),
            None => {
                let shown = SHOWN + more.get(&relation.kind).copied().unwrap_or(0);
                groups.push(Group { kind: relation.kind, targets: vec![relation.target], shown });
            }
        }
    }
    let place = |kind: &str| ORDER.iter().position(|(known, _)| *known == kind).unwrap_or(ORDER.len());
    groups.sort_by(|a, b| (place(&a.kind), &a.kind).cmp(&(place(&b.kind), &b.kind)));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn relations_are_grouped_in_order() {
        let item = Item::from(json!({ "relations": [
            { "type": "zzz", "targetRef": "a:default/z" },
            { "type": "ownedBy", "targetRef": "group:default/b" },
            { "type": "hasPart", "targetRef": "component:default/c" },
            { "type": "hasPart", "targetRef": "component:default/d" },
        ] }));
        let more = BTreeMap::from([("ownedBy".to_owned(), 100)]);
        let groups: Vec<_> =
            groups(&item, &more).into_iter().map(|group| (group.kind, group.targets.len(), group.shown)).collect();
        assert_eq!(groups, [("hasPart".into(), 2, 25), ("ownedBy".into(), 1, 125), ("zzz".into(), 1, 25)]);
    }
}
