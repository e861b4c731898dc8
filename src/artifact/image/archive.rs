//! A layout as one file, for programs that read an image from a pipe: a tar archive that has one form.
//!
//! podman reads it as it is (`oci-archive`). docker wants to be told again what it holds, in a file `manifest.json`
//! at the top, and then takes the same blobs.

use std::collections::BTreeMap;
use std::io::Write;

use super::super::Error;
use super::layout::BLOBS;
use super::tarball;
use crate::path::RelPath;
use crate::store::{Blob, Store, TreeBuilder};

/// What docker is told.
#[derive(Clone, Copy, Debug)]
pub struct Docker<'a> {
    /// What the image will be called: `name:tag`.
    pub name: &'a str,
    /// Its configuration.
    pub config: &'a Blob,
    /// Its layers in their order.
    pub layers: &'a [Blob],
}

/// Writes the layout `layout` as an archive.
///
/// # Errors
/// Where `out` or the store fails.
pub fn archive<W: Write>(store: &Store, layout: &Blob, docker: Option<Docker<'_>>, out: W) -> Result<W, Error> {
    let mut tree = TreeBuilder::new();
    tree.graft(store, None, &layout.digest)?;
    if let Some(docker) = docker {
        tree.file(&RelPath::constant("manifest.json"), store.put(docker.manifest().as_bytes())?, false)?;
    }
    tarball::write(store, &tree.finish(store)?.digest, &BTreeMap::new(), out)
}

impl Docker<'_> {
    /// As `docker save` writes it.
    fn manifest(&self) -> String {
        let path = |blob: &Blob| format!("{BLOBS}/{}", blob.digest.hex());
        let layers: Vec<String> = self.layers.iter().map(path).collect();
        let image = serde_json::json!({"Config": path(self.config), "RepoTags": [self.name], "Layers": layers});
        serde_json::Value::from(vec![image]).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn what_docker_reads() {
        let blob = |text: &str| Blob { digest: Digest::of(text.as_bytes()), size: 1 };
        let docker = Docker { name: "app:latest", config: &blob("c"), layers: &[blob("a"), blob("a")] };
        let hex = |text: &str| Digest::of(text.as_bytes()).hex();
        let want = format!(
            r#"[{{"Config":"blobs/sha256/{}","Layers":["blobs/sha256/{a}","blobs/sha256/{a}"],"RepoTags":["app:latest"]}}]"#,
            hex("c"),
            a = hex("a")
        );
        assert_eq!(docker.manifest(), want);
    }
}
