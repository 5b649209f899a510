//! What a person does with the pages: find, filter, go back, read, get lost.

use anyhow::Result;
use callboard_tests::browser::Browser;
use callboard_tests::example::{Example, PAGES};
