//! Journeys of a person with a browser.

mod axe;
mod pages;
mod petstore;
mod sign_in;

use anyhow::Result;
use callboard_tests::browser::Browser;
use callboard_tests::portal::TestPortal;

/// A window of somebody who is signed in as guest.
pub(crate) async fn guest(portal: &TestPortal) -> Result<Browser> {
    let window = Browser::open(portal.url()).await?;
    window.hold_cookie(portal.client().cookie.as_deref().unwrap_or_default()).await?;
    Ok(window)
}
