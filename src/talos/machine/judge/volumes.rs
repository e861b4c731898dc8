//! What a volume can be in a line.

use crate::talos::machine::document::of_kind;
use crate::talos::machine::inventory::Role;
use crate::talos::machine::line::Line;
use crate::talos::machine::mistake::Mistake;
use crate::yaml::Node;

pub(super) fn volumes(line: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for volume in of_kind(documents, "UserVolumeConfig") {
        mistakes.extend(filesystem(line, volume).into_iter().chain(disk(volume)));
        let options = volume.find("mount").and_then(Node::as_map).into_iter().flat_map(|mount| mount.iter());
        for option in options.filter(|option| !line.mount_options().contains(&option.key.as_str())) {
            let title = format!("Talos {line} can't mount a volume with `{}`", option.key.escape_debug());
            mistakes.push(Mistake::new(option.at, title, instead(line)));
        }
    }
    mistakes
}

/// A patch of a volume that the inventory does not have would make one.
fn disk(volume: &Node) -> Option<Mistake> {
    if volume.find("provisioning.diskSelector.match").is_some() {
        return None;
    }
    let name = volume.find("name").unwrap_or(volume);
    let title = format!("no disk is chosen for the volume `{}`", name.as_text().unwrap_or_default().escape_debug());
    Some(Mistake::new(name.at, title, "add it to `volumes` of the node in the inventory, or drop what is said of it"))
}

fn filesystem(line: Line, volume: &Node) -> Option<Mistake> {
    let said = volume.find("filesystem.type")?;
    let wrong = said.as_text().filter(|name| !line.file_systems().contains(name))?;
    let title = format!("Talos {line} makes no `{}` on a volume", wrong.escape_debug());
    let known = line.file_systems().join("` or `");
    Some(Mistake::new(said.at, title, format!("take `{known}`")))
}

/// What to do about an option of mount.
fn instead(line: Line) -> String {
    let known = line.mount_options().join("` and `");
    if known.is_empty() {
        "leave it out: its options are fixed before 1.13, which has `disableAccessTime` for `noatime`".to_owned()
    } else {
        format!("there are `{known}`; `disableAccessTime` is `noatime`, and barriers can't be turned off")
    }
}
