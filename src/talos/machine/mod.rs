//! The configuration of machines that run Talos: made for each node from one inventory, and judged.
//!
//! ```text
//! inventory ─generate→ documents ─merge patches→ documents of a node ─judge: rules, schema→ one file a node
//! ```
//!
//! What is the same in every version stands in the inventory ([`Inventory`] has its format); what a version says in
//! its own way stands in patches, which are laid over the documents as `talosctl` lays them. Each line of [`LINES`] has
//! its form: 1.10 says nearly all in one document, 1.14 in one for each thing.
//!
//! The schema of a version says which fields there are. That is not enough: Talos takes fields that do nothing, names
//! that no link has and modules that are built in, and what is left out brings Flannel. So there are rules, each of
//! which names what is wrong and what to write. They were read from the sources of Talos, which each table names.
//!
//! No secret is in what comes out: a document that has one is refused. `talosctl gen secrets` makes them, and a patch
//! brings them when a node gets its configuration.
//!
//! Pure: texts come in, documents go out.

mod document;
mod generate;
mod inventory;
mod judge;
mod line;
mod merge;
mod mistake;
mod render;
mod schema;
#[cfg(test)]
mod tests;

pub use inventory::Inventory;
pub use line::{LINES, Line};
pub use mistake::{Help, Mistake};
pub use render::{Patch, render};
pub use schema::Schema;
