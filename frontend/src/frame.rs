//! The viewer of API descriptions: somebody else's code, in a frame that can reach neither this page nor the network.
//!
//! It says `callboard:ready`, is told what to show, and hands over the requests that its reader wants to try. This
//! page has the server send those, which decides whether it may.

use callboard_model::api::TryRequest;
use leptos::prelude::*;
use leptos::{ev, html, task};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wasm_bindgen::JsValue;
use web_sys::{MessageEvent, Window};

use crate::api;
use crate::messages::{Msg, t};
use crate::theme::use_theme;

/// Where the server has the viewer.
const VIEWER: &str = "/viewer/swagger/";

/// What the frame says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum FromFrame {
    /// It listens.
    #[serde(rename = "callboard:ready")]
    Ready,
    /// Its reader tries something.
    #[serde(rename = "callboard:request")]
    Request {
        id: serde_json::Value,
        method: String,
        url: String,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: Option<String>,
    },
    /// Its content is this high, in CSS pixels.
    #[serde(rename = "callboard:height")]
    Height { height: f64 },
}

/// What the frame is told.
#[derive(Serialize)]
#[serde(tag = "type")]
enum ToFrame<'a> {
    #[serde(rename = "callboard:definition")]
    Definition { spec: &'a str, url: &'a str, theme: &'a str },
    #[serde(rename = "callboard:response")]
    Response {
        id: serde_json::Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        ok: Option<callboard_model::api::TryResponse>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

/// An API's description, with which it can be tried.
#[component]
pub(crate) fn ViewerFrame(
    /// The API.
    entity_ref: String,
    /// Its description, as the entity has it.
    #[prop(into)]
    definition: Signal<String>,
    /// Where the description was read from, for what it says relative to itself.
    source: String,
) -> impl IntoView {
    let frame = NodeRef::<html::Iframe>::new();
    let theme = use_theme();
    let ready = RwSignal::new(false);
    let height = RwSignal::new(None::<f64>);

    let listener = {
        let entity_ref = entity_ref.clone();
        window_event_listener(ev::message, move |event: MessageEvent| {
            let Some(window) = frame.try_get_untracked().flatten().and_then(|frame| frame.content_window()) else {
                return;
            };
            // Anybody may post a message; only the frame's own count.
            let from: &JsValue = window.as_ref();
            let ours = event.source().is_some_and(|source| JsValue::from(source) == *from);
            if !ours {
                return;
            }
            match read(&event.data()) {
                Some(FromFrame::Ready) => ready.set(true),
                Some(FromFrame::Height { height: content }) => height.set(Some(content)),
                Some(FromFrame::Request { id, method, url, headers, body }) => {
                    let request = TryRequest { entity_ref: entity_ref.clone(), method, url, headers, body };
                    task::spawn_local(async move {
                        let (ok, error) = match api::apis::send(&request).await {
                            Ok(response) => (Some(response), None),
                            Err(error) => (None, Some(error.message)),
                        };
                        post(&window, &ToFrame::Response { id, ok, error });
                    });
                }
                None => {}
            }
        })
    };
    on_cleanup(move || listener.remove());

    Effect::new(move |_| {
        if !ready.get() {
            return;
        }
        let showing = theme.showing();
        if let Some(window) = frame.get().and_then(|frame| frame.content_window()) {
            definition.with(|spec| post(&window, &ToFrame::Definition { spec, url: &source, theme: showing }));
        }
    });

    view! {
        <div class="definition__frame-box">
            {move || (!ready.get()).then(|| view! { <div class="progress-line" role="status"><span class="visually-hidden">{t(Msg::Loading)}</span></div> })}
            <iframe
                node_ref=frame
                class="definition__frame"
                // As high as what it shows, but no higher than the window: its dialogs are in the middle of it.
                style:height=move || height.get().map(|height| format!("min({:.0}px, max(32rem, 100vh - 15.5rem))", height + 2.0))
                title=t(Msg::DefinitionViewer)
                sandbox="allow-scripts"
                src=VIEWER
            ></iframe>
        </div>
    }
}

fn read(data: &JsValue) -> Option<FromFrame> {
    let text = js_sys::JSON::stringify(data).ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}

/// The frame has no origin of its own that could be named, hence the `*`; what is posted is nobody's secret to it.
fn post(window: &Window, message: &ToFrame<'_>) {
    let Ok(text) = serde_json::to_string(message) else { return };
    let Ok(message) = js_sys::JSON::parse(&text) else { return };
    if window.post_message(&message, "*").is_err() {
        leptos::logging::warn!("the viewer's frame does not take messages");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_is_understood() {
        for (text, understood) in [
            (r#"{"type":"callboard:ready"}"#, true),
            (
                r#"{"type":"callboard:request","id":7,"method":"GET","url":"https://a.example/","body":null,"headers":{"a":"b"}}"#,
                true,
            ),
            (r#"{"type":"callboard:request","id":7}"#, false),
            (r#"{"type":"callboard:height","height":812.5}"#, true),
            (r#"{"type":"webpack"}"#, false),
            (r#""hello""#, false),
        ] {
            assert_eq!(serde_json::from_str::<FromFrame>(text).is_ok(), understood, "{text}");
        }
    }
}
