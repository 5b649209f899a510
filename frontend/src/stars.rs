//! The entities that the reader has starred. The server keeps them, in the place where Backstage keeps them too.

use callboard_model::api::SessionUser;
use leptos::prelude::*;
use leptos::task;
use serde_json::{Value, json};

use crate::api::ApiError;
use crate::api::settings::{self, Setting};

/// Where they are kept: a list of refs.
const KEPT: Setting = Setting { bucket: "default.starredEntities", key: "entityRefs" };

/// The entities that the reader has starred.
#[derive(Clone, Copy)]
pub(crate) struct Stars {
    /// Their refs; none while nobody is signed in, or where they are not known.
    refs: RwSignal<Option<Vec<String>>>,
}

impl Stars {
    /// Those of whoever is signed in.
    pub(crate) fn of(user: Memo<Option<SessionUser>>) -> Self {
        let stars = Self { refs: RwSignal::new(None) };
        let who = Memo::new(move |_| user.get().map(|user| user.entity_ref));
        Effect::new(move |_| {
            let mine = who.get();
            stars.refs.set(None);
            if mine.is_none() {
                return;
            }
            task::spawn_local(async move {
                if let Ok(refs) = read().await
                    && who.get_untracked() == mine
                {
                    stars.refs.set(Some(refs));
                }
            });
        });
        stars
    }

    /// Whether there is somebody whose stars are known.
    pub(crate) fn known(self) -> bool {
        self.refs.with(Option::is_some)
    }

    /// Whether an entity is starred.
    pub(crate) fn has(self, entity_ref: &str) -> bool {
        self.refs.with(|refs| refs.as_ref().is_some_and(|refs| refs.iter().any(|starred| starred == entity_ref)))
    }

    /// All of them.
    pub(crate) fn all(self) -> Vec<String> {
        self.refs.get().unwrap_or_default()
    }

    /// Stars an entity, or takes its star away. It shows at once; what the server has by then, from another window
    /// perhaps, is changed by this one entity only.
    pub(crate) async fn switch(self, entity_ref: &str, on: bool) -> Result<(), ApiError> {
        let change = |refs: &[String]| changed(refs, entity_ref, on);
        let before = self.refs.get_untracked();
        self.refs.update(|refs| *refs = refs.as_deref().map(change));
        let kept = async {
            let refs = change(&read().await?);
            settings::keep(KEPT, &json!(refs)).await?;
            Ok(refs)
        };
        let kept: Result<Vec<String>, ApiError> = kept.await;
        let answer = kept.as_ref().map(|_| ()).map_err(Clone::clone);
        // None: nobody is there any more to see it.
        let _ = self.refs.try_set(kept.ok().or(before));
        answer
    }
}

/// The reader's stars.
pub(crate) fn use_stars() -> Stars {
    use_context().unwrap_or_else(|| Stars { refs: RwSignal::new(None) })
}

async fn read() -> Result<Vec<String>, ApiError> {
    let kept = settings::read(KEPT).await?;
    let refs = kept.as_ref().and_then(Value::as_array).into_iter().flatten();
    Ok(refs.filter_map(Value::as_str).map(str::to_owned).collect())
}

fn changed(refs: &[String], entity_ref: &str, on: bool) -> Vec<String> {
    let others = refs.iter().filter(|starred| *starred != entity_ref).cloned();
    others.chain(on.then(|| entity_ref.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_more_or_less() {
        let refs = |refs: &[&str]| refs.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (before, on, after) in [
            (&[][..], true, &["b"][..]),
            (&["a"], true, &["a", "b"]),
            (&["b", "a"], true, &["a", "b"]),
            (&["b", "a", "b"], false, &["a"]),
            (&["a"], false, &["a"]),
        ] {
            assert_eq!(changed(&refs(before), "b", on), refs(after), "{before:?} {on}");
        }
    }
}
