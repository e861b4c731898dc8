//! Tests that need more than one module, or the real programs around forge.

mod fetch;
