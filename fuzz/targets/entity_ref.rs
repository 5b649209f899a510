//! A ref, from a file, a URL or a body.
#![no_main]

use callboard_model::entity_ref::EntityRef;
use callboard_model::location_ref::LocationRef;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for (kind, namespace) in [(None, None), (Some("Component"), None), (None, Some("Default")), (Some(""), Some(""))] {
        let Ok(found) = EntityRef::parse(text, kind, namespace) else { continue };
        assert!(!found.kind().is_empty() && !found.namespace().is_empty() && !found.name().is_empty(), "{found:?}");
        // A name may hold anything, so the text form names the same entity only where its parts have no separators.
        if ![found.kind(), found.namespace()].iter().any(|part| part.contains([':', '/'])) {
            assert_eq!(EntityRef::parse(&found.to_string(), None, None).as_ref(), Ok(&found), "{found}");
        }
    }
    if let Ok(location) = LocationRef::parse(text) {
        assert_eq!(LocationRef::parse(&location.to_string()).as_ref(), Ok(&location));
        let _ = location.generated_name();
    }
});
