//! The configuration of machines, from a recipe to files; the platform's own by the schemas of its versions of Talos.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Forge, copy_tree};

/// What a schema has to have for a small project.
const SCHEMA: &str = r##"{
  "$id": "https://talos.dev/v1.10/schemas/config.schema.json",
  "$defs": {
    "v1alpha1.Config": {
      "properties": {
        "version": {"type": "string"}, "machine": {"$ref": "#/$defs/machine"}, "cluster": {"type": "object"}
      },
      "additionalProperties": false
    },
    "machine": {"properties": {"sysctls": {"type": "object", "additionalProperties": {"type": "string"}}}},
    "block.UserVolumeConfigV1Alpha1": {"properties": {"kind": {"enum": ["UserVolumeConfig"]}}}
  }
}"##;

const RECIPE: &str = "\
kind = 'machine'
version = '1.10.3'
[sources]
config = { path = ['**/*.yaml'], folder = 'deploy/machines' }
schema = { url = 'https://example.org/schema.json' }
[tests.stands]
toolroot = 'box'
steps = ['grep -q clusterName /deps/nodes/one.yaml']
";

const INVENTORY: &str = "\
cluster: {name: solana, endpoint: \"https://k8s.example.org:6443\"}
network: {nameservers: [192.0.2.53], bond: {mtu: 1500}, public: {mtu: 1500}, private: {vlan: 7, mtu: 1500}}
nodes:
  - name: one
    role: control-plane
    ports: [\"0c:42:a1:00:00:01\", \"0c:42:a1:00:00:02\"]
    public: {address: 192.0.2.11/24, gateway: 192.0.2.1}
    private: 10.0.0.11/24
    disks: [{serial: S1, size: 960GB, transport: sata}, {serial: S2, size: 2TB, transport: nvme}]
    system: {serial: S1}
    volumes: {ledger: {filesystem: ext4, disk: {transport: nvme, min: 1TB}}}
";

const PATCH: &str = "\
machine:
  sysctls: {vm.swappiness: \"1\"}
cluster:
  network: {cni: {name: none}}
  proxy: {disabled: true}
";

/// A project with one node, whose schema comes from a mirror.
fn project() -> Forge {
    let forge = crate::support::boxed::forge();
    let schemas = forge.folder().join("schemas");
    fs::create_dir(&schemas).unwrap();
    fs::write(schemas.join("schema.json"), SCHEMA).unwrap();
    let mirrors = forge.folder().join("mirrors.toml");
    fs::write(&mirrors, format!("[url]\n\"https://example.org/\" = [\"{}/\"]\n", schemas.display())).unwrap();
    let forge = forge.env("FORGE_MIRRORS", mirrors);
    forge.write("images/nodes.toml", RECIPE).write("deploy/machines/inventory.yaml", INVENTORY);
    forge.write("deploy/machines/patches/all.yaml", PATCH);
    drop(forge.run(&["lock"]).success());
    forge
}

#[test]
fn each_node_has_a_file() {
    let forge = project();
    let first = forge.run(&["build", "nodes", "--json"]).success().json();
    let node = forge.project().join("result/nodes/one.yaml");
    let text = fs::read_to_string(&node).unwrap();
    for line in ["  clusterName: solana", "    hostname: one", "kind: UserVolumeConfig", "    vm.swappiness: \"1\""] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    // What says the same gives the same bytes.
    forge.write("deploy/machines/inventory.yaml", &format!("# Our only one.\n{INVENTORY}"));
    let second = forge.run(&["build", "nodes", "--json"]).success().json();
    assert_eq!(second[0]["status"], "built");
    assert_eq!(first[0]["outputs"][0]["digest"], second[0]["outputs"][0]["digest"]);
    assert!(forge.run(&["test", "nodes"]).success().stdout.contains("ok nodes: stands"));
}

#[test]
fn mistakes_are_told_where_they_stand() {
    let forge = project();
    let (inventory, patch) = ("deploy/machines/inventory.yaml", "deploy/machines/patches/all.yaml");
    for (file, from, to, expected) in [
        (inventory, "0c:42:a1:00:00:02", "0c:42:a1:00:00:01", &["inventory.yaml:6:", "two have the port"][..]),
        (inventory, "10.0.0.11/24", "192.0.2.11/24", &["inventory.yaml:8:", "two have the address `192.0.2.11`"]),
        (inventory, "control-plane", "contol-plane", &["inventory.yaml:5:", "did you mean `control-plane`?"]),
        (inventory, "min: 1TB", "min: 3TB", &["inventory.yaml:11:", "`one` has no disk for the volume `ledger`"]),
        (inventory, "vlan: 7, mtu: 1500", "vlan: 7, mtu: 9000", &["inventory.yaml:2:", "do not fit the bond"]),
        (inventory, "name: one", "name: one\n    name: two", &["inventory.yaml:5:", "`name` stands twice"]),
        (inventory, "ext4", "btrfs", &["inventory.yaml:11:", "Talos 1.10 makes no `btrfs` on a volume"]),
        (inventory, "nodes:", "nodes: [", &["inventory.yaml:4:", "not YAML"]),
        (patch, "{name: none}", "{name: flannel}", &["patches/all.yaml:4:", "Flannel beside Cilium"]),
        (patch, "\"1\"", "1", &["patches/all.yaml:2:28", "want string, but got number", "in quotes"]),
        (patch, "machine:", "persist: true\nmachine:", &["patches/all.yaml:1:1", "`persist` is always so"]),
        (patch, "machine:", "debg: true\nmachine:", &["patches/all.yaml:1:1", "Talos 1.10 has no field `debg`"]),
        (patch, "machine:", "kind: LinkConfig\n---\nmachine:", &["patches/all.yaml:1:7", "no documents of the kind"]),
    ] {
        let sound = if file == inventory { INVENTORY } else { PATCH };
        assert!(sound.contains(from), "{from}");
        forge.write(file, &sound.replacen(from, to, 1));
        let run = forge.run(&["build", "nodes"]).code(1);
        for words in expected {
            assert!(run.stderr.contains(words), "{to}: no `{words}` in\n{}", run.stderr);
        }
        forge.write(file, sound);
    }
    forge.write("deploy/machines/patches/two.yaml", "machine: {}\n");
    drop(forge.run(&["build", "nodes"]).code(1).says("patches/two.yaml:1:1").says("is called `two`"));
}

/// The folder of a version of Talos' module, as the Go client of this machine brings it.
fn machinery(version: &str, folder: &Path) -> PathBuf {
    let module = format!("github.com/siderolabs/talos/pkg/machinery@v{version}");
    let output = Command::new("go").args(["mod", "download", "-json", &module]).current_dir(folder).output();
    let output = output.expect("the schemas of Talos come in a Go module: is Go installed?");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    PathBuf::from(said["Dir"].as_str().unwrap())
}

#[test]
fn the_platform_fits_the_schemas_of_its_versions() {
    let (forge, here) = (Forge::new(), Path::new(env!("CARGO_MANIFEST_DIR")));
    copy_tree(&here.join("deploy"), &forge.project().join("deploy"));
    let mut mirrors = "[url]\n".to_owned();
    let units = [("machine-config", "1.14.1"), ("machine-config-1.10", "1.10.3")];
    for (unit, version) in units {
        let recipe = format!("images/{unit}.toml");
        forge.write(&recipe, &fs::read_to_string(here.join(&recipe)).unwrap());
        let url = format!("https://raw.githubusercontent.com/siderolabs/talos/v{version}/pkg/machinery/");
        mirrors += &format!("\"{url}\" = [\"{}/\"]\n", machinery(version, forge.folder()).display());
    }
    fs::write(forge.folder().join("mirrors.toml"), mirrors).unwrap();
    let file = forge.folder().join("mirrors.toml");
    let forge = forge.env("FORGE_MIRRORS", file);
    // The schemas must be those that are pinned.
    fs::copy(here.join("lockfile.toml"), forge.project().join("lockfile.toml")).unwrap();
    drop(forge.run(&["lock"]).success());
    let (ours, theirs) = (here.join("lockfile.toml"), forge.project().join("lockfile.toml"));
    let pins = |file: PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        let entries = text.split("[[source]]").filter(|entry| entry.contains("\"schema\"")).map(str::trim);
        entries.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(pins(theirs), pins(ours));
    for (unit, _) in units {
        drop(forge.run(&["build", unit]).success());
        assert_eq!(fs::read_dir(forge.project().join("result").join(unit)).unwrap().count(), 4);
    }
    let file = "deploy/talos/1.14/all.yaml";
    let text = fs::read_to_string(here.join(file)).unwrap();
    // The copy is a link.
    fs::remove_file(forge.project().join(file)).unwrap();
    forge.write(file, &text.replace("port: 7445", "port: many"));
    drop(forge.run(&["build", "machine-config"]).code(1).says(file).says("`port` is not as Talos 1.14 takes it"));
}
