//! What a package has from its workspace: fields that say `workspace = true`, written out as cargo
//! writes them.
//!
//! Source: "The `package` table" and "Inheriting a dependency from a workspace" in the cargo book; RFC 2906, RFC 3945.

use toml::{Table, Value};

use super::files::{clean, relative};

/// The edition since which a package may turn off default features that its workspace has on.
const OVERRIDES: &str = "2024";

/// Files that are a README where a manifest does not name one.
pub(super) const READMES: [&str; 3] = ["README.md", "README.txt", "README"];

/// The root of a package's workspace.
pub(super) struct Workspace<'a> {
    /// Its folder.
    pub(super) folder: &'a str,
    /// Its table `workspace`.
    pub(super) table: &'a Table,
    /// The first of [`READMES`] that is there.
    pub(super) readme: Option<&'static str>,
}

impl Workspace<'_> {
    /// The field `key` of `package`, for the package in the folder `from`. `None` for a README that is not there.
    pub(super) fn field(&self, key: &str, from: &str) -> Result<Option<Value>, String> {
        let value = self.table.get("package").and_then(|package| package.get(key));
        match (key, value) {
            ("readme", None | Some(Value::Boolean(_))) => Ok(self.readme(value).map(|name| self.moved(name, from))),
            ("readme" | "license-file", Some(Value::String(path))) => Ok(Some(self.moved(path, from))),
            (_, Some(value)) => Ok(Some(value.clone())),
            (_, None) => Err(self.lacks(&format!("package.{key}"))),
        }
    }

    fn readme(&self, value: Option<&Value>) -> Option<&'static str> {
        match value {
            Some(Value::Boolean(true)) => Some(READMES[0]),
            None => self.readme,
            Some(_) => None,
        }
    }

    /// The table `lints`.
    pub(super) fn lints(&self) -> Result<Value, String> {
        self.table.get("lints").cloned().ok_or_else(|| self.lacks("lints"))
    }

    /// The dependency `name`, with what `asked`, the package in the folder `from` of that edition, adds to it.
    pub(super) fn dependency(&self, name: &str, asked: &Table, (from, edition): (&str, &str)) -> Result<Value, String> {
        let dependencies = self.table.get("dependencies").and_then(|all| all.get(name));
        let mut merged = match dependencies {
            Some(Value::String(version)) => Table::from_iter([("version".to_owned(), version.as_str().into())]),
            Some(Value::Table(table)) => table.clone(),
            _ => return Err(self.lacks(&format!("dependencies.{name}"))),
        };
        if let Some(Value::String(path)) = merged.get("path") {
            let path = self.moved(path, from);
            merged.insert("path".to_owned(), path);
        }
        default_features(&mut merged, asked, edition);
        features(&mut merged, asked);
        for key in ["optional", "public"] {
            merged.remove(key);
            merged.extend(asked.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        Ok(Value::Table(merged))
    }

    /// A path of the workspace as the package in the folder `from` sees it.
    fn moved(&self, path: &str, from: &str) -> Value {
        relative(from, &clean(&format!("{}/{path}", self.folder))).into()
    }

    fn lacks(&self, what: &str) -> String {
        let place = if self.folder.is_empty() { "the top" } else { self.folder };
        format!("the workspace at {place} has no `workspace.{what}`, which it inherits")
    }
}

fn features(merged: &mut Table, asked: &Table) {
    let list = |table: &Table| table.get("features").and_then(Value::as_array).cloned();
    if let Some(added) = list(asked) {
        let all = list(merged).unwrap_or_default().into_iter().chain(added);
        merged.insert("features".to_owned(), Value::Array(all.collect()));
    }
}

/// Before [`OVERRIDES`] a package can only turn them on.
fn default_features(merged: &mut Table, asked: &Table, edition: &str) {
    let said = |table: &Table| {
        let value = table.get("default-features").or_else(|| table.get("default_features"));
        value.and_then(Value::as_bool)
    };
    let counts = |asked: &bool| *asked || edition >= OVERRIDES;
    let (here, there) = (said(asked).filter(counts), said(merged));
    merged.remove("default_features");
    merged.extend(here.or(there).map(|value| ("default-features".to_owned(), value.into())));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = r#"
        [package]
        version = "1.2.3"
        license-file = "LICENSE"
        readme = true
        [dependencies]
        plain = "1"
        full = { version = "2", features = ["a"], default-features = false }
        old = { version = "2", default_features = false }
        on = { version = "3", default-features = true }
        near = { path = "crates/near" }
        [lints.rust]
        unused = "allow"
    "#;

    fn table(text: &str) -> Table {
        text.parse().expect("toml")
    }

    #[test]
    fn dependencies() {
        let root = table(ROOT);
        let workspace = Workspace { folder: "", table: &root, readme: None };
        for (name, asked, edition, expected) in [
            ("plain", "", "2021", "version = '1'"),
            ("plain", "optional = true\nfeatures = ['b']", "2021", "version = '1'\noptional = true\nfeatures = ['b']"),
            ("plain", "default-features = false", "2021", "version = '1'"),
            ("plain", "default-features = false", "2024", "version = '1'\ndefault-features = false"),
            ("full", "features = ['b']", "2021", "version = '2'\nfeatures = ['a', 'b']\ndefault-features = false"),
            ("full", "default-features = true", "2021", "version = '2'\nfeatures = ['a']\ndefault-features = true"),
            ("old", "", "2021", "version = '2'\ndefault-features = false"),
            ("old", "default_features = true", "2018", "version = '2'\ndefault-features = true"),
            ("on", "default-features = false", "2021", "version = '3'\ndefault-features = true"),
            ("on", "default-features = false", "2024", "version = '3'\ndefault-features = false"),
            ("near", "", "2021", "path = '../near'"),
        ] {
            let found = workspace.dependency(name, &table(asked), ("crates/own", edition));
            assert_eq!(found, Ok(Value::Table(table(expected))), "{name} {asked} {edition}");
        }
        let error = workspace.dependency("none", &Table::new(), ("", "2021")).expect_err("not there");
        assert_eq!(error, "the workspace at the top has no `workspace.dependencies.none`, which it inherits");
    }

    #[test]
    fn fields() {
        let (root, bare) = (table(ROOT), Table::new());
        let workspace = Workspace { folder: "sub", table: &root, readme: None };
        let field = |key| workspace.field(key, "sub/own");
        assert_eq!(field("version"), Ok(Some("1.2.3".into())));
        assert_eq!(field("license-file"), Ok(Some("../LICENSE".into())));
        assert_eq!(field("readme"), Ok(Some("../README.md".into())));
        assert_eq!(
            field("edition").expect_err("not there"),
            "the workspace at sub has no `workspace.package.edition`, which it inherits"
        );
        let unsaid = |readme| Workspace { folder: "", table: &bare, readme }.field("readme", "own");
        assert_eq!(unsaid(Some(READMES[2])), Ok(Some("../README".into())));
        assert_eq!(unsaid(None), Ok(None));
        assert!(workspace.lints().is_ok_and(|lints| lints.get("rust").is_some()));
    }
}
