//! Every text of the UI, in one table.
//!
//! A view names a message ([`Msg`]) and never spells one out, so that a second language is a second table.
//! `{name}` is filled in by [`Msg::with`]; `one|other` is chosen by [`Msg::count`], which fills in `{n}`.

use std::fmt::Display;

use crate::format;

mod table;

pub(crate) use table::Msg;

/// The text of a message without arguments.
pub(crate) fn t(message: Msg) -> &'static str {
    message.text()
}

impl Msg {
    /// Fills in each `{name}`.
    pub(crate) fn with(self, arguments: &[(&str, &dyn Display)]) -> String {
        fill(self.text(), arguments)
    }

    /// Chooses between `one|other` and fills in `{n}`.
    pub(crate) fn count(self, n: u64) -> String {
        let (one, other) = self.text().split_once('|').unwrap_or((self.text(), self.text()));
        fill(if n == 1 { one } else { other }, &[("n", &format::number(n))])
    }
}

fn fill(text: &str, arguments: &[(&str, &dyn Display)]) -> String {
    arguments
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_take_arguments() {
        assert_eq!(Msg::CountEntities.count(1), "1 entity");
        assert_eq!(Msg::CountEntities.count(1234), "1,234 entities");
        assert_eq!(Msg::PageRange.with(&[("from", &1), ("to", &20), ("total", &"1,000")]), "1–20 of 1,000");
    }
}
