//! The platform's own machines, and each line of the first specification of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::inventory::Role;
use super::*;
use crate::yaml::{Map, Node, Place, Value, read, write};

const OLD: Line = Line::new(1, 10);
const NEW: Line = Line::new(1, 14);
const INVENTORY: &str = include_str!("../../../deploy/talos/inventory.yaml");
/// Of every line.
const ANY: [(&str, &str); 1] = [("worker", include_str!("../../../deploy/talos/any/worker.yaml"))];

fn patches_of(line: Line) -> [(&'static str, &'static str); 3] {
    if line == OLD {
        [
            ("all", include_str!("../../../deploy/talos/1.10/all.yaml")),
            ("control-plane", include_str!("../../../deploy/talos/1.10/control-plane.yaml")),
            ("worker", include_str!("../../../deploy/talos/1.10/worker.yaml")),
        ]
    } else {
        [
            ("all", include_str!("../../../deploy/talos/1.14/all.yaml")),
            ("control-plane", include_str!("../../../deploy/talos/1.14/control-plane.yaml")),
            ("worker", include_str!("../../../deploy/talos/1.14/worker.yaml")),
        ]
    }
}

fn inventory() -> Node {
    read(INVENTORY, 0).expect("YAML").remove(0)
}

fn patches(line: Line) -> Vec<Patch> {
    let patch = |(number, (name, text)): (usize, &(&str, &str))| {
        let at = Place { file: number + 1, start: 0, end: 0 };
        Patch { name: (*name).to_owned(), documents: read(text, number + 1).expect("YAML"), at }
    };
    ANY.iter().chain(&patches_of(line)).enumerate().map(patch).collect()
}

/// A schema that takes every field; the real ones are tried where they are to be had.
fn lax(line: Line) -> Schema {
    let names = [
        "BondConfig",
        "FilesystemTrimConfig",
        "HostnameConfig",
        "KubeAPIServerConfig",
        "KubeAdmissionControlConfig",
        "KubeAuditPolicyConfig",
        "KubeAuthenticationConfig",
        "KubeAuthorizerConfig",
        "KubeClusterConfig",
        "KubeControllerManagerConfig",
        "KubeCoreDNSConfig",
        "KubeNetworkConfig",
        "KubeNodeConfig",
        "KubePrismConfig",
        "KubeProxyConfig",
        "KubeSchedulerConfig",
        "KubeletConfig",
        "LinkAliasConfig",
        "ResolverConfig",
        "SysctlConfig",
        "UnattendedInstallConfig",
        "UserVolumeConfig",
        "VLANConfig",
        "VolumeConfig",
    ];
    let mut kinds: serde_json::Map<String, serde_json::Value> = names
        .map(|kind| (kind.to_owned(), json!({ "properties": { "kind": { "enum": [kind] } } })))
        .into_iter()
        .collect();
    kinds.insert("v1alpha1.Config".to_owned(), json!({}));
    let schema = json!({ "$id": format!("https://talos.dev/v{line}/schemas/config.schema.json"), "$defs": kinds });
    Schema::read(schema.to_string().as_bytes(), line).expect("a schema")
}

fn rendered(line: Line) -> BTreeMap<String, Vec<Node>> {
    let inventory = Inventory::read(&inventory()).expect("sound");
    render(line, &lax(line), &inventory, &patches(line)).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
}

#[test]
fn golden() {
    for (line, node, expected) in [
        (OLD, "control-plane-1", include_str!("golden/1.10/control-plane-1.yaml")),
        (OLD, "validator-1", include_str!("golden/1.10/validator-1.yaml")),
        (NEW, "control-plane-1", include_str!("golden/1.14/control-plane-1.yaml")),
        (NEW, "validator-1", include_str!("golden/1.14/validator-1.yaml")),
    ] {
        let all = rendered(line);
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        assert_eq!(names, ["control-plane-1", "control-plane-2", "control-plane-3", "validator-1"]);
        let text = write(&all[node]);
        assert!(text == expected, "{line} {node} is another:\n{text}");
    }
}

#[test]
fn nodes_of_a_role_differ_in_what_the_inventory_says() {
    for line in [OLD, NEW] {
        let all = rendered(line);
        let second = write(&all["control-plane-2"]).replace("00:02:0", "00:01:0").replace("CP2", "CP1");
        let second = second.replace("control-plane-2", "control-plane-1");
        let own = |text: String| text.replace(".12/", ".11/");
        assert_eq!(own(second), write(&all["control-plane-1"]));
    }
}

