//! What plugins said last, for contributions that rather show something old than nothing.

use std::cell::RefCell;
use std::collections::VecDeque;

use callboard_model::manifest::OnFailure;
use callboard_model::ui::Tree;
use leptos::prelude::*;

use super::Asked;
use crate::api::plugins::Place;
use crate::live::Live;

/// So many are kept; whoever looks at more has left the first ones long ago.
const MOST: usize = 32;

struct Kept {
    who: String,
    place: Place,
    asked: Asked,
    tree: Tree,
    at: f64,
}

thread_local! {
    /// As long as the page lives, and for the reader whose they are.
    static LAST: RefCell<VecDeque<Kept>> = const { RefCell::new(VecDeque::new()) };
}

/// Keeps each answer, where that is asked for.
pub(super) fn keep(
    tree: Live<Tree>,
    asked: RwSignal<Asked>,
    who: String,
    place: StoredValue<Place>,
    on_failure: OnFailure,
) {
    if on_failure != OnFailure::Stale {
        return;
    }
    Effect::new(move |_| {
        let Some(at) = tree.read_at.get() else { return };
        let Some(tree) = tree.data.get_untracked() else { return };
        let kept = Kept { who: who.clone(), place: place.get_value(), asked: asked.get_untracked(), tree, at };
        LAST.with_borrow_mut(|last| {
            last.retain(|old| (&old.who, &old.place, &old.asked) != (&kept.who, &kept.place, &kept.asked));
            last.push_back(kept);
            while last.len() > MOST {
                last.pop_front();
            }
        });
    });
}

/// What was said last when the same was asked, and when that was.
pub(super) fn of(who: &str, place: &Place, asked: &Asked) -> Option<(Tree, f64)> {
    LAST.with_borrow(|last| {
        let kept = last.iter().find(|kept| kept.who == who && kept.place == *place && kept.asked == *asked)?;
        Some((kept.tree.clone(), kept.at))
    })
}
