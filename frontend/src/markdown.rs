//! A subset of Markdown as views: paragraphs, emphasis, lists, quotes, code, links. What is HTML shows as the text
//! that it is, an image as a link to it: nothing of a description ever becomes markup of the page.

use callboard_model::safe_url::SafeUrl;
use leptos::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::ui::ExternalLink;

/// How deep quotes and lists may nest; below that, text goes on at the level that it has.
const DEEPEST: usize = 16;

/// A text in Markdown.
#[component]
pub(crate) fn Markdown(
    /// The source.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let views = render(&text);
    view! { <div class="prose">{views}</div> }
}

/// An element that has begun, and what is in it so far.
struct Open {
    tag: TagEnd,
    children: Vec<AnyView>,
    text: String,
    target: String,
    start: Option<u64>,
}

fn render(text: &str) -> Vec<AnyView> {
    let root =
        Open { tag: TagEnd::Paragraph, children: Vec::new(), text: String::new(), target: String::new(), start: None };
    let mut stack = vec![root];
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(tag) => stack.push(open(&tag)),
            Event::End(_) => {
                let Some(closed) = stack.pop() else { break };
                let deep = stack.len() > DEEPEST;
                let Some(parent) = stack.last_mut() else { break };
                parent.text.push_str(&closed.text);
                if deep {
                    parent.children.extend(closed.children);
                } else {
                    parent.children.push(close(closed));
                }
            }
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => add_text(&mut stack, &text),
            Event::Code(code) => {
                let code = code.into_string();
                if let Some(here) = stack.last_mut() {
                    here.text.push_str(&code);
                    here.children.push(view! { <code>{code}</code> }.into_any());
                }
            }
            Event::SoftBreak => add_text(&mut stack, " "),
            Event::HardBreak => add(&mut stack, view! { <br /> }.into_any()),
            Event::Rule => add(&mut stack, view! { <hr /> }.into_any()),
            // Extensions that are not switched on.
            _ => {}
        }
    }
    stack.into_iter().next().map(|root| root.children).unwrap_or_default()
}

fn add(stack: &mut [Open], view: AnyView) {
    if let Some(here) = stack.last_mut() {
        here.children.push(view);
    }
}

fn add_text(stack: &mut [Open], text: &str) {
    if let Some(here) = stack.last_mut() {
        here.text.push_str(text);
        here.children.push(text.to_owned().into_any());
    }
}

fn open(tag: &Tag<'_>) -> Open {
    let target = match tag {
        Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => dest_url.to_string(),
        _ => String::new(),
    };
    let start = match tag {
        Tag::List(start) => *start,
        _ => None,
    };
    Open { tag: tag.to_end(), children: Vec::new(), text: String::new(), target, start }
}

fn close(open: Open) -> AnyView {
    let Open { tag, children, text, target, start } = open;
    match tag {
        TagEnd::Paragraph => view! { <p>{children}</p> }.into_any(),
        // A heading within a page's text is no heading of the page.
        TagEnd::Heading(_) => view! { <p class="prose__heading">{children}</p> }.into_any(),
        TagEnd::BlockQuote(_) => view! { <blockquote>{children}</blockquote> }.into_any(),
        TagEnd::CodeBlock => view! { <pre tabindex="0"><code>{text}</code></pre> }.into_any(),
        TagEnd::List(true) => view! { <ol start=start.map(|start| start.to_string())>{children}</ol> }.into_any(),
        TagEnd::List(false) => view! { <ul>{children}</ul> }.into_any(),
        TagEnd::Item => view! { <li>{children}</li> }.into_any(),
        TagEnd::Emphasis => view! { <em>{children}</em> }.into_any(),
        TagEnd::Strong => view! { <strong>{children}</strong> }.into_any(),
        TagEnd::Strikethrough => view! { <s>{children}</s> }.into_any(),
        TagEnd::Link | TagEnd::Image => match SafeUrl::parse(&target) {
            Ok(href) => {
                let text = if text.is_empty() { target } else { text };
                view! { <ExternalLink href=href text=text /> }.into_any()
            }
            Err(_) => view! { <span>{children}</span> }.into_any(),
        },
        _ => view! { <span>{children}</span> }.into_any(),
    }
}
