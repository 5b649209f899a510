//! What one reads.

use callboard_model::ui::Level;
use leptos::prelude::*;

use super::item;
use crate::api::ApiError;
use crate::browser;
use crate::messages::Msg;
use crate::ui::{
    Alert, Avatar, Breadcrumbs, Button, Chip, Chips, Code, Column, DataTable, EmptyState, EntityLink, ErrorPanel,
    Glyph, Icon, Importance, Pagination, Skeleton, Sorting, Status, Time,
};

/// All levels.
pub(super) const LEVELS: [Level; 6] =
    [Level::Neutral, Level::Info, Level::Ok, Level::Warning, Level::Error, Level::Running];

pub(super) fn all() -> Vec<AnyView> {
    vec![table(), alerts(), states(), words(), code(), icons()]
}

fn table() -> AnyView {
    const COLUMNS: [Column<(String, String, String)>; 3] = [
        Column {
            key: "name",
            label: Msg::Name,
            sorts: true,
            importance: Importance::Always,
            cell: |row| row.0.clone().into_any(),
        },
        Column {
            key: "type",
            label: Msg::Type,
            sorts: true,
            importance: Importance::Less,
            cell: |row| row.1.clone().into_any(),
        },
        Column {
            key: "description",
            label: Msg::Description,
            sorts: false,
            importance: Importance::Fill,
            cell: |row| row.2.clone().into_any(),
        },
    ];
    let sorting = RwSignal::new(Some(Sorting { column: "name".to_owned(), descending: false }));
    let sort = Callback::new(move |column: &'static str| {
        sorting.update(|sorting| {
            let descending = sorting.as_ref().is_some_and(|sorting| sorting.column == column && !sorting.descending);
            *sorting = Some(Sorting { column: column.to_owned(), descending });
        });
    });
    let rows = Memo::new(move |_| {
        let mut rows = vec![
            (
                "artist-web".to_owned(),
                "website".to_owned(),
                "The place to be, for great artists and those who look for them".to_owned(),
            ),
            ("petstore".to_owned(), "openapi".to_owned(), "Swagger PetStore Sample REST API".to_owned()),
            ("queue".to_owned(), "library".to_owned(), "Waits in line".to_owned()),
        ];
        if let Some(sorting) = sorting.get() {
            rows.sort_by(|a, b| if sorting.column == "type" { a.1.cmp(&b.1) } else { a.0.cmp(&b.0) });
            if sorting.descending {
                rows.reverse();
            }
        }
        rows
    });
    item(
        "Table, Pagination",
        view! {
            <div class="table-box gallery__wide">
                <DataTable
                    caption="Three things"
                    show_caption=true
                    columns=Signal::stored(COLUMNS.to_vec())
                    rows=rows
                    key=|row| row.0.clone()
                    sorting=sorting
                    on_sort=sort
                />
                <Pagination
                    offset=Signal::stored(100_u64)
                    limit=Signal::stored(20_u64)
                    total=Signal::stored(1_234_u64)
                    href=|offset| format!("#rows-{offset}")
                    on_limit=|_| {}
                />
            </div>
        },
    )
}

fn alerts() -> AnyView {
    let error = ApiError {
        message: "user:default/ada does not have the permission catalog.entity.delete: no rule gives it".to_owned(),
        name: "NotAllowedError".to_owned(),
        status: Some(403),
        request: "DELETE /api/catalog/entities/by-uid/0b6c7f1e".to_owned(),
        id: Some("0b6c7f1e".to_owned()),
        permission: Some("catalog.entity.delete".into()),
    };
    let levels = LEVELS
        .map(|level| view! { <Alert level=level title=format!("An alert: {level:?}") text="What it means, and what to do.".to_owned() /> });
    item(
        "Alert, ErrorPanel",
        view! {
            <div class="stack stack--tight gallery__wide">{levels}</div>
            <div class="gallery__wide"><ErrorPanel title="The entity could not be removed" error=error on_retry=|()| {} /></div>
        },
    )
}

fn states() -> AnyView {
    item(
        "EmptyState, Skeleton, progress",
        view! {
            <div class="gallery__wide">
                <EmptyState title="Nothing matches" text="No entity has this tag.".to_owned() glyph=Glyph::Search>
                    <Button label="Clear the filters" on_press=|_| {} />
                </EmptyState>
            </div>
            <div class="gallery__wide"><Skeleton lines=4 /></div>
            <div class="table-box gallery__wide"><div class="progress-line"></div><p class="combobox__note">"Refreshing"</p></div>
        },
    )
}

fn words() -> AnyView {
    let levels = LEVELS.map(|level| view! { <Status level=level text=format!("{level:?}") /> });
    let many = ["rest", "graphql", "grpc", "internal", "tier-1"].map(str::to_owned).to_vec();
    let soon = js_sys::Date::new(&(browser::now() + 90_000.0).into()).to_iso_string();
    let past = js_sys::Date::new(&(browser::now() - 7_400_000.0).into()).to_iso_string();
    item(
        "Status, Chip, Breadcrumbs, EntityLink, Avatar, Time",
        view! {
            <div class="gallery__row">{levels}</div>
            <div class="gallery__row">
                <Chip text="chip" />
                <Chip text="link" href="/catalog" />
                <Chip text="removable" on_remove=Callback::new(|()| {}) />
                <Chips words=many />
            </div>
            <Breadcrumbs above=vec![("Catalog".to_owned(), "/catalog".to_owned())] here="petstore" />
            <div class="gallery__row">
                <EntityLink entity_ref="component:default/artist-web" />
                <EntityLink entity_ref="group:infra/tools" />
                <EntityLink entity_ref="user:default/ada" text="Ada Lovelace".to_owned() />
                <EntityLink entity_ref="not a reference" />
                <Avatar name="Ada Lovelace" />
                <Avatar name="guest" large=true />
                <Time at=String::from(past) />
                <Time at=String::from(soon) />
            </div>
        },
    )
}

fn code() -> AnyView {
    item(
        "Code, Log",
        view! {
            <div class="stack gallery__wide">
                <Code label="yaml" text="apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: petstore" />
                <Code label="Build log" log=true text="12:00:01 begin\n12:00:02 a line that is long enough to have to break somewhere near the end of the box, wherever that may be\n12:00:03 end" />
            </div>
        },
    )
}

fn icons() -> AnyView {
    let icons =
        Glyph::ALL.iter().map(|glyph| view! { <li><Icon glyph=*glyph />{format!("{glyph:?}")}</li> }).collect_view();
    item("Icon", view! { <ul class="gallery__icons">{icons}</ul> })
}
