//! A dialog: the browser's own, which traps the focus, closes on Escape and gives the focus back.

use leptos::html;
use leptos::prelude::*;

use super::{Glyph, IconButton, Side, unique_id};
use crate::messages::{Msg, t};

/// A dialog that is there while `open` is true.
#[component]
pub(crate) fn Dialog(
    /// Its heading.
    #[prop(into)]
    title: Signal<String>,
    /// Whether it shows. Closing it sets it to false.
    open: RwSignal<bool>,
    /// What is in it, built anew each time that it opens.
    #[prop(into)]
    content: ViewFn,
    /// The buttons at its end.
    #[prop(optional, into)]
    foot: Option<ViewFn>,
    /// For code and tables.
    #[prop(optional)]
    wide: bool,
    /// From the lower edge, for small screens.
    #[prop(optional)]
    drawer: bool,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    let id = unique_id("dialog");
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if !open.get() {
            dialog.close();
        } else if !dialog.open() && dialog.show_modal().is_err() {
            // The browser refuses where the element has just left the page: there is nothing to show any more.
            open.set(false);
        }
    });
    // A click on the dialog itself is one on its backdrop; everything that shows is within its children.
    let outside = move |event: leptos::ev::MouseEvent| {
        if event.target() == event.current_target() {
            open.set(false);
        }
    };
    view! {
        <dialog
            node_ref=node
            class="dialog"
            class:dialog--wide=wide
            class:drawer=drawer
            aria-labelledby=id.clone()
            on:close=move |_| open.set(false)
            on:click=outside
        >
            <header class="dialog__head">
                <h2 id=id.clone()>{title}</h2>
                <IconButton label=t(Msg::Close) glyph=Glyph::Close side=Side::End on_press=move |_| open.set(false) />
            </header>
            <div class="dialog__body" tabindex=wide.then_some("0") role=wide.then_some("region") aria-labelledby=wide.then(|| id.clone())>{move || open.get().then(|| content.run())}</div>
            {foot.map(|foot| view! { <footer class="dialog__foot">{move || open.get().then(|| foot.run())}</footer> })}
        </dialog>
    }
}
