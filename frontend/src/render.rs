//! The UI tree as views: the only place that turns what a plugin says into elements of the page.
//!
//! Every node becomes elements of this portal's own making. Its texts become text, never markup; its URLs have been
//! checked when they were read ([`SafeUrl`](callboard_model::safe_url::SafeUrl)). What a button names goes back to the
//! plugin through [`Host`].

use callboard_model::ui::{KeyValue, LinkTo, Node, TimelineItem};
use leptos::prelude::*;
use serde_json::Value;

use crate::format;
use crate::markdown::Markdown;
use crate::messages::{Msg, t};
use crate::ui::{
    Alert, Button, Card, Chip, Code, EmptyState, EntityLink, ExternalLink, Glyph, Icon, Status, Time, Variant, status,
};

/// How deep a tree may nest. The server refuses deeper ones; this keeps a mistake there from becoming one here.
const DEEPEST: usize = 40;

/// What a button asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Action {
    /// The button's words.
    pub label: String,
    /// The plugin's name for it.
    pub name: String,
    /// What the button carries.
    pub value: Option<Value>,
    /// Asked first.
    pub confirm: Option<String>,
    /// Whether it destroys something.
    pub destructive: bool,
}

/// What a tree can ask of the page that shows it.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    /// Does what a button asks for.
    pub act: Callback<Action>,
    /// Shows the rows behind a table's `next`.
    pub more: Callback<String>,
    /// Whether something that was asked for is under way.
    pub busy: Signal<bool>,
}

/// A tree.
pub(crate) fn tree(root: Node, host: Host) -> AnyView {
    node(root, host, 0)
}

fn node(node: Node, host: Host, depth: usize) -> AnyView {
    if depth > DEEPEST {
        return unknown();
    }
    match node {
        Node::Stack { children, horizontal } => {
            view! { <div class="stack" class:stack--row=horizontal>{all(children, host, depth)}</div> }.into_any()
        }
        Node::Grid { columns, children } => {
            let class = format!("grid grid--{}", columns.clamp(1, 4));
            view! { <div class=class>{all(children, host, depth)}</div> }.into_any()
        }
        Node::Card { title, children } => view! {
            <Card title=title>
                <div class="stack">{all(children, host, depth)}</div>
            </Card>
        }
        .into_any(),
        Node::Text { text } => view! { <p class="break">{text}</p> }.into_any(),
        Node::Markdown { text } => view! { <Markdown text=text /> }.into_any(),
        Node::Code { language, text } => {
            view! { <Code label=language.unwrap_or_else(|| t(Msg::Code).to_owned()) text=text /> }.into_any()
        }
        Node::Log { lines } => view! { <Code label=t(Msg::Log) text=lines.join("\n") log=true /> }.into_any(),
        Node::KeyValues { items } => key_values(items, host, depth),
        Node::Table { caption, columns, rows, next } => table(caption, columns, rows, next, host, depth),
        Node::Timeline { items } => {
            view! { <ol class="timeline">{items.into_iter().map(event).collect_view()}</ol> }.into_any()
        }
        Node::Status { level, text } => view! { <Status level=level text=text /> }.into_any(),
        Node::Badge { text } => view! { <Chip text=text /> }.into_any(),
        Node::Progress { label, value, max } => progress(label, value, max),
        Node::Stat { label, value, note } => view! {
            <div class="stat">
                <p class="stat__label">{label}</p>
                <p class="stat__value">{value}</p>
                {note.map(|note| view! { <p class="stat__note">{note}</p> })}
            </div>
        }
        .into_any(),
        Node::Time { at } => view! { <Time at=at /> }.into_any(),
        Node::Bytes { size } => {
            let exact = Msg::Bytes.count(size);
            view! { <span class="nowrap" title=exact>{format::bytes(size)}</span> }.into_any()
        }
        Node::Link { text, href } => view! { <ExternalLink href=href text=text /> }.into_any(),
        Node::EntityLink { entity_ref } => view! { <EntityLink entity_ref=entity_ref /> }.into_any(),
        Node::Button { label, action, value, confirm, destructive } => {
            button(Action { label, name: action, value, confirm, destructive }, host)
        }
        Node::Alert { level, title, text } => view! { <Alert level=level title=title text=text /> }.into_any(),
        Node::EmptyState { title, text, link } => empty(title, text, link),
        Node::Unknown => unknown(),
    }
}

