//! The catalog as a table. Its state is its address, see [`ListState`].

use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use super::PageHead;
use crate::api;
use crate::browser;
use crate::format;
use crate::list_state::{Facet, ListState, Whose};
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::query::Query;
use crate::session::use_portal;
use crate::stars::use_stars;
use crate::ui::{CopyButton, Segments, TextField};

mod columns;
mod facets;
mod kinds;
mod results;

use facets::{Chosen, FacetBox};
use kinds::Kinds;
use results::Results;

/// The catalog, all kinds of it.
#[component]
pub(crate) fn CatalogPage() -> impl IntoView {
    view! { <ListPage title=Msg::Catalog path="/catalog" /> }
}

/// The APIs.
#[component]
pub(crate) fn ApisPage() -> impl IntoView {
    view! { <ListPage title=Msg::Apis path="/api-docs" kind="api" /> }
}

/// The state of a list, and the way to change it.
#[derive(Clone, Copy)]
pub(crate) struct List {
    /// The page's path.
    pub path: &'static str,
    /// The only kind that it shows; none where the reader chooses.
    pub kind: Option<&'static str>,
    /// As the address has it.
    pub state: Memo<ListState>,
    /// The reader and their groups where the list shows what they own; what they have starred where it shows that.
    pub refs: Memo<Vec<String>>,
    go: Callback<(String, bool)>,
}

impl List {
    /// Shows another state; as a step that leads back, except while typing.
    pub(crate) fn show(self, state: &ListState, step: bool) {
        self.go.run((self.href(state), !step));
    }

    /// Narrows a facet down to values.
    pub(crate) fn narrow(self, facet: Facet, values: Vec<String>) {
        self.show(&self.state.get_untracked().with(facet, values), true);
    }

    /// The address of a state.
    pub(crate) fn href(self, state: &ListState) -> String {
        let mut state = state.clone();
        if self.kind.is_some() {
            state.kind = None;
        }
        format!("{}{}", self.path, state.to_search())
    }
}

/// While somebody types, the list waits this long for the next key, in milliseconds.
const TYPING: u64 = 180;

#[component]
fn ListPage(
    title: Msg,
    path: &'static str,
    /// The only kind that it shows.
    #[prop(optional)]
    kind: Option<&'static str>,
) -> impl IntoView {
    let search = use_location().search;
    let state = Memo::new(move |_| {
        let mut state = ListState::parse(&search.get());
        if let Some(kind) = kind {
            state.kind = Some(kind.to_owned());
        }
        state
    });
    let portal = use_portal();
    let navigate = use_navigate();
    let go = Callback::new(move |(href, replace): (String, bool)| {
        navigate(&href, NavigateOptions { replace, scroll: false, ..Default::default() });
    });
    let stars = use_stars();
    let refs = Memo::new(move |_| match state.with(|state| state.whose) {
        Whose::All => Vec::new(),
        Whose::Owned => portal.mine.get(),
        Whose::Starred => stars.all(),
    });
    let list = List { path, kind, state, refs, go };
    let page = live(
        move || Some(Query::of(&state.get(), &refs.get())),
        api::catalog::page,
        Habits { beats: true, keeps: true },
    );
    let total = Memo::new(move |_| page.data.with(|page| page.as_ref().map(|page| page.total)));
    let count = move || {
        let text = move || total.get().map(|total| Msg::CountEntities.count(total));
        view! { <span class="catalog-count" role="status">{text}</span> }
    };
    view! {
        <PageHead title=t(title) note=count>
            <WhoseBox list=list />
            <CopyButton text=browser::address label=t(Msg::CopyLink) compact=true />
        </PageHead>
        {kind.is_none().then(|| view! { <Kinds list=list /> })}
        <div class="catalog-filters" role="search" aria-label=t(Msg::Filters)>
            <TextFilter list=list />
            <FacetBox list=list facet=Facet::Type label=Msg::Type />
            <FacetBox list=list facet=Facet::Owner label=Msg::Owner />
            <FacetBox list=list facet=Facet::Lifecycle label=Msg::Lifecycle />
            <FacetBox list=list facet=Facet::Tag label=Msg::Tags />
        </div>
        <Chosen list=list />
        <Results list=list page=page />
    }
}

/// All, or what the reader owns or has starred, each with how many there are. Nobody who is not signed in owns anything.
#[component]
fn WhoseBox(list: List) -> impl IntoView {
    let user = use_portal().user;
    let stars = use_stars();
    let choose = move |value: String| {
        let state = ListState { whose: Whose::parse(&value), offset: 0, ..list.state.get_untracked() };
        list.show(&state, true);
    };
    let starred = live(
        move || {
            let refs = stars.all();
            let state = ListState {
                kind: list.kind.map(str::to_owned),
                whose: Whose::Starred,
                limit: 0,
                ..ListState::default()
            };
            stars.known().then(|| Query::of(&state, &refs))
        },
        api::catalog::page,
        Habits { beats: true, keeps: true },
    );
    let count = Memo::new(move |_| starred.data.with(|page| page.as_ref().map(|page| page.total)));
    move || {
        user.with(Option::is_some).then(|| {
            let mut choices = vec![
                (Whose::All.name().to_owned(), t(Msg::All).to_owned(), None),
                (Whose::Owned.name().to_owned(), t(Msg::OwnedByMe).to_owned(), None),
            ];
            if stars.known() {
                let label = match count.get() {
                    Some(count) => Msg::StarredCount.with(&[("n", &format::number(count))]),
                    None => t(Msg::Starred).to_owned(),
                };
                choices.push((Whose::Starred.name().to_owned(), label, None));
            }
            let value = Signal::derive(move || list.state.with(|state| state.whose.name().to_owned()));
            view! { <Segments label=t(Msg::Whose) choices=choices value=value on_change=choose /> }
        })
    }
}

#[component]
fn TextFilter(list: List) -> impl IntoView {
    let text = RwSignal::new(list.state.with_untracked(|state| state.text.clone()));
    let node = NodeRef::<html::Input>::new();
    let wanted = Memo::new(move |_| list.state.with(|state| state.text.clone()));
    // Back and forward change the address; the field follows.
    Effect::new(move |_| {
        let wanted = wanted.get();
        if wanted != text.get_untracked() {
            text.set(wanted);
        }
    });
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(handle) = waiting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    on_cleanup(stop);
    let input = move |value: String| {
        text.set(value);
        stop();
        let show = move || {
            let state = ListState { text: text.get_untracked(), offset: 0, ..list.state.get_untracked() };
            list.show(&state, false);
        };
        match set_timeout_with_handle(show, std::time::Duration::from_millis(TYPING)) {
            Ok(handle) => waiting.set_value(Some(handle)),
            Err(_) => show(),
        }
    };
    view! {
        <TextField
            label=t(Msg::FilterByName)
            quiet=true
            search=true
            placeholder=t(Msg::FilterByName)
            shortcut=crate::keyboard::FILTER
            value=text
            on_input=input
            node=node
        />
    }
}
