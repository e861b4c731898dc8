//! A manifest that stands alone: all that it inherits is written out, so that it means the same without its
//! workspace, as in what `cargo vendor` writes. Paths of dependencies stay: cargo looks for such packages where
//! the package itself is from.

use toml::{Table, Value};

use super::inherit::Workspace;

/// Tables that mean nothing in a package that another one depends on.
const DROPPED: [&str; 5] = ["workspace", "profile", "patch", "replace", "badges"];

/// Tables of dependencies, with the spellings of old.
const DEPENDENCIES: [&str; 5] =
    ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"];

/// The edition of a package that does not say.
const EDITION: &str = "2015";

/// The name and version of the package that a manifest is of, where it is of one.
pub(super) fn identity(manifest: &Table, workspace: Option<&Workspace<'_>>) -> Option<(String, String)> {
    let package = manifest.get("package")?.as_table()?;
    let name = package.get("name")?.as_str()?.to_owned();
    let version = match package.get("version") {
        None => "0.0.0".to_owned(),
        Some(Value::String(version)) => version.clone(),
        Some(inherited) if inherits(inherited) => workspace?.field("version", "").ok()??.as_str()?.to_owned(),
        Some(_) => return None,
    };
    Some((name, version))
}

/// `manifest`, of the package in `folder`, without its workspace.
///
/// # Errors
/// For what it inherits and its workspace does not have.
pub(super) fn alone(mut manifest: Table, folder: &str, workspace: Option<&Workspace<'_>>) -> Result<Table, String> {
    for key in DROPPED {
        manifest.remove(key);
    }
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        *package = fields(std::mem::take(package), folder, workspace)?;
    }
    if manifest.get("lints").is_some_and(inherits) {
        manifest.insert("lints".to_owned(), root(workspace)?.lints()?);
    }
    let edition = manifest.get("package").and_then(|package| package.get("edition")?.as_str());
    let edition = edition.unwrap_or(EDITION).to_owned();
    dependencies(&mut manifest, (folder, &edition), workspace)?;
    if let Some(Value::Table(targets)) = manifest.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            target.as_table_mut().map_or(Ok(()), |target| dependencies(target, (folder, &edition), workspace))?;
        }
    }
    Ok(manifest)
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn root<'a>(workspace: Option<&'a Workspace<'a>>) -> Result<&'a Workspace<'a>, String> {
    workspace.ok_or_else(|| "it inherits from a workspace, and is in none".to_owned())
}

/// The table `package`.
fn fields(package: Table, folder: &str, workspace: Option<&Workspace<'_>>) -> Result<Table, String> {
    let mut fields = Table::new();
    for (key, value) in package.into_iter().filter(|(key, _)| key != "workspace") {
        let inherited = key != "metadata" && inherits(&value);
        let value = if inherited { root(workspace)?.field(&key, folder)? } else { Some(value) };
        fields.extend(value.map(|value| (key, value)));
    }
    Ok(fields)
}

/// The tables of dependencies in `table`.
fn dependencies(table: &mut Table, own: (&str, &str), workspace: Option<&Workspace<'_>>) -> Result<(), String> {
    for key in DEPENDENCIES {
        let Some(Value::Table(dependencies)) = table.get_mut(key) else { continue };
        for (name, value) in dependencies.iter_mut().filter(|(_, value)| inherits(value)) {
            let asked = value.as_table().cloned().unwrap_or_default();
            *value = root(workspace)?.dependency(name, &asked, own)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = r#"
        members = ["*"]
        package = { version = "1.2.3", edition = "2021", authors = ["a"] }
        dependencies = { near = { path = "near" }, far = { version = "1", default-features = false } }
        lints = { rust = { unused = "allow" } }
    "#;

    fn table(text: &str) -> Table {
        text.parse().expect("toml")
    }

    /// What a manifest in the folder `own` comes to in that workspace.
    #[track_caller]
    fn check(manifest: &str, expected: &str) {
        let root = table(ROOT);
        let workspace = Workspace { folder: "", table: &root, readme: None };
        assert_eq!(alone(table(manifest), "own", Some(&workspace)), Ok(table(expected)));
    }

    #[test]
    fn what_is_inherited_is_written_out() {
        check(
            "[package]\nname = 'own'\nversion.workspace = true\nedition = { workspace = true }\nworkspace = '..'",
            "[package]\nname = 'own'\nversion = '1.2.3'\nedition = '2021'",
        );
        check(
            "[package]\nname = 'own'\n[lints]\nworkspace = true",
            "package.name = 'own'\nlints.rust.unused = 'allow'",
        );
        check(
            "[package]\nname = 'own'\n[dependencies]\nnear.workspace = true\nother = '1'\n\
             [target.'cfg(unix)'.build-dependencies]\nfar = { workspace = true, optional = true, features = ['x'] }",
            "[package]\nname = 'own'\n[dependencies]\nnear.path = '../near'\nother = '1'\n\
             [target.'cfg(unix)'.build-dependencies]\n\
             far = { version = '1', default-features = false, optional = true, features = ['x'] }",
        );
    }

    #[test]
    fn what_stands_alone_stays() {
        let manifest = "[package]\nname = 'own'\nedition = '2018'\n[lints.rust]\nunused = 'deny'\n\
                        [features]\nx = []\n[dependencies]\nnear = { path = '../near' }\n[lib]\nproc-macro = true";
        check(manifest, manifest);
        check(
            "[workspace]\nmembers = []\n[profile.release]\nlto = true\n[package]\nname = 'own'\n\
             [patch.crates-io]\na.path = 'a'",
            "[package]\nname = 'own'",
        );
    }

    #[test]
    fn what_is_not_there_is_said() {
        let manifest = || table("[package]\nname = 'own'\nlicense.workspace = true");
        let error = alone(manifest(), "own", None).expect_err("in no workspace");
        assert_eq!(error, "it inherits from a workspace, and is in none");
        let root = table(ROOT);
        let workspace = Workspace { folder: "", table: &root, readme: None };
        let error = alone(manifest(), "own", Some(&workspace)).expect_err("no licence there");
        assert!(error.contains("no `workspace.package.license`"), "{error}");
    }

    #[test]
    fn names_and_versions() {
        let root = table(ROOT);
        let workspace = Workspace { folder: "", table: &root, readme: None };
        for (manifest, expected) in [
            ("[package]\nname = 'a'\nversion = '1.0.0'", Some(("a", "1.0.0"))),
            ("[package]\nname = 'a'", Some(("a", "0.0.0"))),
            ("[package]\nname = 'a'\nversion.workspace = true", Some(("a", "1.2.3"))),
            ("[package]\nversion = '1.0.0'", None),
            ("[workspace]", None),
        ] {
            let found = identity(&table(manifest), Some(&workspace));
            assert_eq!(found.as_ref().map(|(name, version)| (&**name, &**version)), expected, "{manifest}");
        }
    }
}
