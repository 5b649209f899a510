//! From page to page of a long list.

use leptos::prelude::*;

use super::{Glyph, Icon, Select};
use crate::format;
use crate::messages::{Msg, t};

/// How many rows a page may have.
pub(crate) const SIZES: [u64; 4] = [20, 50, 100, 200];

/// From page to page of a long list: which rows these are, and links to the other pages.
#[component]
pub(crate) fn Pagination(
    /// The first row's place, from 0.
    #[prop(into)]
    offset: Signal<u64>,
    /// Rows a page.
    #[prop(into)]
    limit: Signal<u64>,
    /// Rows in all.
    #[prop(into)]
    total: Signal<u64>,
    /// The address of the page that begins at an offset.
    #[prop(into)]
    href: Callback<u64, String>,
    /// Called with the new number of rows a page.
    #[prop(into)]
    on_limit: Callback<u64>,
    /// At the end of the line.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let range = move || {
        let (offset, total) = (offset.get(), total.get());
        let to = total.min(offset + limit.get());
        Msg::PageRange.with(&[
            ("from", &format::number(if total == 0 { 0 } else { offset + 1 })),
            ("to", &format::number(to.max(offset.min(total)))),
            ("total", &format::number(total)),
        ])
    };
    let arrow = move |label: Msg, glyph: Glyph, to: Option<u64>| {
        match to {
        Some(to) => view! {
            <a class="button button--quiet" href=href.run(to) aria-label=t(label)><Icon glyph=glyph /></a>
        }
        .into_any(),
        None => view! {
            <span class="button button--quiet" role="link" aria-disabled="true" aria-label=t(label)><Icon glyph=glyph /></span>
        }
        .into_any(),
    }
    };
    let pages = move || {
        let (limit, total) = (limit.get().max(1), total.get());
        let count = total.div_ceil(limit).max(1);
        let here = (offset.get() / limit).min(count - 1);
        let numbers = shown(here, count)
            .into_iter()
            .map(|page| match page {
                None => view! { <span class="pagination__gap" aria-hidden="true">"…"</span> }.into_any(),
                Some(page) => view! {
                    <a
                        class="button button--quiet"
                        href=href.run(page * limit)
                        aria-label=Msg::PageNumber.with(&[("n", &(page + 1))])
                        aria-current=(page == here).then_some("page")
                    >
                        {format::number(page + 1)}
                    </a>
                }
                .into_any(),
            })
            .collect_view();
        (count > 1).then(|| {
            view! {
                <nav class="pagination__pages" aria-label=t(Msg::Pages)>
                    {arrow(Msg::PreviousPage, Glyph::ChevronLeft, here.checked_sub(1).map(|page| page * limit))}
                    {numbers}
                    {arrow(Msg::NextPage, Glyph::ChevronRight, (here + 1 < count).then(|| (here + 1) * limit))}
                </nav>
            }
        })
    };
    let sizes = SIZES.iter().map(|size| (size.to_string(), Msg::RowsAPage.count(*size))).collect::<Vec<_>>();
    view! {
        <div class="pagination">
            <span class="pagination__range">{range}</span>
            <div class="pagination__size">
                <Select
                    label=t(Msg::PageSize)
                    quiet=true
                    choices=Signal::derive(move || sizes.clone())
                    value=Signal::derive(move || limit.get().to_string())
                    on_change=move |size: String| on_limit.run(size.parse().unwrap_or(20))
                />
            </div>
            {children.map(|children| children())}
            {pages}
        </div>
    }
}

/// The pages that have a number: the first, the last, and those around this one; `None` is a gap.
fn shown(here: u64, count: u64) -> Vec<Option<u64>> {
    let mut pages = Vec::new();
    let mut last = None;
    for page in (0..count).filter(|page| *page == 0 || *page + 1 == count || page.abs_diff(here) <= 1) {
        match last {
            // A gap of one page is that page.
            Some(last) if page == last + 2 => pages.push(Some(last + 1)),
            Some(last) if page > last + 1 => pages.push(None),
            _ => {}
        }
        pages.push(Some(page));
        last = Some(page);
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_pages_are_a_gap() {
        for (here, count, text) in [
            (0, 1, "0"),
            (0, 3, "0 1 2"),
            (0, 10, "0 1 … 9"),
            (3, 10, "0 1 2 3 4 … 9"),
            (5, 10, "0 … 4 5 6 … 9"),
            (9, 10, "0 … 8 9"),
        ] {
            let pages = shown(here, count)
                .into_iter()
                .map(|page| page.map_or_else(|| "…".to_owned(), |page| page.to_string()))
                .collect::<Vec<_>>()
                .join(" ");
            assert_eq!(pages, text);
        }
    }
}
