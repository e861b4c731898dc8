//! Fields that do nothing, and fields that have another place in later versions.

use super::walk;
use crate::talos::machine::document::kind;
use crate::talos::machine::inventory::Role;
use crate::talos::machine::line::Line;
use crate::talos::machine::mistake::Mistake;
use crate::yaml::Node;

/// A field of the document without a kind that should not be there.
struct Row {
    path: &'static str,
    /// The first line in which it is so.
    since: Line,
    /// What it is: the end of "`field` …".
    why: &'static str,
    instead: &'static str,
}

/// A field that does nothing in any version that is known here.
const fn never(path: &'static str, why: &'static str, instead: &'static str) -> Row {
    Row { path, since: Line::new(1, 0), why, instead }
}

/// A field that is said in documents of their own since that minor version: the schema has it no more.
const fn moved(path: &'static str, minor: u64, instead: &'static str) -> Row {
    Row { path, since: Line::new(1, minor), why: "has a document of its own", instead }
}

/// A field that does nothing since that minor version.
const fn always(path: &'static str, minor: u64) -> Row {
    Row { path, since: Line::new(1, minor), why: "is always so", instead: "leave it out" }
}

/// Read from the schemas of 1.10.3, 1.11.0, 1.12.0, 1.13.9 and 1.14.1, and from the notes on what is deprecated in
/// `pkg/machinery/config/types/v1alpha1/v1alpha1_types.go` of 1.14.1.
const ROWS: [Row; 52] = [
    never("persist", "is always so, and is in no schema", "leave it out"),
    never(
        "machine.install.extensions",
        "brings a warning and installs nothing",
        "put the extensions into the image of the installer",
    ),
    never(
        "machine.install.extraKernelArgs",
        "is read for GRUB alone: systemd-boot starts an image that has its command line in it",
        "put them on the command line of the image",
    ),
    never("machine.install.disk", "names a disk that may have another name at the next boot", "use `diskSelector`"),
    never("machine.disks", "is in no schema", "use `UserVolumeConfig`"),
    moved("machine.systemDiskEncryption", 11, "`VolumeConfig`"),
    moved("machine.network", 12, "`HostnameConfig`, `LinkConfig`, `BondConfig`, `VLANConfig`, `ResolverConfig`"),
    moved("machine.time", 12, "`TimeSyncConfig`"),
    moved("machine.registries", 12, "`RegistryMirrorConfig`, `RegistryTLSConfig`, `RegistryAuthConfig`"),
    always("machine.features.rbac", 12),
    always("machine.features.apidCheckExtKeyUsage", 12),
    moved("machine.features.stableHostname", 12, "`HostnameConfig`"),
    moved("machine.env", 13, "`EnvironmentConfig`"),
    moved("machine.install", 14, "`UnattendedInstallConfig`"),
    moved("machine.kubelet", 14, "`KubeletConfig`, `KubeNodeConfig`"),
    moved("machine.kernel", 14, "`KernelModuleConfig`"),
    moved("machine.sysctls", 14, "`SysctlConfig`"),
    moved("machine.sysfs", 14, "`SysfsConfig`"),
    moved("machine.udev", 14, "`UdevRulesConfig`"),
    moved("machine.files", 14, "`EtcFileConfig`, `CRICustomizationConfig`"),
    moved("machine.pods", 14, "`KubeStaticPodConfig`"),
    moved("machine.controlPlane", 14, "`KubeControllerManagerConfig`, `KubeSchedulerConfig`"),
    moved("machine.baseRuntimeSpecOverrides", 14, "`CRIBaseRuntimeSpecConfig`"),
    moved("machine.nodeLabels", 14, "`KubeNodeConfig`"),
    moved("machine.nodeAnnotations", 14, "`KubeNodeConfig`"),
    moved("machine.nodeTaints", 14, "`KubeNodeConfig`"),
    moved("machine.features.hostDNS", 14, "`ResolverConfig`"),
    moved("machine.features.kubePrism", 14, "`KubePrismConfig`"),
    moved("machine.features.imageCache", 14, "`ImageCacheConfig`"),
    moved("machine.features.kubernetesTalosAPIAccess", 14, "`KubeTalosAPIAccessConfig`"),
    moved("cluster.id", 14, "`DiscoveryIdentityConfig`"),
    moved("cluster.secret", 14, "`DiscoveryIdentityConfig`"),
    moved("cluster.clusterName", 14, "`KubeClusterConfig`"),
    moved("cluster.controlPlane", 14, "`KubeClusterConfig`, `KubeAPIServerConfig`"),
    moved("cluster.network", 14, "`KubeNetworkConfig`; `KubeFlannelCNIConfig` is left out for no plugin"),
    moved("cluster.ca", 14, "`KubeAPIServerCAConfig`"),
    moved("cluster.acceptedCAs", 14, "`KubeAPIServerCAConfig`"),
    moved("cluster.aggregatorCA", 14, "`KubeAggregatorCAConfig`"),
    moved("cluster.serviceAccount", 14, "`KubeServiceAccountConfig`"),
    moved("cluster.secretboxEncryptionSecret", 14, "`KubeEtcdEncryptionConfig`"),
    moved("cluster.aescbcEncryptionSecret", 14, "`KubeEtcdEncryptionConfig`"),
    moved("cluster.apiServer", 14, "`KubeAPIServerConfig`"),
    moved("cluster.controllerManager", 14, "`KubeControllerManagerConfig`"),
    moved("cluster.scheduler", 14, "`KubeSchedulerConfig`"),
    moved("cluster.proxy", 14, "`KubeProxyConfig`, with `enabled: false`"),
    moved("cluster.coreDNS", 14, "`KubeCoreDNSConfig`"),
    moved("cluster.discovery", 14, "`DiscoveryServiceConfig`"),
    moved("cluster.extraManifests", 14, "`KubeExternalManifestConfig`"),
    moved("cluster.extraManifestHeaders", 14, "`KubeExternalManifestConfig`"),
    moved("cluster.inlineManifests", 14, "`KubeInlineManifestConfig`"),
    moved("cluster.allowSchedulingOnControlPlanes", 14, "`KubeNodeConfig`, without its taint"),
    moved("cluster.allowSchedulingOnMasters", 2, "`allowSchedulingOnControlPlanes`"),
];

pub(super) fn deprecated(line: Line, _: Role, documents: &[Node]) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for document in documents.iter().filter(|document| kind(document).is_empty()) {
        walk(document, "", &mut |path, entry| {
            let row = ROWS.iter().find(|row| row.path == path && row.since <= line);
            mistakes.extend(row.map(|row| {
                let since = if row.since > Line::new(1, 0) { format!(" since {}", row.since) } else { String::new() };
                let help =
                    if row.instead.starts_with('`') { format!("use {}", row.instead) } else { row.instead.into() };
                Mistake::new(entry.at, format!("`{path}` {}{since}", row.why), help)
            }));
        });
    }
    mistakes
}