/// What becomes of a line of the specification in 1.10.
enum Fate {
    /// It stands as it is in a node of the role.
    Kept(Role),
    /// The same is said there.
    Moved(Role, &'static str),
    /// It is refused: the beginning of what is told.
    Refused(&'static str),
}

use Fate::{Kept, Moved, Refused};
use Role::{ControlPlane, Worker};

/// Every line of section 4 of the specification, "Talos OS Configuration".
const SPECIFICATION: [(&str, Fate); 57] = [
    ("version: v1alpha1", Kept(ControlPlane)),
    ("debug: false", Kept(ControlPlane)),
    ("persist: true", Refused("`persist` is always so")),
    ("machine: {type: controlplane}", Kept(ControlPlane)),
    ("machine: {token: \"${TALOS_TOKEN}\"}", Refused("`machine.token` is a secret")),
    ("machine: {ca: {crt: \"${TALOS_CA_CRT}\"}}", Refused("`machine.ca` is a secret")),
    ("machine: {ca: {key: \"${TALOS_CA_KEY}\"}}", Refused("`machine.ca` is a secret")),
    ("machine: {certSANs: [\"${CONTROL_PLANE_VIP}\"]}", Refused("`machine.certSANs` is `${CONTROL_PLANE_VIP}`")),
    ("machine: {certSANs: [\"${CONTROL_PLANE_IPS}\"]}", Refused("`machine.certSANs` is `${CONTROL_PLANE_IPS}`")),
    ("machine: {kubelet: {image: \"ghcr.io/siderolabs/kubelet:v1.31.0\"}}", Kept(ControlPlane)),
    ("machine: {kubelet: {clusterDNS: [10.96.0.10]}}", Kept(ControlPlane)),
    (
        "machine: {kubelet: {extraArgs: {feature-gates: KubeletInUserNamespace=true}}}",
        Refused("`KubeletInUserNamespace` is for kubelets that are not root"),
    ),
    (
        "machine: {kubelet: {extraArgs: {cpu-manager-policy: static}}}",
        Moved(Worker, "machine: {kubelet: {extraConfig: {cpuManagerPolicy: static}}}"),
    ),
    (
        "machine: {kubelet: {extraArgs: {reserved-cpus: 0-3}}}",
        Moved(Worker, "machine: {kubelet: {extraConfig: {reservedSystemCPUs: 0-3}}}"),
    ),
    (
        "machine: {kubelet: {extraArgs: {reserved-cpus: 0-3, kube-reserved: \"cpu=2,memory=4Gi\"}}}",
        Refused("the kubelet does not look at `cpu` here where `reserved-cpus`"),
    ),
    (
        "machine: {kubelet: {extraArgs: {kube-reserved: memory=4Gi}}}",
        Moved(Worker, "machine: {kubelet: {extraConfig: {kubeReserved: {memory: 4Gi}}}}"),
    ),
    (
        "machine: {kubelet: {extraArgs: {reserved-cpus: 0-3, system-reserved: \"cpu=2,memory=4Gi\"}}}",
        Refused("the kubelet does not look at `cpu` here where `reserved-cpus`"),
    ),
    (
        "machine: {kubelet: {extraArgs: {system-reserved: memory=4Gi}}}",
        Moved(Worker, "machine: {kubelet: {extraConfig: {systemReserved: {memory: 4Gi}}}}"),
    ),
    ("machine: {network: {hostname: \"solana-node-${NODE_ID}\"}}", Refused("`machine.network.hostname` is")),
    ("machine: {network: {interfaces: [{interface: eth0}]}}", Refused("no link is called `eth0`")),
    ("machine: {network: {interfaces: [{interface: bond0, dhcp: false}]}}", Kept(ControlPlane)),
    (
        "machine: {network: {interfaces: [{interface: bond0, addresses: [\"${NODE_IP}/24\"]}]}}",
        Refused("`machine.network.interfaces.addresses` is `${NODE_IP}/24`"),
    ),
    (
        "machine: {network: {interfaces: [{interface: bond0, routes: [{gateway: \"${GATEWAY_IP}\"}]}]}}",
        Refused("`machine.network.interfaces.routes.gateway` is `${GATEWAY_IP}`"),
    ),
    ("machine: {network: {interfaces: [{interface: bond0, mtu: 9000}]}}", Kept(ControlPlane)),
    ("machine: {install: {disk: /dev/nvme0n1}}", Refused("`machine.install.disk` names a disk that may have another")),
    ("machine: {install: {image: \"ghcr.io/our-org/installer:custom-solana-v1.10.3\"}}", Kept(ControlPlane)),
    (
        "machine: {install: {extensions: [{image: \"ghcr.io/our-org/solana-optimizer:latest\"}]}}",
        Refused("`machine.install.extensions` brings a warning and installs nothing"),
    ),
    (
        "machine: {install: {extraKernelArgs: [processor.max_cstate=1, transparent_hugepage=madvise, hugepagesz=2M, \
         hugepages=50000, numa_balancing=1, intel_iommu=on, amd_iommu=on, iommu=pt]}}",
        Refused("`machine.install.extraKernelArgs` is read for GRUB alone"),
    ),
    ("machine: {sysctls: {fs.file-max: \"2000000\"}}", Kept(Worker)),
    ("machine: {sysctls: {fs.nr_open: \"2000000\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.core.somaxconn: \"65535\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.ip_local_port_range: 1024 65535}}", Kept(Worker)),
    ("machine: {sysctls: {net.core.rmem_max: \"268435456\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.core.wmem_max: \"268435456\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.tcp_rmem: 4096 131072 268435456}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.tcp_wmem: 4096 65536 268435456}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.tcp_congestion_control: bbr}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.tcp_syncookies: \"1\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.tcp_max_syn_backlog: \"65536\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.tcp_fin_timeout: \"15\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.ipv4.tcp_tw_reuse: \"1\"}}", Kept(Worker)),
    ("machine: {sysctls: {vm.max_map_count: \"1048576\"}}", Kept(Worker)),
    ("machine: {sysctls: {vm.dirty_ratio: \"50\"}}", Kept(Worker)),
    ("machine: {sysctls: {vm.dirty_background_ratio: \"5\"}}", Kept(Worker)),
    ("machine: {sysctls: {vm.swappiness: \"1\"}}", Kept(Worker)),
    ("machine: {sysctls: {net.netfilter.nf_conntrack_max: \"2000000\"}}", Kept(Worker)),
    ("machine: {kernel: {modules: [{name: tcp_bbr}]}}", Refused("`tcp_bbr` is built into the kernel")),
    ("machine: {kernel: {modules: [{name: sch_fq}]}}", Refused("`sch_fq` is built into the kernel")),
    ("machine: {kernel: {modules: [{name: nf_conntrack}]}}", Refused("`nf_conntrack` is built into the kernel")),
    (
        "machine: {kernel: {modules: [{name: nf_conntrack, parameters: [hashsize=500000]}]}}",
        Refused("`nf_conntrack` is built into the kernel: nothing is loaded, and parameters are lost"),
    ),
    (
        "cluster: {controlPlane: {endpoint: \"https://${CONTROL_PLANE_VIP}:6443\"}}",
        Refused("`cluster.controlPlane.endpoint` is `https://${CONTROL_PLANE_VIP}:6443`"),
    ),
    ("cluster: {clusterName: solana-production}", Kept(ControlPlane)),
    ("cluster: {network: {dnsDomain: cluster.local}}", Kept(ControlPlane)),
    ("cluster: {network: {podSubnets: [10.244.0.0/16]}}", Kept(ControlPlane)),
    ("cluster: {network: {serviceSubnets: [10.96.0.0/12]}}", Kept(ControlPlane)),
    ("cluster: {proxy: {disabled: true}}", Kept(ControlPlane)),
    ("cluster: {network: {cni: {$patch: delete}}}", Refused("Talos installs Flannel beside Cilium")),
];

/// The mistakes that a patch brings into a sound node.
fn brought(line: Line, role: Role, patch: &str) -> Vec<Mistake> {
    let mut documents = node(line, role);
    merge::apply(&mut documents, &read(patch, 9).expect("YAML"));
    judge::judge(line, role, &documents)
}

fn node(line: Line, role: Role) -> Vec<Node> {
    let name = if role == ControlPlane { "control-plane-1" } else { "validator-1" };
    rendered(line).remove(name).expect("there")
}

/// Whether all that `part` says is said in `whole`.
fn has(whole: &Node, part: &Node) -> bool {
    match (&whole.value, &part.value) {
        (Value::Map(whole), Value::Map(part)) => {
            part.iter().all(|entry| whole.get(&entry.key).is_some_and(|node| has(node, &entry.node)))
        }
        (Value::List(whole), Value::List(part)) => part.iter().all(|item| whole.iter().any(|node| has(node, item))),
        (whole, part) => whole == part,
    }
}

#[test]
fn every_line_of_the_specification_is_kept_moved_or_refused() {
    for (text, fate) in &SPECIFICATION {
        let said = |role: Role, text: &str| {
            let documents = node(OLD, role);
            assert!(has(&documents[0], &read(text, 0).expect("YAML")[0]), "{text} is not in the {}", role.name());
        };
        match fate {
            Kept(role) => said(*role, text),
            Moved(role, there) => {
                said(*role, there);
                assert!(!has(&node(OLD, *role)[0], &read(text, 0).expect("YAML")[0]), "{text} is said twice");
            }
            Refused(title) => {
                let mistakes = brought(OLD, ControlPlane, text);
                let told = mistakes.iter().find(|mistake| mistake.title.starts_with(title));
                let told = told.unwrap_or_else(|| panic!("{text}: {mistakes:#?}"));
                assert!(matches!(&told.help, Help::Do(help) if !help.is_empty()), "{told:#?}");
            }
        }
    }
}

#[test]
fn what_each_line_refuses() {
    for (line, role, patch, title) in [
        (
            OLD,
            Worker,
            "kind: UserVolumeConfig\nname: snapshots\nfilesystem: {type: btrfs}",
            "Talos 1.10 makes no `btrfs`",
        ),
        (
            OLD,
            Worker,
            "kind: UserVolumeConfig\nname: ledger\nmount: {disableAccessTime: true}",
            "Talos 1.10 can't mount",
        ),
        (NEW, Worker, "kind: UserVolumeConfig\nname: ledger\nmount: {nobarrier: true}", "Talos 1.14 can't mount"),
        (
            NEW,
            Worker,
            "kind: UserVolumeConfig\nname: more\nmount: {secure: true}",
            "no disk is chosen for the volume `more`",
        ),
        (NEW, Worker, "kind: UserVolumeConfig\nname: ledger\nfilesystem: {type: zfs}", "Talos 1.14 makes no `zfs`"),
        (
            NEW,
            Worker,
            "machine: {sysctls: {vm.swappiness: \"1\"}}",
            "`machine.sysctls` has a document of its own since 1.14",
        ),
        (NEW, Worker, "machine: {network: {hostname: x}}", "`machine.network` has a document of its own since 1.12"),
        (NEW, Worker, "machine: {install: {image: x}}", "`machine.install` has a document of its own since 1.14"),
        (NEW, Worker, "machine: {kubelet: {clusterDNS: []}}", "`machine.kubelet` has a document of its own since 1.14"),
        (NEW, Worker, "cluster: {clusterName: x}", "`cluster.clusterName` has a document of its own since 1.14"),
        (NEW, Worker, "machine: {features: {rbac: true}}", "`machine.features.rbac` is always so since 1.12"),
        (NEW, Worker, "kind: KernelModuleConfig\nname: tcp_bbr", "`tcp_bbr` is built into the kernel"),
        (NEW, Worker, "kind: KubeletConfig\nimage: kubelet:v1.31.0", "Talos 1.14 does not run Kubernetes 1.31.0"),
        (OLD, Worker, "machine: {kubelet: {image: \"kubelet:v1.34.0\"}}", "Talos 1.10 does not run Kubernetes 1.34.0"),
        (OLD, ControlPlane, "machine: {kubelet: {image: \"kubelet:v1.33.1\"}}", "Kubernetes 1.31.0 here, and 1.33.1"),
        (OLD, Worker, "machine: {kubelet: {image: \"kubelet:latest\"}}", "`kubelet:latest` does not say its version"),
        (NEW, Worker, "kind: KubeletConfig\nconfig: {staticPodPath: /x}", "Talos refuses `staticPodPath`"),
        (
            NEW,
            Worker,
            "kind: KubeletConfig\nconfig: {kubeReserved: {cpu: \"2\"}}",
            "the kubelet does not look at `cpu`",
        ),
        (NEW, ControlPlane, "kind: KubeProxyConfig\nenabled: true", "Talos installs kube-proxy beside Cilium"),
        (NEW, ControlPlane, "kind: KubeProxyConfig\n$patch: delete", "Talos installs kube-proxy beside Cilium"),
        (OLD, ControlPlane, "cluster: {proxy: {disabled: false}}", "Talos installs kube-proxy beside Cilium"),
        (OLD, ControlPlane, "cluster: {network: {cni: {name: flannel}}}", "Talos installs Flannel beside Cilium"),
        (NEW, ControlPlane, "kind: KubeFlannelCNIConfig", "Talos installs Flannel beside Cilium"),
        (
            NEW,
            ControlPlane,
            "kind: KubeAuthorizerConfig\nname: rbac\n$patch: delete",
            "the API server is not told of the",
        ),
        (NEW, ControlPlane, "kind: KubeAPIServerCAConfig", "`KubeAPIServerCAConfig` holds a secret"),
        (NEW, ControlPlane, "cluster: {etcd: {ca: {}}}", "`cluster.etcd.ca` is a secret"),
        (NEW, Worker, "kind: LinkConfig\nname: eth0", "no link is called `eth0`"),
        (NEW, Worker, "kind: BondConfig\nname: bond0\nlinks: [eth1]", "no link is called `eth1`"),
        (
            NEW,
            Worker,
            "kind: BondConfig\nname: bond0\nmtu: 1500",
            "VLAN 2064 has frames of 9000 bytes on `bond0`, which has 1500",
        ),
        (
            OLD,
            Worker,
            "machine: {network: {interfaces: [{interface: bond0, vlans: [{vlanId: 2064, mtu: 9100}]}]}}",
            "VLAN 2064 has frames of 9100 bytes on `bond0`, which has 9000",
        ),
        (NEW, Worker, "machine: {type: controlplane}", "a node of the role `worker` is a `worker`"),
    ] {
        let mistakes = brought(line, role, patch);
        assert!(mistakes.iter().any(|mistake| mistake.title.starts_with(title)), "{patch}: {mistakes:#?}");
        assert!(
            mistakes.iter().all(|mistake| mistake.at.file == 9 || mistake.also.is_some() || mistake.at.file == 0),
            "{mistakes:#?}"
        );
    }
}

#[test]
fn the_line_between_has_the_network_apart() {
    let inventory = Inventory::read(&inventory()).expect("sound");
    let documents = generate::documents(Line::new(1, 13), &inventory, &inventory.nodes[0]);
    let single = documents.iter().find(|document| document::kind(document).is_empty()).expect("there");
    assert!(single.find("machine.install.diskSelector.serial").is_some());
    assert!(single.find("machine.network").is_none() && single.find("cluster.clusterName").is_some());
    assert!(document::of_kind(&documents, "BondConfig").count() == 1);
    assert_eq!(document::of_kind(&documents, "KubeClusterConfig").count(), 0);
}

#[test]
fn one_vlan_has_one_size_of_frames() {
    let inventory = Inventory::read(&inventory()).expect("sound");
    let mut patches = patches(NEW);
    let own = "kind: VLANConfig\nname: bond0.2064\nmtu: 1500";
    let at = Place { file: 9, start: 0, end: 0 };
    patches.push(Patch { name: "validator-1".to_owned(), documents: read(own, 9).expect("YAML"), at });
    let mistakes = render(NEW, &lax(NEW), &inventory, &patches).expect_err("two sizes");
    let titles: Vec<&str> = mistakes.iter().map(|mistake| mistake.title.as_str()).collect();
    assert_eq!(titles, ["VLAN 2064 has frames of 9000 bytes on one node and 1500 on another"]);
}

#[test]
fn a_patch_is_for_somebody() {
    let inventory = Inventory::read(&inventory()).expect("sound");
    let at = Place { file: 9, start: 0, end: 0 };
    let stranger = Patch { name: "validator-2".to_owned(), documents: Vec::new(), at };
    let patches: Vec<Patch> = patches(NEW).into_iter().chain([stranger]).collect();
    let mistakes = render(NEW, &lax(NEW), &inventory, &patches).expect_err("a stranger");
    assert_eq!(mistakes[0].title, "no node and no role is called `validator-2`, as this patch is");
}

#[test]
fn a_schema_is_that_of_the_line() {
    for (bytes, why) in [
        ("{}", "it says that it is ``, not that of 1.14"),
        ("x", "it is no JSON"),
        ("{\"$id\": \"https://talos.dev/v1.1/schemas/\"}", "it says that it is `https://talos.dev/v1.1/schemas/`"),
    ] {
        let error = Schema::read(bytes.as_bytes(), NEW).map(|_| ()).expect_err(why);
        assert!(error.starts_with(why), "{error}");
    }
}

#[test]
fn what_a_schema_does_not_have_is_told_at_its_place() {
    let schema = json!({
        "$id": "https://talos.dev/v1.14/schemas/config.schema.json",
        "$defs": {
            "v1alpha1.Config": {
                "properties": { "debug": { "type": "boolean" }, "machine": { "$ref": "#/$defs/machine" } },
                "additionalProperties": false,
            },
            "machine": { "properties": { "type": { "enum": ["worker"] } }, "additionalProperties": false },
            "a": { "properties": { "kind": { "enum": ["SysctlConfig"] }, "params": { "additionalProperties": { "type": "string" } } } },
        },
    });
    let schema = Schema::read(schema.to_string().as_bytes(), NEW).expect("a schema");
    for (text, place, title) in [
        ("debug: yes please", "yes please", "`debug` is not as Talos 1.14 takes it: want boolean, but got string"),
        ("debgu: true", "debgu", "Talos 1.14 has no field `debgu`"),
        ("machine: {typ: worker}", "typ", "Talos 1.14 has no field `machine.typ`"),
        ("machine: {type: init}", "init", "`machine.type` is not as Talos 1.14 takes it"),
        (
            "kind: SysctlConfig\nparams: {a.b: 1}",
            "1",
            "`params.a.b` is not as Talos 1.14 takes it: want string, but got number",
        ),
        ("kind: SysctlConf", "SysctlConf", "Talos 1.14 has no documents of the kind `SysctlConf`"),
    ] {
        let mistakes = schema.judge(&read(text, 0).expect("YAML")[0]);
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        assert!(mistakes[0].title.starts_with(title), "{mistakes:#?}");
        assert_eq!(&text[mistakes[0].at.start..mistakes[0].at.end], place, "{text}");
    }
}

/// The same with the keys of all maps, and the documents of `list`, in another order.
fn shuffled(node: &Node, seed: &mut u64) -> Node {
    let value = match &node.value {
        Value::Map(map) => {
            let entries: Vec<_> = mixed(map.iter().cloned().collect(), seed);
            let mut map = Map::default();
            for mut entry in entries {
                entry.node = shuffled(&entry.node, seed);
                map.insert(entry);
            }
            Value::Map(map)
        }
        Value::List(items) => Value::List(items.iter().map(|item| shuffled(item, seed)).collect()),
        plain => plain.clone(),
    };
    Node { value, at: node.at }
}

fn mixed<T>(mut items: Vec<T>, seed: &mut u64) -> Vec<T> {
    for end in (1..items.len()).rev() {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(end, (*seed >> 33) as usize % (end + 1));
    }
    items
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_order_but_that_of_lists_counts(mut seed in any::<u64>(), old in any::<bool>()) {
        let line = if old { OLD } else { NEW };
        let mut inventory = shuffled(&inventory(), &mut seed);
        if let Value::Map(map) = &mut inventory.value
            && let Some(Node { value: Value::List(nodes), .. }) = map.get_mut("nodes")
        {
            *nodes = mixed(std::mem::take(nodes), &mut seed);
        }
        let mut patches = mixed(patches(line), &mut seed);
        for patch in &mut patches {
            let documents = patch.documents.iter().map(|document| shuffled(document, &mut seed)).collect();
            patch.documents = mixed(documents, &mut seed);
        }
        let inventory = Inventory::read(&inventory).expect("sound");
        let texts = |all: BTreeMap<String, Vec<Node>>| all.values().map(write).collect::<Vec<_>>();
        let made = render(line, &lax(line), &inventory, &patches).expect("sound");
        prop_assert_eq!(texts(made), texts(rendered(line)));
    }
}
