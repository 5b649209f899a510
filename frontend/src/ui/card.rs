//! A titled box.

use leptos::prelude::*;

use super::unique_id;

/// A titled box: a region named by its title.
#[component]
pub(crate) fn Card(
    /// Its heading.
    #[prop(into)]
    title: Signal<String>,
    /// At the end of the heading's line.
    #[prop(optional, into)]
    actions: Option<ViewFn>,
    /// What is in it comes up to the edges: a table, a list.
    #[prop(optional)]
    flush: bool,
    /// One more class.
    #[prop(optional)]
    class: &'static str,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let id = unique_id("card");
    view! {
        <section class=format!("card {class}") aria-labelledby=id.clone()>
            <header class="card__head">
                <h2 id=id.clone()>{title}</h2>
                {actions.map(|actions| actions.run())}
            </header>
            <div class="card__body" class:card__body--flush=flush>{children()}</div>
        </section>
    }
}
