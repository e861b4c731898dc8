//! From an inventory and patches to the configuration of each node.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{identity, kind};
use super::generate;
use super::inventory::{Inventory, Machine, Role};
use super::judge;
use super::line::Line;
use super::merge;
use super::mistake::Mistake;
use super::schema::{self, Schema};
use crate::yaml::{Node, Place};

/// The patch of every node.
const ALL: &str = "all";

/// Documents that are laid over those of some nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// For whom it is: `all`, a role, or the name of a node.
    pub name: String,
    /// What it says.
    pub documents: Vec<Node>,
    /// Where it begins.
    pub at: Place,
}

/// The documents of each node, by its name, in one order; judged by the rules and the schema of the line.
///
/// # Errors
/// Every mistake.
pub fn render(
    line: Line,
    schema: &Schema,
    inventory: &Inventory,
    patches: &[Patch],
) -> Result<BTreeMap<String, Vec<Node>>, Vec<Mistake>> {
    let mut mistakes = strangers(inventory, patches);
    let mut rendered = BTreeMap::new();
    for node in &inventory.nodes {
        let documents = documents(line, inventory, node, patches);
        let ruled = judge::judge(line, node.role.value, &documents);
        let told: Vec<Place> = ruled.iter().map(|mistake| mistake.at).collect();
        let read = documents.iter().flat_map(|document| schema.judge(document));
        mistakes.extend(read.filter(|mistake| !schema::is_told(mistake, &told)));
        mistakes.extend(ruled);
        rendered.insert(node.name.value.clone(), documents);
    }
    mistakes.extend(judge::between(rendered.values().map(Vec::as_slice)));
    // What is wrong with a patch is wrong on each node that has it.
    let mut seen = BTreeSet::new();
    mistakes.retain(|mistake| seen.insert((mistake.at, mistake.title.clone())));
    mistakes.sort_by(|a, b| (a.at, &a.title).cmp(&(b.at, &b.title)));
    if mistakes.is_empty() { Ok(rendered) } else { Err(mistakes) }
}

/// The documents of one node: what the inventory says, then the patches of all, of its role, and its own.
fn documents(line: Line, inventory: &Inventory, node: &Machine, patches: &[Patch]) -> Vec<Node> {
    let mut documents = generate::documents(line, inventory, node);
    for name in [ALL, node.role.value.name(), &node.name.value] {
        for patch in patches.iter().filter(|patch| patch.name == name) {
            merge::apply(&mut documents, &patch.documents);
        }
    }
    documents.sort_by(|a, b| identity(a).cmp(&identity(b)));
    debug_assert!(documents.first().is_some_and(|first| kind(first).is_empty()));
    documents
}

/// Patches that are for nobody.
fn strangers(inventory: &Inventory, patches: &[Patch]) -> Vec<Mistake> {
    let nodes = inventory.nodes.iter().map(|node| node.name.value.as_str());
    let known: Vec<&str> = std::iter::once(ALL).chain(Role::ALL.map(Role::name)).chain(nodes).collect();
    let stranger = |patch: &&Patch| !known.contains(&patch.name.as_str());
    let mistake = |patch: &Patch| {
        let title = format!("no node and no role is called `{}`, as this patch is", patch.name.escape_debug());
        Mistake::name(patch.at, title, &patch.name, known.iter().copied())
    };
    patches.iter().filter(stranger).map(mistake).collect()
}
