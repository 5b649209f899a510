//! What the documents of refs were when nobody had written since.

use callboard_store::Memo;

use crate::Document;
use crate::limits::REMEMBERED_DOCUMENTS;

/// Whole documents by their refs, and none of what is not there. They are the same for everybody: what somebody may see of
/// them is decided each time.
pub(crate) type Remembered = Memo<String, Option<Document>>;

/// Nothing yet.
pub(crate) fn remembered() -> Remembered {
    // Beside the text there are the ref once more, and what the memory needs to find and to judge it.
    Memo::new(REMEMBERED_DOCUMENTS, |name, document| {
        name.len() + document.as_ref().map_or(0, |document| document.get().len()) + 150
    })
}
