//! The focus stays where it is when a tree is rendered anew: on what stands in the same place.

use callboard_model::ui::Tree;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::live::Live;

/// Remembers what has the focus, and gives it back after a new answer has taken the place of the old one.
pub(super) fn keep(root: NodeRef<html::Div>, tree: Live<Tree>) {
    let path = StoredValue::new(None::<Vec<usize>>);
    Effect::new(move |_| {
        let Some(root) = root.get() else { return };
        let inside: Element = root.into();
        let found = inside.clone();
        let entered = window_event_listener(leptos::ev::focusin, move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            path.set_value(target.and_then(|target| path_of(&target, &found)));
        });
        on_cleanup(move || entered.remove());
    });
    Effect::new(move |_| {
        tree.data.track();
        let Some(path) = path.try_get_value().flatten() else { return };
        request_animation_frame(move || {
            let is_lost = document().active_element().is_none_or(|active| active.tag_name() == "BODY");
            let Some(root) = root.try_get_untracked().flatten().filter(|_| is_lost) else { return };
            let at = path.iter().try_fold(Element::from(root), |element, index| child(&element, *index));
            if let Some(target) = at.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
                // Something else stands there now and takes no focus: then there is nothing to give back.
                let _ = target.focus();
            }
        });
    });
}

/// Which child of which child an element is; none where it is outside.
fn path_of(element: &Element, root: &Element) -> Option<Vec<usize>> {
    let mut path = Vec::new();
    let mut here = element.clone();
    while !here.is_same_node(Some(root)) {
        let mut index = 0;
        let mut before = here.previous_element_sibling();
        while let Some(sibling) = before {
            index += 1;
            before = sibling.previous_element_sibling();
        }
        path.push(index);
        here = here.parent_element()?;
    }
    path.reverse();
    Some(path)
}

fn child(element: &Element, index: usize) -> Option<Element> {
    let mut here = element.first_element_child();
    for _ in 0..index {
        here = here?.next_element_sibling();
    }
    here
}
