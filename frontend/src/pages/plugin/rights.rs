//! What a plugin asks for, what it is granted, and what of both it may do.

use std::collections::BTreeMap;

use callboard_model::rights::Rights;
use leptos::prelude::*;
use serde_json::Value;

use crate::messages::{Msg, t};
use crate::ui::{EmptyState, Glyph, Icon};

/// Every right that any side names, and which sides do.
#[component]
pub(crate) fn RightsTable(declared: Rights, granted: Rights, effective: Rights) -> impl IntoView {
    let rows = merge([&declared, &granted, &effective]);
    if rows.is_empty() {
        let text = t(Msg::NoRightsText).to_owned();
        return view! { <EmptyState title=t(Msg::NoRights) text=text glyph=Glyph::Shield /> }.into_any();
    }
    let rows = rows
        .into_iter()
        .map(|((capability, detail), [declared, granted, effective])| {
            view! {
                <tr role="row">
                    <td role="cell" data-label=t(Msg::Capability)><code>{capability}</code></td>
                    <td role="cell" data-label=t(Msg::RightDetail) class="table__wrap"><span class="mono">{detail}</span></td>
                    <td role="cell" data-label=t(Msg::Declared)>{mark(declared)}</td>
                    <td role="cell" data-label=t(Msg::Granted)>{mark(granted)}</td>
                    <td role="cell" data-label=t(Msg::Effective)>{mark(effective)}</td>
                </tr>
            }
        })
        .collect_view();
    let heads = [Msg::Capability, Msg::RightDetail, Msg::Declared, Msg::Granted, Msg::Effective]
        .map(|head| view! { <th role="columnheader" scope="col">{t(head)}</th> });
    view! {
        <div class="table-box">
            <table class="table table--cards rights" role="table">
                <caption class="visually-hidden">{t(Msg::RightsCaption)}</caption>
                <thead role="rowgroup"><tr role="row">{heads}</tr></thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn mark(yes: bool) -> impl IntoView {
    let (class, glyph, text) = if yes {
        ("rights__mark rights__mark--yes", Glyph::Check, Msg::Yes)
    } else {
        ("rights__mark rights__mark--no", Glyph::Close, Msg::No)
    };
    view! { <span class=class><Icon glyph=glyph /><span>{t(text)}</span></span> }
}

/// A capability and what of it, with whether each side names it.
type Row = ((String, String), [bool; 3]);

fn merge(sides: [&Rights; 3]) -> Vec<Row> {
    let mut rows: BTreeMap<(String, String), [bool; 3]> = BTreeMap::new();
    for (side, rights) in sides.into_iter().enumerate() {
        for line in lines(rights) {
            if let Some(named) = rows.entry(line).or_default().get_mut(side) {
                *named = true;
            }
        }
    }
    rows.into_iter().collect()
}

/// Each right on a line of its own, as the configuration has it, whatever capabilities there are.
fn lines(rights: &Rights) -> Vec<(String, String)> {
    let Ok(Value::Object(capabilities)) = serde_json::to_value(rights) else { return Vec::new() };
    capabilities
        .into_iter()
        .flat_map(|(name, value)| details(value).into_iter().map(move |detail| (name.clone(), detail)))
        .collect()
}

fn details(value: Value) -> Vec<String> {
    match value {
        Value::Null | Value::Bool(false) => Vec::new(),
        Value::Bool(true) => vec![String::new()],
        Value::String(text) => vec![text],
        Value::Array(items) => items.into_iter().flat_map(details).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .flat_map(|(name, value)| details(value).into_iter().map(move |detail| format!("{name}: {detail}")))
            .collect(),
        Value::Number(number) => vec![number.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rights_are_side_by_side() {
        let rights = |value: Value| serde_json::from_value::<Rights>(value).unwrap();
        let declared = rights(json!({ "log": true, "http": ["GET https://a.example", "GET https://b.example"] }));
        let granted = rights(json!({ "http": ["GET https://a.example"], "entity-provider": { "kinds": ["API"] } }));
        let effective = rights(json!({ "http": ["GET https://a.example"] }));
        let rows = merge([&declared, &granted, &effective]);
        let rows: Vec<_> =
            rows.iter().map(|((name, detail), sides)| (name.as_str(), detail.as_str(), *sides)).collect();
        assert_eq!(
            rows,
            [
                ("entity-provider", "kinds: API", [false, true, false]),
                ("http", "GET https://a.example", [true, true, true]),
                ("http", "GET https://b.example", [true, false, false]),
                ("log", "", [true, false, false]),
            ]
        );
    }
}
