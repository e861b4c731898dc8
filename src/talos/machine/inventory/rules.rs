//! What must hold between the parts of an inventory.

use std::collections::BTreeMap;

use super::{Choice, Inventory, Machine, Network, Role, Said, net};
use crate::talos::machine::mistake::Mistake;
use crate::yaml::Place;

/// The longest name that a user volume may have (`user_volume_config.go`).
const VOLUME_MAX: usize = 34;

/// Whether a user volume may be called so.
pub(super) fn is_volume(name: &str) -> bool {
    net::is_label(name) && name.len() <= VOLUME_MAX
}

/// Notes every mistake.
pub(super) fn check(inventory: &Inventory, mistakes: &mut Vec<Mistake>) {
    let nodes = &inventory.nodes;
    mistakes.extend(mtus(&inventory.network));
    mistakes.extend(quorum(nodes));
    mistakes.extend(twice(nodes));
    for node in nodes {
        mistakes.extend(place_of(node, nodes));
        disks(node, mistakes);
    }
}

/// What is put on a link must fit into what carries it.
fn mtus(network: &Network) -> Vec<Mistake> {
    let Network { bond_mtu: bond, public_mtu: public, private_mtu: private, .. } = network;
    let over = [("public", public), ("private", private)].into_iter().filter(|(_, mtu)| mtu.value > bond.value);
    let mistake = |(name, mtu): (&str, &Said<i64>)| {
        let title = format!(
            "frames of {} bytes of the {name} network do not fit the bond, which has {}",
            mtu.value, bond.value
        );
        Mistake::new(mtu.at, title, "raise the one of the bond, if its ports and switches take it, or lower this one")
            .also(bond.at, "the bond's")
    };
    over.map(mistake).collect()
}

/// etcd goes on while more than half of its members are there.
fn quorum(nodes: &[Machine]) -> Option<Mistake> {
    let members: Vec<&Machine> = nodes.iter().filter(|node| node.role.value == Role::ControlPlane).collect();
    let at = members.last().copied().or(nodes.first())?.role.at;
    let title = match members.len() {
        0 => "no node is a control plane".to_owned(),
        count if count % 2 == 0 => format!("of {count} control planes no more may fail than of {}", count - 1),
        _ => return None,
    };
    Some(Mistake::new(at, title, "take an odd number of them: one, three or five"))
}

/// What each node has to itself.
fn twice(nodes: &[Machine]) -> Vec<Mistake> {
    let mut seen = BTreeMap::<(&str, String), Place>::new();
    let mut mistakes = Vec::new();
    for (what, text, at) in nodes.iter().flat_map(own) {
        if let Some(first) = seen.get(&(what, text.clone())) {
            let title = format!("two have the {what} `{text}`");
            mistakes.push(Mistake::new(at, title, "correct one of them").also(*first, "the other one"));
        } else {
            seen.insert((what, text), at);
        }
    }
    mistakes
}

fn own(node: &Machine) -> Vec<(&'static str, String, Place)> {
    let Machine { name, ports, public, private, disks, .. } = node;
    let mut own = vec![
        ("name", name.value.clone(), name.at),
        ("address", public.value.address.to_string(), public.at),
        ("address", private.value.address.to_string(), private.at),
    ];
    own.extend(ports.iter().map(|port| ("port", port.value.clone(), port.at)));
    own.extend(disks.iter().map(|disk| ("disk", disk.serial.value.clone(), disk.serial.at)));
    own
}

/// What is wrong with a node's place in the networks.
fn place_of(node: &Machine, nodes: &[Machine]) -> Vec<Mistake> {
    let Machine { name, ports, public, gateway, private, .. } = node;
    let mut mistakes = Vec::new();
    let router = net::address(&gateway.value);
    if router.is_none_or(|router| router == public.value.address || !public.value.holds(router)) {
        let title = format!("`{}` can't reach its gateway {} from {}", name.value, gateway.value, public.value);
        mistakes.push(Mistake::new(gateway.at, title, "write another address of the same network"));
    }
    let first = &nodes[0].private;
    if private.value.network() != first.value.network() {
        let title = format!("{} is not in the private network of the others, {}", private.value, first.value.network());
        mistakes.push(Mistake::new(private.at, title, "one VLAN is one network").also(first.at, "another one"));
    }
    if ports.len() < 2 {
        let title = format!("the bond of `{}` has one port", name.value);
        mistakes.push(Mistake::new(ports[0].at, title, "name the permanent addresses of both ports"));
    }
    mistakes
}

/// Tries the choices of disks on those that are built in.
fn disks(node: &Machine, mistakes: &mut Vec<Mistake>) {
    let system = std::iter::once(("the system".to_owned(), &node.system));
    let volumes = node.volumes.iter().map(|volume| (format!("the volume `{}`", volume.name.value), &volume.disk));
    let mut taken = BTreeMap::<usize, Place>::new();
    for (what, choice) in system.chain(volumes) {
        let fitting: Vec<usize> = (0..node.disks.len()).filter(|disk| choice.fits(&node.disks[*disk])).collect();
        // Talos leaves the disk that it is on out of what volumes may have.
        let free: Vec<usize> =
            fitting.iter().copied().filter(|disk| taken.get(disk) != Some(&node.system.at)).collect();
        match free[..] {
            [disk] => match taken.get(&disk) {
                Some(other) => mistakes.push(taken_twice(&what, node, disk, choice, *other)),
                None => _ = taken.insert(disk, choice.at),
            },
            [] => mistakes.push(Mistake::new(
                choice.at,
                format!("`{}` has no disk for {what}: none is {}", node.name.value, choice.expression()),
                format!("choose one that it has, or add it to `disks`: there are {}", serials(node)),
            )),
            _ => mistakes.push(Mistake::new(
                choice.at,
                format!("`{}` has {} disks that would do for {what}", node.name.value, free.len()),
                "say more of the one that is meant: its `serial`, or bounds of its size",
            )),
        }
    }
}

fn taken_twice(what: &str, node: &Machine, disk: usize, choice: &Choice, other: Place) -> Mistake {
    let title =
        format!("the disk `{}` of `{}` is taken when {what} wants it", node.disks[disk].serial.value, node.name.value);
    Mistake::new(choice.at, title, "choose another one").also(other, "taken here")
}

fn serials(node: &Machine) -> String {
    node.disks.iter().map(|disk| format!("`{}`", disk.serial.value)).collect::<Vec<_>>().join(", ")
}
