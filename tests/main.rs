//! All tests that need more than one module, in one program so that they link once.

mod fetch;
mod resolver;
