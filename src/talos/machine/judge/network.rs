//! That Cilium is alone, and that links are named by what they are.

use super::walk;
use crate::talos::machine::document::{kind, of_kind};
use crate::talos::machine::inventory::Role;
use crate::talos::machine::line::{Form, Line};
use crate::talos::machine::mistake::Mistake;
use crate::yaml::{Node, Place, Value};

/// Places in which links are named: the kind of the document, and the path.
const LINKS: [(&str, &str); 6] = [
    ("", "machine.network.interfaces.interface"),
    ("", "machine.network.interfaces.bond.interfaces"),
    ("", "machine.network.interfaces.bridge.interfaces"),
    ("LinkConfig", "name"),
    ("BondConfig", "links"),
    ("VLANConfig", "parent"),
];

/// Talos brings Flannel and kube-proxy where nobody says that it should not; the control planes apply both.
pub(super) fn plugin(line: Line, role: Role, documents: &[Node]) -> Vec<Mistake> {
    if role != Role::ControlPlane {
        return Vec::new();
    }
    match line.rest() {
        Form::Single => single(documents),
        Form::Many => many(documents),
    }
}

fn single(documents: &[Node]) -> Vec<Mistake> {
    let of = |path: &str| of_kind(documents, "").find_map(|document| document.find(path));
    let plugin = of("cluster.network.cni.name").filter(|name| name.as_text() == Some("none"));
    let proxy = of("cluster.proxy.disabled").filter(|disabled| disabled.value == Value::Bool(true));
    let nearest = |paths: [&str; 3]| paths.into_iter().find_map(of).map_or(top(documents), |node| node.at);
    let flannel = || {
        let at = nearest(["cluster.network.cni.name", "cluster.network.cni", "cluster.network"]);
        Mistake::new(at, "Talos installs Flannel beside Cilium", "add `cluster.network.cni: {name: none}`")
    };
    let kube_proxy = || {
        let at = nearest(["cluster.proxy.disabled", "cluster.proxy", "cluster"]);
        Mistake::new(at, "Talos installs kube-proxy beside Cilium", "add `cluster.proxy: {disabled: true}`")
    };
    [plugin.is_none().then(flannel), proxy.is_none().then(kube_proxy)].into_iter().flatten().collect()
}

fn many(documents: &[Node]) -> Vec<Mistake> {
    let flannel = of_kind(documents, "KubeFlannelCNIConfig").map(|document| {
        let at = document.find("kind").map_or(document.at, |kind| kind.at);
        Mistake::new(at, "Talos installs Flannel beside Cilium", "drop the document")
    });
    let proxy = of_kind(documents, "KubeProxyConfig").next();
    let enabled = proxy.and_then(|document| document.find("enabled"));
    let off = enabled.is_some_and(|enabled| enabled.value == Value::Bool(false));
    let on = (!off).then(|| {
        let at = enabled.or(proxy).map_or(top(documents), |node| node.at);
        Mistake::new(at, "Talos installs kube-proxy beside Cilium", "add a `KubeProxyConfig` with `enabled: false`")
    });
    flannel.chain(on).collect()
}

fn top(documents: &[Node]) -> Place {
    of_kind(documents, "").next().or(documents.first()).map_or(Place::default(), |document| document.at)
}

/// Names such as `eth0`, which no link has while names are predictable (`net.ifnames` is not on the command line).
pub(super) fn names(line: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for document in documents {
        walk(document, "", &mut |path, entry| {
            if LINKS.contains(&(kind(document), path)) {
                let named = std::iter::once(&entry.node).chain(entry.node.items());
                mistakes.extend(named.filter(|name| name.as_text().is_some_and(is_kernel_name)).map(|name| {
                    let title = format!(
                        "no link is called `{}`: names come from where a card sits",
                        name.as_text().unwrap_or_default()
                    );
                    let help = match line.network() {
                        Form::Single => "use `deviceSelector`, or `bond.deviceSelectors`, with the `permanentAddr`",
                        Form::Many => "name it by a `LinkAliasConfig` with its permanent address",
                    };
                    Mistake::new(name.at, title, help)
                }));
            }
        });
    }
    mistakes
}

fn is_kernel_name(name: &str) -> bool {
    name.strip_prefix("eth").is_some_and(|number| {
        let number = number.split('.').next().unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
