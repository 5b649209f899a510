//! The portal's tests: one binary, one module per subject.
