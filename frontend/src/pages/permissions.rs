//! Why somebody may or may not do something. The question is the address.

use callboard_model::api::PolicyExplanation;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::PageHead;
use crate::api;
use crate::api::identity::Question;
use crate::browser;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::permissions;
use crate::session::use_portal;
use crate::ui::{Combobox, CopyButton, EmptyState, ErrorPanel, Glyph, Skeleton, Stale};

mod answer;
mod entity_box;

use answer::Answer;
use entity_box::EntityBox;

/// What is asked, and the way to ask something else.
#[derive(Clone, Copy)]
struct Asking {
    question: Memo<Question>,
    ask: Callback<Question>,
}

/// Why may I, or why may I not?
#[component]
pub(crate) fn PermissionsPage() -> impl IntoView {
    let query = use_query_map();
    let navigate = use_navigate();
    let question = Memo::new(move |_| {
        let part = |name| query.with(|query| query.get(name).unwrap_or_default());
        Question { permission: part("permission"), entity_ref: part("entityRef"), user: part("user") }
    });
    let ask = Callback::new(move |question: Question| {
        navigate(&permissions::address(&question), NavigateOptions { scroll: false, ..Default::default() });
    });
    let answer = live(
        move || Some(question.get()).filter(|question| !question.permission.is_empty()),
        api::identity::explain,
        Habits { beats: true, keeps: true },
    );
    let asked = Memo::new(move |_| question.with(|question| !question.permission.is_empty()));
    let body = move || {
        if !asked.get() {
            let text = t(Msg::AskText).to_owned();
            return view! { <EmptyState title=t(Msg::AskTitle) text=text glyph=Glyph::Shield /> }.into_any();
        }
        match (answer.data.get(), answer.error.get()) {
            (Some(explained), _) => view! { <Answer explained=explained /> }.into_any(),
            (None, Some(error)) => view! {
                <div class="card__body">
                    <ErrorPanel title=t(Msg::ExplainFailed) error=error on_retry=move |()| answer.reload() />
                </div>
            }
            .into_any(),
            (None, None) => view! { <div class="card__body"><Skeleton lines=6 /></div> }.into_any(),
        }
    };
    view! {
        <PageHead title=t(Msg::Permissions)>
            <CopyButton text=browser::address label=t(Msg::CopyLink) compact=true />
        </PageHead>
        <p class="page-lead">{t(Msg::PermissionsLead)}</p>
        <Form asking=Asking { question, ask } />
        <Stale live=answer />
        <div class="card" aria-live="polite" aria-busy=move || if answer.busy.get() { "true" } else { "false" }>{body}</div>
    }
}

#[component]
fn Form(asking: Asking) -> impl IntoView {
    let Asking { question, ask } = asking;
    let portal = use_portal();
    let known = live(|| Some(()), |()| api::identity::permissions(), Habits::default());
    let choices = Signal::derive(move || match (known.data.get(), known.error.with(Option::is_some)) {
        (Some(list), _) => Some(permissions::choices(&list.items)),
        (None, true) => Some(Vec::new()),
        (None, false) => None,
    });
    let about_entities = Memo::new(move |_| {
        let permission = question.with(|question| question.permission.clone());
        let known = known.data.get().and_then(|list| list.items.into_iter().find(|known| known.name == permission));
        known.is_none_or(|known| known.about_entities)
    });
    let others = Memo::new(move |_| portal.may("policy.read"));
    let failed = move || {
        known.error.get().map(|error| {
            view! {
                <div class="alerts">
                    <ErrorPanel title=t(Msg::PermissionsFailed) error=error on_retry=move |()| known.reload() />
                </div>
            }
        })
    };
    let entity = move || {
        // What is not about entities needs none, but one that was asked about can be taken away again.
        let wanted = about_entities.get() || question.with(|question| !question.entity_ref.is_empty());
        wanted.then(|| {
            view! {
                <EntityBox
                    label=Msg::Entity
                    placeholder=Msg::AnyEntity
                    chosen=Signal::derive(move || question.with(|question| question.entity_ref.clone()))
                    on_choose=move |entity_ref| ask.run(Question { entity_ref, ..question.get_untracked() })
                />
            }
        })
    };
    let user = move || {
        others.get().then(|| {
            view! {
                <EntityBox
                    label=Msg::Who
                    placeholder=Msg::Myself
                    kind="user"
                    chosen=Signal::derive(move || question.with(|question| question.user.clone()))
                    on_choose=move |user| ask.run(Question { user, ..question.get_untracked() })
                />
            }
        })
    };
    let permission = Signal::derive(move || {
        let permission = question.with(|question| question.permission.clone());
        Vec::from_iter(Some(permission).filter(|permission| !permission.is_empty()))
    });
    let choose = move |chosen: Vec<String>| {
        let permission = chosen.into_iter().next().unwrap_or_default();
        ask.run(Question { permission, ..question.get_untracked() });
    };
    view! {
        {failed}
        <div class="question" role="search" aria-label=t(Msg::Question)>
            <Combobox
                label=t(Msg::Permission)
                placeholder=t(Msg::ChoosePermission)
                choices=choices
                chosen=permission
                words=permissions::line
                single=true
                on_change=choose
            />
            {entity}
            {user}
        </div>
    }
}

/// Whether an answer is about the reader.
fn is_about(explained: &PolicyExplanation, reader: Option<&str>) -> bool {
    reader == Some(explained.principal.as_str())
}
