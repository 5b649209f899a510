//! What keeps a page fresh: a beat every few seconds while somebody looks, and whenever they come back to it.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::{ev, task};

use crate::browser;

/// Between two beats, in milliseconds.
const BEAT: u32 = 4_000;

/// The page's one timer.
#[derive(Clone, Copy)]
pub(crate) struct Pulse {
    /// Counts the beats. What follows it is fetched again at each.
    pub beat: RwSignal<u32>,
    /// Milliseconds since 1970, at the last beat.
    pub now: RwSignal<f64>,
}

impl Pulse {
    /// Starts the timer. Once a page.
    pub(crate) fn start() -> Self {
        let pulse = Self { beat: RwSignal::new(0), now: RwSignal::new(browser::now()) };
        let beat = move || {
            if browser::visible() {
                pulse.now.set(browser::now());
                pulse.beat.update(|beat| *beat = beat.wrapping_add(1));
            }
        };
        task::spawn_local(async move {
            loop {
                TimeoutFuture::new(BEAT).await;
                beat();
            }
        });
        // These live as long as the page does.
        let _ = window_event_listener(ev::focus, move |_| beat());
        pulse
    }
}

/// Now, as of the last beat.
pub(crate) fn use_now() -> ReadSignal<f64> {
    use_context::<Pulse>().map_or_else(|| RwSignal::new(browser::now()), |pulse| pulse.now).read_only()
}
