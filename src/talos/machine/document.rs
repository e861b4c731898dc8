//! The documents that a configuration consists of.

use crate::yaml::{Node, Place};

/// What every document says of itself, beside the one without a kind.
const API: &str = "v1alpha1";

/// What documents are told apart by: kind and name; both are empty for the one that has neither.
pub(super) type Identity<'d> = (&'d str, &'d str);

/// What a document is told apart by.
pub(super) fn identity(document: &Node) -> Identity<'_> {
    (kind(document), document.find("name").and_then(Node::as_text).unwrap_or_default())
}

/// The kind of a document; nothing for the one that has none, `v1alpha1`.
pub(super) fn kind(document: &Node) -> &str {
    document.find("kind").and_then(Node::as_text).unwrap_or_default()
}

/// A document of that kind, for what stands at `at`.
pub(super) fn document<'k>(at: Place, kind: &str, entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    let head = [("apiVersion", Node::text(at, API)), ("kind", Node::text(at, kind))];
    Node::map(at, head.into_iter().chain(entries))
}

/// The document without a kind.
pub(super) fn single<'k>(at: Place, entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    Node::map(at, [("version", Node::text(at, API))].into_iter().chain(entries))
}

/// The documents of that kind.
pub(super) fn of_kind<'d>(documents: &'d [Node], wanted: &str) -> impl Iterator<Item = &'d Node> {
    documents.iter().filter(move |document| kind(document) == wanted)
}
