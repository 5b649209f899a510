//! Rows that come back.

use std::sync::Arc;

use crate::{Error, FromValue, Value};

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) names: Arc<[String]>,
    pub(crate) values: Vec<Value>,
}

impl Row {
    /// The value of a column, by its number (from 0) or its name.
    ///
    /// # Errors
    /// There is no such column, or it holds something else.
    pub fn get<T: FromValue>(&self, column: impl Column) -> Result<T, Error> {
        let value = column.find(&self.names).and_then(|index| self.values.get(index));
        value
            .ok_or_else(|| Error::Column { column: column.label(), reason: "is not there".to_owned() })?
            .read(&column.label())
    }
}

/// How a column is named.
pub trait Column {
    /// Its number, from 0.
    fn find(&self, names: &[String]) -> Option<usize>;
    /// For messages.
    fn label(&self) -> String;
}

impl Column for usize {
    fn find(&self, _names: &[String]) -> Option<usize> {
        Some(*self)
    }

    fn label(&self) -> String {
        self.to_string()
    }
}

impl Column for &str {
    fn find(&self, names: &[String]) -> Option<usize> {
        names.iter().position(|name| name == self)
    }

    fn label(&self) -> String {
        (*self).to_owned()
    }
}
