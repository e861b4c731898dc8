use super::*;
use crate::talos::machine::mistake::Help;
use crate::yaml::read;

const SOUND: &str = "\
cluster: {name: solana, endpoint: \"https://k8s.example.org:6443\"}
network:
  nameservers: [192.0.2.53]
  bond: {mtu: 9000}
  public: {mtu: 1500}
  private: {vlan: 2064, mtu: 9000}
nodes:
  - name: one
    role: control-plane
    ports: [\"0c:42:a1:00:00:01\", \"0c:42:a1:00:00:02\"]
    public: {address: 192.0.2.11/24, gateway: 192.0.2.1}
    private: 10.0.0.11/24
    disks: [{serial: S1, size: 960GB, transport: sata, model: M}]
    system: {serial: S1}
  - name: two
    role: worker
    ports: [\"0c:42:a1:00:00:03\", \"0c:42:a1:00:00:04\"]
    public: {address: 192.0.2.12/24, gateway: 192.0.2.1}
    private: 10.0.0.12/24
    disks:
      - {serial: S2, size: 960GB, transport: nvme}
      - {serial: S3, size: 15.36TB, transport: nvme}
      - {serial: S4, size: 6.4TB, transport: nvme}
    system: {serial: S2}
    volumes:
      ledger: {filesystem: ext4, disk: {min: 14TB}}
      accounts: {filesystem: ext4, disk: {transport: nvme, min: 6TB, max: 7TB}}
";

fn mistakes(text: &str) -> Vec<Mistake> {
    Inventory::read(&read(text, 0).expect("YAML")[0]).expect_err("wrong")
}

#[test]
fn a_sound_one() {
    let inventory = Inventory::read(&read(SOUND, 0).expect("YAML")[0]).expect("sound");
    assert_eq!((inventory.nodes.len(), inventory.host()), (2, "k8s.example.org"));
    let volumes = &inventory.nodes[1].volumes;
    assert_eq!(
        volumes[1].disk.expression(),
        "disk.transport == \"nvme\" && disk.size >= 6u * TB && disk.size <= 7u * TB"
    );
}

/// What is replaced in the sound one by what, the line of the mistake, its title, and what helps.
type Case = (&'static str, &'static str, usize, &'static str, &'static str);

#[test]
fn every_mistake_is_told_at_its_place() {
    let cases: &[Case] = &[
        ("192.0.2.12/24", "192.0.2.11/24", 18, "two have the address `192.0.2.11`", "correct one"),
        ("10.0.0.12/24", "10.0.0.11/24", 19, "two have the address `10.0.0.11`", "correct one"),
        ("name: two", "name: one", 15, "two have the name `one`", "correct one"),
        ("00:00:04", "00:00:01", 17, "two have the port `0c:42:a1:00:00:01`", "correct one"),
        ("serial: S3", "serial: S1", 22, "two have the disk `S1`", "correct one"),
        ("role: worker", "role: workr", 16, "there is no role `workr`", "worker"),
        ("role: worker", "role: control-plane", 16, "of 2 control planes no more may fail than of 1", "odd number"),
        ("role: control-plane", "role: worker", 9, "no node is a control plane", "odd number"),
        (
            "min: 14TB",
            "min: 16TB",
            26,
            "`two` has no disk for the volume `ledger`: none is disk.size >= 16u * TB",
            "`S2`, `S3`, `S4`",
        ),
        ("min: 14TB", "min: 6TB", 26, "`two` has 2 disks that would do for the volume `ledger`", "say more"),
        (
            "min: 6TB, max: 7TB",
            "min: 14TB",
            27,
            "the disk `S3` of `two` is taken when the volume `accounts` wants it",
            "another",
        ),
        (
            "disk: {min: 14TB}",
            "disk: {transport: nvme}",
            26,
            "the disk of volume `ledger` has no `min`",
            "add `min: …`",
        ),
        ("disk: {min: 14TB}", "disk: {}", 26, "the disk of volume `ledger` has no `min`", "add"),
        ("system: {serial: S2}", "system: {serial: S9}", 24, "`two` has no disk for the system", "choose one"),
        ("system: {serial: S2}", "system: {min: 1TB}", 24, "the choice of a disk has no field `min`", "serial"),
        (
            "private: {vlan: 2064, mtu: 9000}",
            "private: {vlan: 2064, mtu: 9100}",
            6,
            "frames of 9100 bytes of the private network do not fit the bond, which has 9000",
            "raise",
        ),
        ("bond: {mtu: 9000}", "bond: {mtu: 90000}", 4, "`mtu` of `bond` is no such number", "from 1280 to 9216"),
        ("vlan: 2064", "vlan: 0", 6, "`vlan` of `private` is no such number", "from 1 to 4094"),
        (
            "gateway: 192.0.2.1}\n    private: 10.0.0.12",
            "gateway: 192.0.3.1}\n    private: 10.0.0.12",
            18,
            "`two` can't reach its gateway 192.0.3.1 from 192.0.2.12/24",
            "same network",
        ),
        (
            "10.0.0.12/24",
            "10.0.1.12/24",
            19,
            "10.0.1.12/24 is not in the private network of the others, 10.0.0.0/24",
            "one VLAN",
        ),
        ("\"0c:42:a1:00:00:03\", ", "", 17, "the bond of `two` has one port", "both ports"),
        (
            "0c:42:a1:00:00:03",
            "0C:42:a1:00:00:03",
            17,
            "`ports` of node `two` takes an Ethernet address",
            "small letters",
        ),
        ("https://k8s", "http://k8s", 1, "`endpoint` of `cluster` takes a URL of https with a port", "https://"),
        ("192.0.2.53", "example.org", 3, "`nameservers` of `network` takes an IPv4 address", "192.0.2.1"),
        ("15.36TB", "15.36", 22, "`size` of a disk takes a size", "15.36TB"),
        ("ledger:", "Ledger:", 26, "a volume can't be called `Ledger`", "small letters"),
        ("name: two", "name: Two", 15, "`name` of node `Two` takes a host's name", "small letters"),
        ("    private: 10.0.0.12/24\n", "", 15, "node `two` has no `private`", "add `private: …`"),
        (
            "filesystem: ext4, disk: {min",
            "filesytem: ext4, disk: {min",
            26,
            "volume `ledger` has no field `filesytem`",
            "filesystem",
        ),
        ("nameservers: [192.0.2.53]", "nameservers: []", 3, "`nameservers` of `network` has no items", "one at least"),
    ];
    for (from, to, line, title, help) in cases {
        assert!(SOUND.contains(from), "{from}");
        let text = SOUND.replacen(from, to, 1);
        let found = mistakes(&text);
        let told = found.iter().find(|mistake| mistake.title.starts_with(title));
        let told = told.unwrap_or_else(|| panic!("{title}: {found:#?}"));
        assert_eq!(1 + text[..told.at.start].matches('\n').count(), *line, "{title}");
        let said = match &told.help {
            Help::Do(help) => help.clone(),
            Help::Name(_, known) => known.join(" "),
        };
        assert!(said.contains(help), "{title}: {said}");
    }
}

#[test]
fn what_is_no_inventory_is_told() {
    for text in ["a: 1", "[]", "cluster: 1\nnetwork: []\nnodes: {}", "cluster: {}\nnetwork: {}\nnodes: [1]"] {
        assert!(!mistakes(text).is_empty(), "{text}");
    }
}
