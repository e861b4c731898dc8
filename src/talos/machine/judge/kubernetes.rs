//! Versions of Kubernetes, and what the kubelet is told.

use crate::talos::machine::document::{kind, of_kind};
use crate::talos::machine::inventory::Role;
use crate::talos::machine::line::{Form, Line};
use crate::talos::machine::mistake::Mistake;
use crate::yaml::{Node, Place};

/// Where images of Kubernetes are named: the kind of the document, and the path.
const IMAGES: [(&str, &str); 10] = [
    ("", "machine.kubelet.image"),
    ("", "cluster.apiServer.image"),
    ("", "cluster.controllerManager.image"),
    ("", "cluster.scheduler.image"),
    ("", "cluster.proxy.image"),
    ("KubeletConfig", "image"),
    ("KubeAPIServerConfig", "image"),
    ("KubeControllerManagerConfig", "image"),
    ("KubeSchedulerConfig", "image"),
    ("KubeProxyConfig", "image"),
];

/// Fields of the kubelet's configuration that Talos sets itself (`pkg/machinery/kubelet/kubelet.go`).
const PROTECTED: [&str; 13] = [
    "apiVersion",
    "authentication",
    "authorization",
    "cgroupRoot",
    "kind",
    "kubeletCgroups",
    "port",
    "protectKernelDefaults",
    "resolvConf",
    "rotateCertificates",
    "systemCgroups",
    "staticPodPath",
    "seccompDefault",
];

/// A gate for kubelets that are not root, which Talos' is.
const USELESS_GATE: &str = "KubeletInUserNamespace";

/// Each is of a version that the line runs, and of the same.
pub(super) fn images(line: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let named = IMAGES.iter().flat_map(|(of, path)| of_kind(documents, of).filter_map(|document| document.find(path)));
    let mut first: Option<(String, Place)> = None;
    let mut mistakes = Vec::new();
    for image in named {
        let Some(text) = image.as_text() else { continue };
        let Some((version, minor)) = version(text) else {
            let title = format!("`{}` does not say its version", text.escape_debug());
            mistakes.push(Mistake::new(image.at, title, "end it with a tag such as `:v1.33.1`, before any digest"));
            continue;
        };
        let window = line.kubernetes();
        if !window.contains(&minor) {
            let title = format!("Talos {line} does not run Kubernetes {version}");
            let help = format!("take a version from 1.{} to 1.{}", window.start(), window.end());
            mistakes.push(Mistake::new(image.at, title, help));
        }
        match &first {
            Some((other, at)) if *other != version => {
                let title = format!("Kubernetes {version} here, and {other} elsewhere on the node");
                mistakes.push(Mistake::new(image.at, title, "take one version").also(*at, "the other one"));
            }
            Some(_) => {}
            None => first = Some((version, image.at)),
        }
    }
    mistakes
}

/// The version of an image, and its minor number.
fn version(image: &str) -> Option<(String, u64)> {
    let tag = image.split('@').next()?.rsplit_once(':')?.1.strip_prefix('v')?;
    let version = semver::Version::parse(tag).ok()?;
    Some((version.to_string(), version.minor)).filter(|_| version.major == 1)
}

/// What may be done has to be said since 1.14: an API server without these lets nobody do anything.
pub(super) fn authorizers(line: Line, role: Role, documents: &[Node]) -> Vec<Mistake> {
    if line.rest() == Form::Single || role != Role::ControlPlane {
        return Vec::new();
    }
    let there = |kind: &str| {
        of_kind(documents, "KubeAuthorizerConfig")
            .any(|document| document.find("type").and_then(Node::as_text) == Some(kind))
    };
    let missing = ["Node", "RBAC"].into_iter().filter(|kind| !there(kind)).map(|kind| {
        let at = documents.first().map_or(Place::default(), |document| document.at);
        let title = format!("the API server is not told of the authorizer `{kind}`");
        Mistake::new(at, title, format!("add a document `KubeAuthorizerConfig` with `type: {kind}`"))
    });
    missing.collect()
}

/// Flags and fields that do nothing, or against each other.
pub(super) fn kubelet(_: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let kubelets = documents.iter().filter_map(|document| match kind(document) {
        "" => document.find("machine.kubelet").map(|kubelet| (kubelet, "extraConfig")),
        "KubeletConfig" => Some((document, "config")),
        _ => None,
    });
    kubelets.flat_map(|(kubelet, config)| one(kubelet, config)).collect()
}

fn one(kubelet: &Node, config: &str) -> Vec<Mistake> {
    let field = |name: &str| kubelet.find(config)?.as_map()?.entry(name);
    let flag = |name: &str| kubelet.find("extraArgs")?.as_map()?.entry(name);
    let mut mistakes = Vec::new();
    for entry in PROTECTED.iter().filter_map(|name| field(name)) {
        let title = format!("Talos refuses `{}` in the kubelet's configuration: it sets that itself", entry.key);
        mistakes.push(Mistake::new(entry.at, title, "leave it out"));
    }
    let gates =
        flag("feature-gates").filter(|gates| gates.node.as_text().is_some_and(|text| text.contains(USELESS_GATE)));
    let gate = field("featureGates").and_then(|gates| gates.node.as_map()?.entry(USELESS_GATE));
    for entry in gates.into_iter().chain(gate) {
        let title = format!("`{USELESS_GATE}` is for kubelets that are not root, and Talos' is");
        mistakes.push(Mistake::new(entry.at, title, "leave it out"));
    }
    let Some(cores) = flag("reserved-cpus").or(field("reservedSystemCPUs")) else { return mistakes };
    let flags = ["kube-reserved", "system-reserved"].into_iter().filter_map(flag);
    let flags = flags.filter(|entry| entry.node.as_text().is_some_and(|text| text.contains("cpu=")));
    let fields = ["kubeReserved", "systemReserved"].into_iter().filter_map(field);
    let fields = fields.filter_map(|entry| entry.node.as_map()?.entry("cpu"));
    for entry in flags.chain(fields) {
        let title = format!("the kubelet does not look at `cpu` here where `{}` says which cores", cores.key);
        mistakes.push(Mistake::new(entry.at, title, "leave `cpu` out").also(cores.at, "these are taken"));
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_images() {
        for (image, expected) in [
            ("ghcr.io/siderolabs/kubelet:v1.31.0", Some(31)),
            ("host:5000/kubelet:v1.37.0@sha256:00", Some(37)),
            ("host:5000/kubelet", None),
            ("kubelet:latest", None),
            ("kubelet:v2.0.0", None),
        ] {
            assert_eq!(version(image).map(|(_, minor)| minor), expected, "{image}");
        }
    }
}
