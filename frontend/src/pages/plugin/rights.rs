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
        .map(|Row { capability, detail, sides: [declared, granted, effective] }| {
            view! {
                <tr role="row">
                    <td role="cell" data-label=t(Msg::Capability)>
                        <code>{capability}</code>
                    </td>
                    <td role="cell" data-label=t(Msg::RightDetail) class="table__wrap">
                        <span class="mono">{detail}</span>
                    </td>
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

fn mark(side: Side) -> impl IntoView {
    let (class, glyph, text) = match side {
        Side::Names => ("rights__mark rights__mark--yes", Glyph::Check, Msg::Yes),
        Side::Covers => ("rights__mark rights__mark--yes", Glyph::Link, Msg::OtherLine),
        Side::Lacks => ("rights__mark rights__mark--no", Glyph::Close, Msg::No),
    };
    view! {
        <span class=class>
            <Icon glyph=glyph />
            <span>{t(text)}</span>
        </span>
    }
}

/// What a side says of a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// It has this very line.
    Names,
    /// Another of its lines comes to this: a wider pattern, or a `config:` line whose value it is.
    Covers,
    /// It does not have it.
    Lacks,
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    capability: String,
    /// What of the capability.
    detail: String,
    /// Declared, granted, effective.
    sides: [Side; 3],
}

/// A capability and what of it, with whether each side names it.
type Named = BTreeMap<(String, String), [bool; 3]>;

fn merge(rights: [&Rights; 3]) -> Vec<Row> {
    let mut named = Named::new();
    for (side, rights) in rights.into_iter().enumerate() {
        for line in lines(rights) {
            if let Some(names) = named.entry(line).or_default().get_mut(side) {
                *names = true;
            }
        }
    }
    let resolved: Vec<String> = named
        .iter()
        .filter(|(_, sides)| **sides == [false, false, true])
        .map(|((capability, _), _)| capability.clone())
        .collect();
    let row = |((capability, detail), [declared, granted, effective]): ((String, String), [bool; 3])| {
        let side = |names, covered| match (names, covered) {
            (true, _) => Side::Names,
            (false, true) => Side::Covers,
            (false, false) => Side::Lacks,
        };
        // What both sides name and is not effective as it stands is so as its value, where there is one.
        let as_value = declared && granted && resolved.contains(&capability);
        let sides = [side(declared, effective), side(granted, effective), side(effective, as_value)];
        Row { capability, detail, sides }
    };
    named.into_iter().map(row).collect()
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
        let declared = rights(json!({
            "log": true,
            "http": ["GET https://a.host.example", "GET https://b.other.example", "GET config:x.endpoint"],
        }));
        let granted = rights(json!({
            "http": ["GET https://*.host.example", "GET config:x.endpoint"],
            "entity-provider": { "kinds": ["API"] },
        }));
        let effective = rights(json!({ "http": ["GET https://a.host.example", "GET http://127.0.0.1:9000"] }));
        let rows = merge([&declared, &granted, &effective]);
        let sign = |side: &Side| match side {
            Side::Names => '+',
            Side::Covers => '~',
            Side::Lacks => '-',
        };
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.capability.as_str(), row.detail.as_str(), row.sides.iter().map(sign).collect::<String>()))
            .collect();
        let expected = [
            ("entity-provider", "kinds: API", "-+-"),
            ("http", "GET config:x.endpoint", "++~"),
            ("http", "GET http://127.0.0.1:9000", "~~+"),
            ("http", "GET https://*.host.example", "-+-"),
            ("http", "GET https://a.host.example", "+~+"),
            ("http", "GET https://b.other.example", "+--"),
            ("log", "", "+--"),
        ];
        assert_eq!(rows, expected.map(|(capability, detail, sides)| (capability, detail, sides.to_owned())));
    }
}
