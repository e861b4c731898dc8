//! The JSON Schema of recipe files, for editors; made from the structs that read them.

use serde_json::{Value, json};

use super::form::Form;
use super::raw::Raw;

/// The schema as it stands in `recipes/schema.json`; a recipe names it in a first line `#:schema ./schema.json`.
///
/// It knows which fields belong to which kind where a file says its `kind`. What may come from an extended recipe is
/// never required.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Raw).to_value();
    schema["title"] = json!("forge recipe");
    schema["properties"]["kind"]["enum"] = json!(Form::ALL.map(Form::name));
    schema["properties"]["kind"]["type"] = json!("string");
    schema["allOf"] = Form::ALL.into_iter().map(fields_of).collect();
    schema
}

/// That a recipe of this kind has only the fields of this kind.
fn fields_of(form: Form) -> Value {
    let fields: Vec<&str> = Form::COMMON.iter().chain(form.fields()).copied().collect();
    json!({
        "if": { "properties": { "kind": { "const": form.name() } }, "required": ["kind"] },
        "then": { "propertyNames": { "enum": fields } },
    })
}
