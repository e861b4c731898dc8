//! Disks: the one that Talos goes on, and the volumes that have one each.

use crate::talos::machine::document::{document, single};
use crate::talos::machine::inventory::{Choice, Machine, Volume, written};
use crate::talos::machine::line::{Form, Line};
use crate::yaml::Node;

pub(super) fn documents(line: Line, node: &Machine) -> Vec<Node> {
    let system = match line.rest() {
        Form::Single => install(&node.system),
        Form::Many => unattended(&node.system),
    };
    std::iter::once(system).chain(node.volumes.iter().map(volume)).collect()
}

fn install(system: &Choice) -> Node {
    let at = system.at;
    let fields = [("serial", &system.serial), ("model", &system.model), ("type", &system.transport)];
    let selector = fields.into_iter().filter_map(|(name, text)| Some((name, Node::text(at, text.as_ref()?))));
    let install = Node::map(at, [("diskSelector", Node::map(at, selector))]);
    single(at, [("machine", Node::map(at, [("install", install)]))])
}

fn unattended(system: &Choice) -> Node {
    let at = system.at;
    let provisioning = Node::map(at, [("diskSelector", selector(system, system.expression()))]);
    document(at, "UnattendedInstallConfig", [("provisioning", provisioning)])
}

fn volume(volume: &Volume) -> Node {
    let (at, disk) = (volume.name.at, &volume.disk);
    let mut provisioning = vec![("diskSelector", selector(disk, format!("!system_disk && {}", disk.expression())))];
    provisioning.extend(disk.min.map(|min| ("minSize", Node::text(disk.at, written(min)))));
    provisioning.push(("grow", Node::bool(disk.at, true)));
    let filesystem = Node::map(at, [("type", Node::text(volume.filesystem.at, &volume.filesystem.value))]);
    let entries = [
        ("name", Node::text(at, &volume.name.value)),
        ("provisioning", Node::map(disk.at, provisioning)),
        ("filesystem", filesystem),
    ];
    document(at, "UserVolumeConfig", entries)
}

fn selector(disk: &Choice, expression: String) -> Node {
    Node::map(disk.at, [("match", Node::text(disk.at, expression))])
}