fn all(children: Vec<Node>, host: Host, depth: usize) -> Vec<AnyView> {
    children.into_iter().map(|child| node(child, host, depth + 1)).collect()
}

fn key_values(items: Vec<KeyValue>, host: Host, depth: usize) -> AnyView {
    let rows = items
        .into_iter()
        .map(|KeyValue { key, value }| view! { <dt>{key}</dt><dd>{node(value, host, depth + 1)}</dd> })
        .collect_view();
    view! { <dl class="key-values">{rows}</dl> }.into_any()
}

fn table(
    caption: String,
    columns: Vec<String>,
    rows: Vec<Vec<Node>>,
    next: Option<String>,
    host: Host,
    depth: usize,
) -> AnyView {
    let heads =
        columns.iter().map(|column| view! { <th role="columnheader" scope="col">{column.clone()}</th> }).collect_view();
    let body = rows
        .into_iter()
        .map(|row| {
            let cells = columns
                .iter()
                .zip(row)
                .map(|(column, cell)| {
                    let cell = node(cell, host, depth + 1);
                    view! { <td role="cell" class="table__wrap" data-label=column.clone()>{cell}</td> }
                })
                .collect_view();
            view! { <tr role="row">{cells}</tr> }
        })
        .collect_view();
    let more = next.map(|next| {
        view! {
            <div class="pagination">
                <Button
                    label=t(Msg::MoreRows)
                    busy=host.busy
                    on_press=move |_| host.more.run(next.clone())
                />
            </div>
        }
    });
    view! {
        <div class="table-box">
            <div class="table-scroll" tabindex="0" role="region" aria-label=caption.clone()>
                <table class="table table--cards" role="table">
                    <caption>{caption.clone()}</caption>
                    <thead role="rowgroup"><tr role="row">{heads}</tr></thead>
                    <tbody role="rowgroup">{body}</tbody>
                </table>
            </div>
            {more}
        </div>
    }
    .into_any()
}

fn event(item: TimelineItem) -> AnyView {
    let TimelineItem { at, title, text, level } = item;
    view! {
        <li class="timeline__item">
            <span class=format!("status status--{}", status::name(level))>
                <Icon glyph=status::glyph(level) />
                <span class="visually-hidden">{status::word(level)}</span>
            </span>
            <div>
                <p class="timeline__head">
                    <strong>{title}</strong>
                    <span class="muted"><Time at=at /></span>
                </p>
                {text.map(|text| view! { <p class="break">{text}</p> })}
            </div>
        </li>
    }
    .into_any()
}

fn progress(label: String, value: f64, max: f64) -> AnyView {
    let share = if max > 0.0 { (value / max).clamp(0.0, 1.0) } else { 0.0 };
    let percent = format!("{:.0} %", share * 100.0);
    view! {
        <div class="meter">
            <p class="meter__label"><span>{label.clone()}</span><span>{percent.clone()}</span></p>
            <div
                class="meter__bar"
                role="progressbar"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=format!("{:.0}", share * 100.0)
            >
                <div class="meter__fill" style:width=format!("{:.2}%", share * 100.0)></div>
            </div>
        </div>
    }
    .into_any()
}

fn button(action: Action, host: Host) -> AnyView {
    let variant = if action.destructive { Variant::Danger } else { Variant::Plain };
    let label = action.label.clone();
    view! {
        <span>
            <Button label=label variant=variant busy=host.busy on_press=move |_| host.act.run(action.clone()) />
        </span>
    }
    .into_any()
}

fn empty(title: String, text: Option<String>, link: Option<LinkTo>) -> AnyView {
    match link {
        Some(LinkTo { text: words, href }) => view! {
            <EmptyState title=title text=text><ExternalLink href=href text=words /></EmptyState>
        }
        .into_any(),
        None => view! { <EmptyState title=title text=text /> }.into_any(),
    }
}

fn unknown() -> AnyView {
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
