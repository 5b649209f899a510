//! `alert`, `empty-state`, `error`, `stale-since`, and what no portal of this age knows.

use callboard_model::ui::{Alert as AlertNode, EmptyState as EmptyNode, ErrorState, Level, LinkTo, StaleSince};
use leptos::prelude::*;

use super::Place;
use crate::messages::{Msg, t};
use crate::ui::{Alert, Button, EmptyState, ExternalLink, Glyph, Icon, Time};

pub(super) fn alert(alert: AlertNode) -> AnyView {
    view! { <Alert level=alert.level title=alert.title.to_string() text=alert.text.map(|text| text.to_string()) /> }
        .into_any()
}

pub(super) fn empty(empty: EmptyNode) -> AnyView {
    let (title, text) = (empty.title.to_string(), empty.text.map(|text| text.to_string()));
    match empty.link {
        Some(LinkTo { text: words, href }) => view! {
            <EmptyState title=title text=text><ExternalLink href=href text=words.to_string() /></EmptyState>
        }
        .into_any(),
        None => view! { <EmptyState title=title text=text /> }.into_any(),
    }
}

pub(super) fn error(error: ErrorState, place: &Place) -> AnyView {
    let host = place.host;
    let (title, text) = (error.title.to_string(), error.text.map(|text| text.to_string()));
    if !error.retry {
        return view! { <Alert level=Level::Error title=title text=text /> }.into_any();
    }
    view! {
        <Alert level=Level::Error title=title text=text>
            <div class="alert__actions">
                <Button label=t(Msg::TryAgain) icon=Glyph::Refresh busy=host.busy on_press=move |_| host.again.run(()) />
            </div>
        </Alert>
    }
    .into_any()
}

pub(super) fn stale(stale: StaleSince) -> AnyView {
    view! {
        <Alert level=Level::Warning title=t(Msg::StaleSince) text=stale.text.map(|text| text.to_string())>
            <p class="alert__text"><Time at=stale.at /></p>
        </Alert>
    }
    .into_any()
}

pub(super) fn unknown() -> AnyView {
    view! {
        <div class="alert">
            <Icon glyph=Glyph::Box />
            <div class="alert__body">
                <p class="alert__title">{t(Msg::UnknownNodeTitle)}</p>
                <p class="alert__text">{t(Msg::UnknownNodeText)}</p>
            </div>
        </div>
    }
    .into_any()
}
