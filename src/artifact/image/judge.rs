//! Whether an image can run, and is as a good image is. What is wrong is found here and not when it is first started:
//!
//! | rule | looked for |
//! |---|---|
//! | its program is there | the first word of the entrypoint |
//! | the folder it starts in is there | `workdir` |
//! | its own programs and libraries are of its architecture | the header |
//! | its own programs find their loader | `PT_INTERP` |
//! | they find their libraries | `DT_NEEDED` in folders of their own (`DT_RUNPATH`), `LD_LIBRARY_PATH`, the loader's |
//! | these have the versions of symbols that are needed | `.gnu.version_r` of the one, `.gnu.version_d` of the other |
//! | what has attributes is there, links lead somewhere | the recipe |
//! | there is no shell in it, unless a waiver says why | the usual names |

use super::super::Error;
use super::layer::{Made, places};
use super::linkage::Linkage;
use super::root::Root;
use crate::derivation::Image;
use crate::store::{Blob, Node, Output, Store};

/// Programs that run scripts of a shell.
const SHELLS: [&str; 10] = ["ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "sh", "tcsh", "zsh"];

/// Judges the image whose file system is `tree`, of these layers.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn judge(store: &Store, image: &Image<Output>, tree: &Blob, layers: &[Made]) -> Result<(), Error> {
    let linkage = |layer: &Made| Linkage::get(store, &layer.linkage);
    let look = Look {
        image,
        root: Root::new(store, tree.digest),
        layers: layers.iter().map(linkage).collect::<Result<_, _>>()?,
    };
    let mut wrong = look.program()?;
    wrong.extend(look.present()?);
    wrong.extend(look.shells()?);
    for (_, linkage) in layers.iter().zip(&look.layers).filter(|(layer, _)| image.own.contains(&layer.name)) {
        wrong.extend(look.links(linkage)?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Refused(wrong.join("\n"))) }
}

/// An image that is looked at.
pub(super) struct Look<'a> {
    pub(super) image: &'a Image<Output>,
    /// Its file system.
    pub(super) root: Root<'a>,
    /// The programs and libraries of its layers.
    pub(super) layers: Vec<Linkage>,
}

impl Look<'_> {
    /// What an absolute path leads to.
    pub(super) fn at(&self, path: &str) -> Result<Option<Node>, Error> {
        self.root.follow(path)
    }

    /// What is wrong with how it is started.
    fn program(&self) -> Result<Vec<String>, Error> {
        let config = &self.image.config;
        let mut wrong = Vec::new();
        if let Some(program) = config.entrypoint.first() {
            match self.at(program)? {
                Some(Node::File { executable: true, .. }) => {}
                Some(_) => wrong.push(format!("its entrypoint {program} is not a program")),
                None => wrong.push(format!("its entrypoint {program} is not in it: add it to [files]")),
            }
        }
        if let Some(workdir) = &config.workdir
            && !matches!(self.at(workdir)?, Some(Node::Directory(_)))
        {
            wrong.push(format!("its `workdir` {workdir} is no folder of it: add it to [directories]"));
        }
        Ok(wrong)
    }

    /// What the recipe names and is not there.
    fn present(&self) -> Result<Vec<String>, Error> {
        let mut wrong = Vec::new();
        for path in &self.image.present {
            if self.root.node(path)?.is_none() {
                wrong.push(format!("[attributes] names /{path}, which is not in it"));
            }
        }
        for place in places(&self.image.links)?.keys() {
            if self.at(&format!("/{place}"))?.is_none() {
                wrong.push(format!("the link /{place} leads nowhere"));
            }
        }
        Ok(wrong)
    }

    fn shells(&self) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for (folder, name) in ["/usr/bin", "/usr/sbin"].iter().flat_map(|folder| SHELLS.map(|name| (folder, name))) {
            let path = format!("{folder}/{name}");
            found.extend(self.at(&path)?.map(|_| path));
        }
        Ok(match (&self.image.waivers.shell, found.is_empty()) {
            (None, false) => {
                let help = "leave out what brings it, or say in `waivers.shell` why it is needed";
                vec![format!("there is a shell in it, {}: {help}", found.join(", "))]
            }
            (Some(_), true) => vec!["`waivers.shell` says why there is a shell, and there is none: drop it".to_owned()],
            _ => Vec::new(),
        })
    }
}
