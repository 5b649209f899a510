//! Who is looking, and at which portal.

use callboard_model::api::{AppInfo, SessionUser};
use callboard_model::entity_ref::EntityRef;
use leptos::prelude::*;

use crate::api;
use crate::live::{Habits, Live, live};

/// The portal as the reader's session sees it.
#[derive(Clone, Copy)]
pub(crate) struct Portal {
    /// `GET /api/app`, kept up to date.
    pub app: Live<AppInfo>,
    /// Who is signed in.
    pub user: Memo<Option<SessionUser>>,
    /// The reader and their groups; empty while nobody is signed in.
    pub mine: Memo<Vec<String>>,
}

impl Portal {
    /// Asks who is looking.
    pub(crate) fn open() -> Self {
        let app = live(|| Some(()), |()| api::session::app(), Habits { beats: true, keeps: true });
        let user = Memo::new(move |_| app.data.get().and_then(|app| app.session.user));
        let profile = live(
            move || user.get().and_then(|user| EntityRef::parse(&user.entity_ref, None, None).ok()),
            api::catalog::by_name,
            Habits::default(),
        );
        let mine = Memo::new(move |_| {
            let Some(user) = user.get() else { return Vec::new() };
            // A user who is not in the catalog still owns what names them.
            let groups = profile.data.with(|profile| profile.as_ref().map(|item| item.related("memberOf")));
            std::iter::once(user.entity_ref).chain(groups.unwrap_or_default()).collect()
        });
        Self { app, user, mine }
    }

    /// Whether the reader has a permission, one of those that the server says of itself.
    pub(crate) fn may(self, permission: &str) -> bool {
        self.app.data.with(|app| app.as_ref().is_some_and(|app| app.may.iter().any(|may| may == permission)))
    }

    /// The portal's name.
    pub(crate) fn title(self) -> String {
        self.app.data.with(|app| app.as_ref().map(|app| app.title.clone())).unwrap_or_else(|| "Callboard".to_owned())
    }
}

/// The portal of this page.
pub(crate) fn use_portal() -> Portal {
    use_context().unwrap_or_else(Portal::open)
}
