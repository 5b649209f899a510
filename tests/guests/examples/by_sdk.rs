//! What `components/by_hand.wat` does without the SDK.

use callboard_sdk::ui::{Input, Outcome, Tree};
use callboard_sdk::{Context, Error, Ui, kv, log};

struct BySdk;

impl Ui for BySdk {
    fn render(context: &Context, _extension: &str, _input: &Input) -> Result<Tree, Error> {
        log::info("rendered");
        let kept = kv::get("kept")?.map_or("nothing".to_owned(), |kept| String::from_utf8_lossy(&kept).into_owned());
        Ok(Tree::of(format!("{} keeps {kept}", context.user.as_deref().unwrap_or("nobody"))))
    }

    fn act(_: &Context, _extension: &str, action: &str, _input: &Input) -> Result<Outcome, Error> {
        let message = "as you wish".to_owned();
        Err(match action {
            "0" => Error::Denied(message),
            "1" => Error::Invalid(message),
            "2" => Error::NotFound(message),
            "3" => Error::Unavailable(message),
            "4" => Error::Throttled(message),
            "5" => Error::TooLarge(message),
            "6" => Error::Other { code: "E-17".to_owned(), message },
            kept => {
                kv::set("kept", kept.as_bytes())?;
                return Ok(Outcome::new("kept").refresh());
            }
        })
    }
}

callboard_sdk::export!(manifest: "examples/by_sdk.yaml", ui: BySdk);
