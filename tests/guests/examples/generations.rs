//! A plugin that a test makes versions of, by changing [`MARK`] in the component.

use std::hint::black_box;

use callboard_sdk::ui::{Input, Outcome, Tree};
use callboard_sdk::{Context, EntityProvider, Error, Lifecycle, Mode, Page, Provider, Ui, kv};

/// What this version does: `works`; `traps` when it renders; is `mute` about its providers; `moves` what it kept;
/// is `stuck` with what it finds; is `ill`. Sixteen bytes, so that another
/// one fits into its place.
static MARK: &[u8; 16] = b"MARK: 1:works   ";

struct Generations;

impl Generations {
    fn is(what: &str) -> bool {
        Self::mark().split(':').nth(2).is_some_and(|word| word.trim() == what)
    }

    fn kept() -> Result<String, Error> {
        Ok(kv::get("kept")?.map(|kept| String::from_utf8_lossy(&kept).into_owned()).unwrap_or_default())
    }

    fn mark() -> String {
        String::from_utf8_lossy(black_box(MARK)).into_owned()
    }
}

impl EntityProvider for Generations {
    fn providers(_: &Context) -> Result<Vec<Provider>, Error> {
        if Self::is("mute") {
            return Err(Error::Unavailable("it cannot say".to_owned()));
        }
        Ok(Vec::new())
    }

    fn read(_: &Context, _provider: &str, _cursor: Option<&str>) -> Result<Page, Error> {
        Ok(Page::last(Vec::new(), Mode::Full))
    }
}

impl Lifecycle for Generations {
    fn migrate(_: &Context, version: &str) -> Result<(), Error> {
        let kept = Self::kept()?;
        if Self::is("moves") || Self::is("stuck") {
            kv::set("kept", format!("{kept} of {version}").as_bytes())?;
        }
        if Self::is("stuck") {
            return Err(Error::Invalid(format!("nothing can be done with what {version} kept")));
        }
        Ok(())
    }

    fn check(_: &Context) -> Result<(), Error> {
        if Self::is("ill") || Self::kept()? == "poison" {
            return Err(Error::Invalid("it is ill".to_owned()));
        }
        Ok(())
    }
}

impl Ui for Generations {
    fn render(_: &Context, _extension: &str, _input: &Input) -> Result<Tree, Error> {
        assert!(!Self::is("traps"), "this version traps");
        Ok(Tree::of(format!("{} kept {}", Self::mark().trim(), Self::kept()?)))
    }

    fn act(_: &Context, _extension: &str, action: &str, _input: &Input) -> Result<Outcome, Error> {
        kv::set("kept", action.as_bytes())?;
        Ok(Outcome::new("kept"))
    }
}

callboard_sdk::export!(manifest: "examples/generations.yaml", entity_provider: Generations, lifecycle: Generations, ui: Generations);
