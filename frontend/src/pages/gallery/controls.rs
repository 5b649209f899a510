//! What one can press, type into and choose from.

use leptos::prelude::*;

use super::item;
use crate::ui::{
    Button, Checkbox, Choice, Combobox, CopyButton, Glyph, IconButton, Segments, Select, TextField, Variant,
};

pub(super) fn all() -> Vec<AnyView> {
    vec![buttons(), text_fields(), choices(), comboboxes()]
}

fn buttons() -> AnyView {
    item(
        "Button",
        view! {
            <div class="gallery__row">
                <Button label="Plain" on_press=|_| {} />
                <Button label="Primary" variant=Variant::Primary on_press=|_| {} />
                <Button label="Quiet" variant=Variant::Quiet on_press=|_| {} />
                <Button label="Danger" variant=Variant::Danger on_press=|_| {} />
                <Button label="With icon" icon=Glyph::Refresh on_press=|_| {} />
                <Button label="Busy" busy=Signal::stored(true) on_press=|_| {} />
                <Button label="Disabled" disabled=Signal::stored(true) on_press=|_| {} />
                <IconButton label="Icon with a tooltip" glyph=Glyph::Settings on_press=|_| {} />
                <CopyButton label="Copy this" text=|| "callboard".to_owned() />
            </div>
        },
    )
}

fn text_fields() -> AnyView {
    let text = RwSignal::new(String::new());
    let search = RwSignal::new("petstore".to_owned());
    item(
        "TextField",
        view! {
            <div class="grid grid--2 gallery__wide">
                <TextField label="Empty" placeholder="A placeholder" hint="A hint below the field" value=text on_input=move |value| text.set(value) />
                <TextField label="Search" search=true shortcut="/" value=search on_input=move |value| search.set(value) />
                <TextField
                    label="With an error"
                    value=Signal::stored("no such thing".to_owned())
                    error=Signal::stored(Some("There is no such thing: choose one of the list.".to_owned()))
                    on_input=|_| {}
                />
                <TextField label="Disabled" disabled=true value=Signal::stored("fixed".to_owned()) on_input=|_| {} />
            </div>
        },
    )
}

fn choices() -> AnyView {
    let ticked = RwSignal::new(true);
    let size = RwSignal::new("20".to_owned());
    let view = RwSignal::new("a".to_owned());
    let sizes = ["20", "50", "100"].map(|size| (size.to_owned(), format!("{size} rows"))).to_vec();
    let more = sizes.clone();
    let segments = vec![
        ("a".to_owned(), "Viewer".to_owned(), Some(Glyph::Play)),
        ("b".to_owned(), "Source".to_owned(), Some(Glyph::Code)),
    ];
    item(
        "Checkbox, Select, Segments",
        view! {
            <div class="gallery__row">
                <Checkbox label="Ticked or not" checked=ticked on_change=move |on| ticked.set(on) />
                <Checkbox label="Disabled" checked=Signal::stored(false) disabled=true on_change=|_| {} />
                <Select label="Select" choices=Signal::stored(sizes) value=size on_change=move |value| size.set(value) />
                <Select label="Disabled select" disabled=true choices=Signal::stored(more) value=size on_change=|_| {} />
                <Segments label="Segments" choices=segments value=view on_change=move |value| view.set(value) />
            </div>
        },
    )
}

fn comboboxes() -> AnyView {
    let colours = ["amber", "aubergine", "moss", "slate", "a colour with a very long name that has to break somewhere"];
    let choices = colours
        .iter()
        .zip(1_u64..)
        .map(|(colour, count)| Choice {
            value: (*colour).to_owned(),
            label: (*colour).to_owned(),
            count: Some(count * 317),
        })
        .collect::<Vec<_>>();
    let some = RwSignal::new(vec!["moss".to_owned(), "slate".to_owned()]);
    let one = RwSignal::new(Vec::new());
    item(
        "Combobox",
        view! {
            <div class="grid grid--4 gallery__wide">
                <Combobox label="Several" choices=Signal::stored(Some(choices.clone())) chosen=some on_change=move |values| some.set(values) />
                <Combobox label="One at most" single=true choices=Signal::stored(Some(choices)) chosen=one on_change=move |values| one.set(values) />
                <Combobox label="Being fetched" choices=Signal::stored(None) chosen=Signal::stored(Vec::new()) on_change=|_| {} />
                <Combobox label="Nothing to choose" choices=Signal::stored(Some(Vec::new())) chosen=Signal::stored(Vec::new()) on_change=|_| {} />
            </div>
        },
    )
}
