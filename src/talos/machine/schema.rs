//! The JSON Schema of a version, which says what fields there are and what they take.
//!
//! It stands in the sources of Talos as `pkg/machinery/config/schemas/config.schema.json`; its `$defs` have one for
//! each kind of document, whose `properties.kind` says which.

use std::collections::BTreeMap;

use boon::{Compiler, ErrorKind, InstanceToken, SchemaIndex, Schemas, ValidationError};
use serde_json::Value as Json;

use super::document::kind;
use super::line::Line;
use super::mistake::Mistake;
use crate::yaml::{Node, Place, Value};

/// What the schema is called while it is read; nothing is looked for there.
const URL: &str = "talos:///config.schema.json";
/// The definition of the document without a kind.
const SINGLE: &str = "v1alpha1.Config";

/// A schema, ready to judge by.
pub struct Schema {
    line: Line,
    json: Json,
    schemas: Schemas,
    kinds: BTreeMap<String, SchemaIndex>,
}

impl Schema {
    /// Reads the schema of that line.
    ///
    /// # Errors
    /// If it is none, or one of another line, in words.
    pub fn read(bytes: &[u8], line: Line) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
        let id = json["$id"].as_str().unwrap_or_default();
        if !id.contains(&format!("/v{line}/")) {
            return Err(format!("it says that it is `{}`, not that of {line}", id.escape_debug()));
        }
        let mut compiler = Compiler::new();
        compiler.add_resource(URL, json.clone()).map_err(|error| error.to_string())?;
        let (mut schemas, mut kinds) = (Schemas::new(), BTreeMap::new());
        for (name, definition) in json["$defs"].as_object().into_iter().flatten() {
            let kind = if name == SINGLE { Some("") } else { definition["properties"]["kind"]["enum"][0].as_str() };
            if let Some(kind) = kind {
                let index = compiler.compile(&format!("{URL}#/$defs/{name}"), &mut schemas);
                kinds.insert(kind.to_owned(), index.map_err(|error| error.to_string())?);
            }
        }
        Ok(Self { line, json, schemas, kinds })
    }

    /// What is wrong with a document.
    pub(super) fn judge(&self, document: &Node) -> Vec<Mistake> {
        let kind = kind(document);
        let Some(index) = self.kinds.get(kind) else {
            let at = document.find("kind").map_or(document.at, |kind| kind.at);
            let title = format!("Talos {} has no documents of the kind `{}`", self.line, kind.escape_debug());
            return vec![Mistake::name(at, title, kind, self.kinds.keys().map(String::as_str))];
        };
        let json = document.json();
        let mut mistakes = Vec::new();
        if let Err(error) = self.schemas.validate(&json, *index) {
            self.leaves(&error, document, &mut mistakes);
        }
        mistakes
    }

    /// The innermost errors, which say what is wrong.
    fn leaves(&self, error: &ValidationError<'_, '_>, document: &Node, mistakes: &mut Vec<Mistake>) {
        if !error.causes.is_empty() {
            error.causes.iter().for_each(|cause| self.leaves(cause, document, mistakes));
            return;
        }
        let (node, path) = found(document, &error.instance_location.tokens);
        match &error.kind {
            ErrorKind::AdditionalProperties { got } => {
                let known = self.siblings(error.schema_url);
                mistakes.extend(got.iter().map(|name| {
                    let at = node.as_map().and_then(|map| map.entry(name)).map_or(node.at, |entry| entry.at);
                    let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                    let title = format!("Talos {} has no field `{}`", self.line, path.escape_debug());
                    Mistake::name(at, title, name, known.iter().map(String::as_str))
                }));
            }
            kind => {
                let title = format!("`{path}` is not as Talos {} takes it: {kind}", self.line);
                mistakes.push(Mistake::new(node.at, title, help(kind, node)));
            }
        }
    }

    /// The fields that a definition has, by the address of its `additionalProperties`.
    fn siblings(&self, address: &str) -> Vec<String> {
        let pointer = address.split_once('#').map_or("", |(_, pointer)| pointer);
        let properties = self.json.pointer(pointer).and_then(|definition| definition["properties"].as_object());
        properties.into_iter().flat_map(|properties| properties.keys().cloned()).collect()
    }
}

fn help(kind: &ErrorKind<'_, '_>, node: &Node) -> String {
    match kind {
        ErrorKind::Type { .. } if matches!(node.value, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
            "write it in quotes, if a text is wanted".to_owned()
        }
        ErrorKind::Required { want } => format!("add {}", want.join(", ")),
        _ => "see the reference of this version's configuration".to_owned(),
    }
}

/// The value at a location and its path, in words.
fn found<'n>(document: &'n Node, tokens: &[InstanceToken<'_>]) -> (&'n Node, String) {
    let (mut node, mut path) = (document, Vec::new());
    for token in tokens {
        let (next, word) = match token {
            InstanceToken::Prop(name) => (node.as_map().and_then(|map| map.get(name)), name.to_string()),
            InstanceToken::Item(number) => (node.items().get(*number), number.to_string()),
        };
        path.push(word);
        node = next.unwrap_or(node);
    }
    (node, path.join("."))
}

/// Whether a mistake that the schema finds is told by a rule, which says more of it.
pub(super) fn is_told(mistake: &Mistake, told: &[Place]) -> bool {
    told.contains(&mistake.at)
}
