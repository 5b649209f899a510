//! Why signing in with a service did not work, and what to do about it.

use callboard_model::ui::Level;
use leptos::prelude::*;

use crate::messages::{Msg, t};
use crate::ui::Alert;

/// Says it in plain words, by the code that the server adds to the address.
#[component]
pub(crate) fn Trouble(code: Memo<Option<String>>) -> impl IntoView {
    move || {
        code.get().map(|code| {
            let (title, text) = words(&code);
            view! {
                <div class="alerts" role="alert">
                    <Alert level=Level::Warning title=t(title) text=t(text).to_owned() />
                </div>
            }
        })
    }
}

/// An address can be made up by anybody: a code that is not one of these is not repeated.
fn words(code: &str) -> (Msg, Msg) {
    match code {
        "no-user" => (Msg::NoUser, Msg::NoUserText),
        "email-not-verified" => (Msg::EmailNotVerified, Msg::EmailNotVerifiedText),
        "domain-not-listed" => (Msg::DomainNotListed, Msg::DomainNotListedText),
        "provider-refused" => (Msg::ProviderRefused, Msg::ProviderRefusedText),
        "provider-unreachable" => (Msg::ProviderUnreachable, Msg::ProviderUnreachableText),
        "provider-invalid" => (Msg::ProviderInvalid, Msg::ProviderInvalidText),
        "not-configured" => (Msg::SignInNotConfigured, Msg::SignInNotConfiguredText),
        "portal-failed" => (Msg::PortalFailed, Msg::PortalFailedText),
        "expired" => (Msg::SignInExpired, Msg::SignInExpiredText),
        "flow-mismatch" => (Msg::FlowMismatch, Msg::FlowMismatchText),
        "ambiguous-user" => (Msg::AmbiguousUser, Msg::AmbiguousUserText),
        _ => (Msg::SignInFailed, Msg::SignInFailedText),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_words_of_its_own() {
        let codes = [
            "no-user",
            "email-not-verified",
            "domain-not-listed",
            "provider-refused",
            "provider-unreachable",
            "provider-invalid",
            "not-configured",
            "portal-failed",
            "expired",
            "flow-mismatch",
            "ambiguous-user",
            "",
        ];
        let mut texts: Vec<_> = codes.iter().map(|code| words(code).1.text()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), codes.len());
        assert_eq!(words("call 0800 123"), words(""));
    }
}
