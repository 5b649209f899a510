//! `status`, `badge`, `progress`, `gauge`, `stat`, `duration`, `bytes`, `cost`; `user-chip` and `avatar`.

use callboard_model::ui::{
    Avatar as AvatarNode, Badge, Cost, Direction, Gauge, Progress, Stat, Status as StatusNode, UserChip,
};
use leptos::prelude::*;

use super::chart;
use crate::entity;
use crate::format;
use crate::messages::{Msg, t};
use crate::ui::{Avatar, Glyph, Icon, Status, status as levels};

pub(super) fn status(status: &StatusNode) -> AnyView {
    view! { <Status level=status.level text=status.text.to_string() /> }.into_any()
}

pub(super) fn badge(badge: &Badge) -> AnyView {
    let text = badge.text.to_string();
    if badge.level.is_neutral() {
        return super::chip(text);
    }
    view! {
        <span class=format!("chip chip--{}", levels::name(badge.level))>
            <Icon glyph=levels::glyph(badge.level) />
            <span class="visually-hidden">{levels::word(badge.level)} ": "</span>
            <span>{text}</span>
        </span>
    }
    .into_any()
}

pub(super) fn progress(progress: &Progress) -> AnyView {
    let share = share(progress.value, 0.0, progress.max);
    let percent = format!("{:.0} %", share * 100.0);
    let label = progress.label.to_string();
    view! {
        <div class="meter">
            <p class="meter__label"><span class="break" dir="auto">{label.clone()}</span><span class="nowrap">{percent}</span></p>
            <div
                class="meter__bar"
                role="progressbar"
                aria-label=label
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=format!("{:.0}", share * 100.0)
            >
                <div class="meter__fill" style:width=format!("{:.2}%", share * 100.0)></div>
            </div>
        </div>
    }
    .into_any()
}

fn share(value: f64, min: f64, max: f64) -> f64 {
    if max > min { ((value - min) / (max - min)).clamp(0.0, 1.0) } else { 0.0 }
}

/// A half circle, the value in words within it, and how good or bad that is as icon and word.
pub(super) fn gauge(gauge: &Gauge) -> AnyView {
    let level = gauge.level();
    let share = share(gauge.value, gauge.min, gauge.max);
    let unit = gauge.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let value = format::decimal(gauge.value);
    let most = format!("{}{unit}", format::decimal(gauge.max));
    let label = gauge.label.to_string();
    let words = Msg::Of.with(&[("value", &value), ("most", &most)]);
    let class = format!("gauge gauge--{}", levels::name(level));
    let judged = (!level.is_neutral()).then(|| view! { <Status level=level text=levels::word(level) /> });
    let length = format!("{:.2} 100", share * 100.0);
    let bounds = format!("{} – {}", format::decimal(gauge.min), format::decimal(gauge.max));
    view! {
        <div class=class>
            <p class="gauge__label break" dir="auto">{label.clone()}</p>
            <div
                class="gauge__dial"
                role="meter"
                aria-label=label
                aria-valuemin=gauge.min.to_string()
                aria-valuemax=gauge.max.to_string()
                aria-valuenow=gauge.value.to_string()
                aria-valuetext=words
            >
                <svg viewBox="0 0 48 27" aria-hidden="true" focusable="false">
                    <path class="gauge__track" d="M5 24a19 19 0 0 1 38 0" pathLength="100" />
                    <path class="gauge__arc" class:gauge__arc--none={share <= 0.0} d="M5 24a19 19 0 0 1 38 0" pathLength="100" stroke-dasharray=length />
                </svg>
                <p class="gauge__value">{value}{unit}</p>
                <p class="gauge__most">{bounds}</p>
            </div>
            {judged}
        </div>
    }
    .into_any()
}

pub(super) fn stat(stat: Stat) -> AnyView {
    let Stat { label, value, note, delta, trend } = stat;
    let delta = delta.map(|delta| {
        let (glyph, word) = match delta.direction {
            Direction::Up => (Glyph::ArrowUp, Msg::DeltaUp),
            Direction::Down => (Glyph::ArrowDown, Msg::DeltaDown),
            Direction::Same => (Glyph::ArrowSame, Msg::DeltaSame),
        };
        let judged = (!delta.level.is_neutral()).then(|| {
            view! { <Icon glyph=levels::glyph(delta.level) /><span class="visually-hidden">{levels::word(delta.level)} ", "</span> }
        });
        view! {
            <p class=format!("status stat__delta status--{}", levels::name(delta.level))>
                <Icon glyph=glyph />
                <span class="visually-hidden">{t(word)} " "</span>
                <span class="break" dir="auto">{delta.text.to_string()}</span>
                {judged}
            </p>
        }
    });
    let curve = (!trend.is_empty()).then(|| chart::curve(&label.to_string(), &trend));
    view! {
        <div class="stat">
            <p class="stat__label break" dir="auto">{label.to_string()}</p>
            <div class="stat__line"><p class="stat__value break" dir="auto">{value.to_string()}</p>{curve}</div>
            {delta}
            {note.map(|note| view! { <p class="stat__note break" dir="auto">{note.to_string()}</p> })}
        </div>
    }
    .into_any()
}

pub(super) fn bytes(size: u64) -> AnyView {
    view! { <span class="nowrap" title=Msg::Bytes.count(size)>{format::bytes(size)}</span> }.into_any()
}

pub(super) fn duration(ms: u64) -> AnyView {
    view! { <span class="nowrap" title=Msg::Milliseconds.count(ms)>{format::duration(ms)}</span> }.into_any()
}

pub(super) fn cost(cost: &Cost) -> AnyView {
    let amount = format!("{} {}", format::money(cost.amount), cost.currency);
    let text = match &cost.per {
        Some(per) => Msg::PerTime.with(&[("amount", &amount), ("per", per)]),
        None => amount,
    };
    view! { <span class="break" dir="auto">{text}</span> }.into_any()
}

pub(super) fn user_chip(chip: UserChip) -> AnyView {
    let Some(reference) = entity::parse_ref(&chip.entity_ref) else {
        return super::chip(chip.name.map_or(chip.entity_ref, |name| name.to_string()));
    };
    let name = chip.name.map_or_else(|| entity::short_name(&reference), |name| name.to_string());
    let is_group = reference.kind().eq_ignore_ascii_case("group");
    let picture = if is_group {
        view! { <Icon glyph=Glyph::Group /> }.into_any()
    } else {
        view! { <Avatar name=name.clone() /> }.into_any()
    };
    view! {
        <a class="chip chip--user" href=entity::href(&reference) title=reference.to_string()>
            {picture}
            <span dir="auto">{name}</span>
        </a>
    }
    .into_any()
}

pub(super) fn avatar(avatar: AvatarNode) -> AnyView {
    let name = avatar.name.to_string();
    let title = name.clone();
    view! {
        <span title=title>
            <Avatar name=name.clone() large=avatar.large />
            <span class="visually-hidden">{name}</span>
        </span>
    }
    .into_any()
}
