//! The UI tree as views: the only place that turns what a plugin says into elements of the page.
//!
//! Every node becomes elements of this portal's own making. Its texts become text, never markup; its URLs have been
//! checked when they were read ([`SafeUrl`](callboard_model::safe_url::SafeUrl)), its pictures by their bytes. What a
//! reader does goes back to the plugin through [`Host`].

use callboard_model::ui::{Node, TableState};
use leptos::prelude::*;
use serde_json::Value;

use crate::markdown::Markdown;
use crate::ui::{Chip, EntityLink, ExternalLink, Skeleton, Time};

mod action;
mod chart;
mod content;
mod data;
mod form;
mod graph;
mod layout;
mod memory;
mod state;
mod table;
mod value;

pub(crate) use memory::Memory;

/// How deep a tree may nest. The server refuses deeper ones; this keeps a mistake there from becoming one here.
const DEEPEST: usize = 40;

/// What a button or a form asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Action {
    /// The button's words.
    pub label: String,
    /// The plugin's name for it.
    pub name: String,
    /// What the button carries, or what was typed.
    pub value: Option<Value>,
    /// Asked first.
    pub confirm: Option<String>,
    /// Whether it destroys something.
    pub destructive: bool,
    /// The form that it is of, whose fields show what is wrong.
    pub form: Option<String>,
}

/// What a tree can ask of the page that shows it.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    /// Does what a button asks for.
    pub act: Callback<Action>,
    /// Turns a page of a table, sorts or filters it: its id and its new state.
    pub table: Callback<(String, TableState)>,
    /// Renders anew.
    pub again: Callback<()>,
    /// Whether something that was asked for is under way.
    pub busy: Signal<bool>,
    /// What outlives a tree that is rendered anew.
    pub memory: Memory,
}

/// Where a node stands: what is remembered of it goes by that.
#[derive(Clone)]
struct Place {
    host: Host,
    at: String,
    depth: usize,
}

impl Place {
    fn within(&self, index: usize) -> Self {
        Self { host: self.host, at: format!("{}.{index}", self.at), depth: self.depth + 1 }
    }
}

/// A tree. What is remembered of it goes by `name`, too: two trees with one [`Memory`] have different ones.
pub(crate) fn tree(root: Node, host: Host, name: &str) -> AnyView {
    node(root, &Place { host, at: name.to_owned(), depth: 0 })
}

fn node(node: Node, place: &Place) -> AnyView {
    if place.depth > DEEPEST {
        return state::unknown();
    }
    match node {
        Node::Stack(stack) => layout::stack(stack, place),
        Node::Grid(grid) => layout::grid(grid, place),
        Node::Tabs(tabs) => layout::tabs(tabs, place),
        Node::Card(card) => layout::card(card, place),
        Node::Section(section) => layout::section(section, place),
        Node::Drawer(drawer) => layout::drawer(drawer, place),
        Node::Text(paragraph) => view! { <p class="break" dir="auto">{paragraph.text.to_string()}</p> }.into_any(),
        Node::Markdown(markdown) => {
            view! { <div dir="auto"><Markdown text=markdown.text.to_string() /></div> }.into_any()
        }
        Node::Code(code) => content::code(code),
        Node::Diff(diff) => content::diff(diff),
        Node::Log(log) => content::log(log),
        Node::Image(image) => content::image(image),
        Node::KeyValues(values) => data::key_values(values, place),
        Node::Table(table) => table::table(table, place),
        Node::List(list) => data::list(list, place),
        Node::Tree(tree) => data::tree(tree, place),
        Node::Timeline(timeline) => data::timeline(timeline),
        Node::Status(status) => value::status(&status),
        Node::Badge(badge) => value::badge(&badge),
        Node::Progress(progress) => value::progress(&progress),
        Node::Gauge(gauge) => value::gauge(&gauge),
        Node::Stat(stat) => value::stat(stat),
        Node::Time(time) => view! { <Time at=time.at /> }.into_any(),
        Node::Duration(duration) => value::duration(duration.ms),
        Node::Bytes(bytes) => value::bytes(bytes.size),
        Node::Cost(cost) => value::cost(&cost),
        Node::Sparkline(chart) => chart::sparkline(&chart),
        Node::LineChart(chart) => chart::line(chart),
        Node::BarChart(chart) => chart::bar(chart),
        Node::PieChart(chart) => chart::pie(&chart),
        Node::Heatmap(map) => chart::heatmap(map),
        Node::Graph(graph) => graph::graph(graph),
        Node::Link(link) => view! { <ExternalLink href=link.href text=link.text.to_string() /> }.into_any(),
        Node::EntityLink(link) => {
            view! { <EntityLink entity_ref=link.entity_ref text=link.text.map(|text| text.to_string()) /> }.into_any()
        }
        Node::UserChip(chip) => value::user_chip(chip),
        Node::Avatar(avatar) => value::avatar(avatar),
        Node::Button(button) => action::button(button, place),
        Node::Menu(menu) => action::menu(menu, place),
        Node::Form(form) => form::form(form, place),
        Node::Alert(alert) => state::alert(alert),
        Node::EmptyState(empty) => state::empty(empty),
        Node::Skeleton(skeleton) => view! { <Skeleton lines=usize::from(skeleton.lines.clamp(1, 20)) /> }.into_any(),
        Node::Error(error) => state::error(error, place),
        Node::StaleSince(stale) => state::stale(stale),
        Node::Unknown => state::unknown(),
    }
}

fn all(children: Vec<Node>, place: &Place) -> Vec<AnyView> {
    children.into_iter().enumerate().map(|(index, child)| node(child, &place.within(index))).collect()
}

/// A word on a chip, which is what a badge without judgement is.
fn chip(text: String) -> AnyView {
    view! { <Chip text=text /> }.into_any()
}
