//! Attaching, replacing and detaching, with real programs on real interfaces.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;

use support::{World, compile, object, sources};

const ENFORCE: &str =
    "mode = 'enforce'\n[class.gossip]\nports = [8001]\npayload_min = 4\nunknown = { rate = 100000 }\n";

#[test]
fn drops_what_is_wrong_and_tells() {
    let world = World::new();
    let said = world.attach(ENFORCE);
    assert!(said.starts_with("guarded: xdp, program "), "{said}");
    world.send(8001, b"hello", 3);
    world.send(8001, b"no", 2);
    assert_eq!(world.count("gossip", "unknown"), 3);
    assert_eq!(world.count("gossip", "length"), 2);
    let (code, out, _) = world.run("status");
    assert!(code == 0 && out.contains("dropped"), "{out}");
    let (code, out, _) = world.run("detach");
    assert!(code == 0 && out.contains("is detached"), "{out}");
    let (code, _, err) = world.run("status");
    assert_eq!((code, &*err), (1, "error: nothing is attached\n"));
    assert!(!world.pins().join("guarded").exists());
}

#[test]
fn attaches_to_tcx_beside_another_program() {
    let world = World::new();
    let flags = world.flags(ENFORCE).replace("solana-xdp", "solana-tcx");
    object("solana-tcx");
    let (code, out, err) = world.run(&format!("attach --hook tcx {flags}"));
    assert!(code == 0 && out.starts_with("guarded: tcx"), "{out}{err}");
    world.send(8001, b"no", 2);
    assert_eq!(world.count("gossip", "length"), 2);
}

#[test]
fn judges_packets_that_the_kernel_put_together() {
    let world = World::new();
    let class = "ports = [8001]\npayload_min = 1000\npayload_max = 1200\nunknown = { rate = 100000 }\n";
    let config = format!("mode = 'enforce'\n[class.gossip]\n{class}");
    object("solana-tcx");
    let flags = world.flags(&config).replace("solana-xdp", "solana-tcx");
    let (code, _, err) = world.run(&format!("attach --hook tcx {flags}"));
    assert_eq!(code, 0, "{err}");
    let send = |segment: i32, bytes: usize| {
        let socket = std::net::UdpSocket::bind((world.here(), 0)).unwrap();
        nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::UdpGsoSegment, &segment).unwrap();
        socket.send_to(&vec![7; bytes], (world.there(), 8001)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    send(1200, 5 * 1200 + 100);
    assert_eq!(world.count("gossip", "unknown"), 6, "one that was put together is too long");
    send(1201, 3 * 1201);
    send(999, 4 * 999);
    assert_eq!((world.count("gossip", "unknown"), world.count("gossip", "length")), (6, 7));
}

/// Sends frames of which the kernel keeps all but the Ethernet header in pages of their own: it does so for a packet socket
/// that says, in the header of virtio-net before the frame, that this is all it wants together, if they are long.
const SCATTERED: &str = "
import socket, struct, sys
end, source, destination = sys.argv[1:4]
packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
SOL_PACKET, PACKET_VNET_HDR = 263, 15
packets.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
packets.bind((end, 0))
for payload in map(int, sys.argv[4:]):
    datagram = struct.pack('!HHHH', 4096, 8001, 8 + payload, 0) + b'a' * payload
    head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0)
    packet = head + socket.inet_aton(source) + socket.inet_aton(destination) + datagram
    packets.send(struct.pack('<BBHHHH', 0, 0, 14, 0, 0, 0) + b'\\xff' * 12 + b'\\x08\\0' + packet)
";

#[test]
fn brings_headers_within_reach() {
    let world = World::new();
    let end = format!("{}e", world.name);
    world.ip(&format!("link set {end} mtu 9000"));
    world.ip(&format!("-n {} link set guarded mtu 9000", world.name));
    object("solana-tcx");
    let class = "ports = [8001]\npayload_max = 5000\nunknown = { rate = 100000 }\n";
    let flags = world.flags(&format!("mode = 'enforce'\n[class.gossip]\n{class}")).replace("solana-xdp", "solana-tcx");
    let (code, _, err) = world.run(&format!("attach --hook tcx {flags}"));
    assert_eq!(code, 0, "{err}");
    let (here, there) = (world.here().to_string(), world.there().to_string());
    let arguments = ["-c", SCATTERED, &end, &here, &there, "5000", "4999", "5001"];
    let output = Command::new("python3").args(arguments).output().expect("this test needs python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::thread::sleep(std::time::Duration::from_millis(200));
    let counts = ["unknown", "length"].map(|reason| world.count("gossip", reason));
    assert_eq!((counts, world.count("none", "malformed")), ([2, 1], 0));
}

#[test]
fn says_what_stands_in_the_way() {
    let world = World::new();
    let refused = |arguments: &str, expect: &str| {
        let (code, out, err) = world.run(arguments);
        assert!((code == 2 || code == 3) && out.is_empty(), "{arguments}: {code} {out}");
        assert!(err.contains(expect), "{arguments}\n--- says\n{err}\n--- not\n{expect}");
    };
    let flags = world.flags(ENFORCE);
    let attach = format!("attach {flags}");
    refused(&attach.replace("interface guarded", "interface gaurded"), "no interface gaurded: is it guarded?");
    refused(&format!("{attach} --hook tcx"), "it is for --hook xdp");
    refused(&attach.replace("solana-xdp", "nothing"), "No such file");

    refused(&attach.replace("interface guarded", "interface lo"), "has no native XDP");

    let other = other_layout(&world);
    refused(&attach.replace(&object("solana-xdp").display().to_string(), &other), "want abi 2\n  got  abi 7");

    let lock = world.folder.join("run/guarded.lock");
    let mut holder = Command::new("flock").arg("--no-fork").arg(&lock).args(["sleep", "60"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    refused(&attach, "another xdp-guard is at work on guarded");
    holder.kill().unwrap();
    holder.wait().unwrap();

    let pass = world.folder.join("pass.c");
    let program = "__attribute__((section(\"xdp\"), used)) int pass(void *context) { return 2; }\n\
                   char _license[] __attribute__((section(\"license\"), used)) = \"GPL\";\n";
    std::fs::write(&pass, program).unwrap();
    let pass = compile(&pass, &format!("{}-pass.o", world.name));
    world.ip(&format!("-n {} link set guarded xdp object {} section xdp", world.name, pass.display()));
    std::fs::remove_file(pass).unwrap();
    refused(&attach, "attached by netlink: `ip link set dev guarded xdp off`");
    world.ip(&format!("-n {} link set guarded xdp off", world.name));

    world.attach(ENFORCE);
    let elsewhere = format!("{attach} --pins /sys/fs/bpf/{}/else", world.name);
    let mut command = world.inside(env!("CARGO_BIN_EXE_xdp-guard"));
    let output = command.args(elsewhere.split(' ')).env("XDP_GUARD_RUN", world.folder.join("else")).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(err.contains("give its --pins"), "{err}");
    assert_eq!(world.count("gossip", "length"), 0);
}

/// An object whose maps the agent does not know.
fn other_layout(world: &World) -> String {
    other(world, "#define ABI 2", "#define ABI 7")
}

/// An object of sources in which `text` is another.
fn other(world: &World, text: &str, replacement: &str) -> String {
    let mut found = 0;
    for name in ["abi.h", "guard.h", "solana-xdp.bpf.c"] {
        let source = std::fs::read_to_string(sources().join(name)).unwrap();
        found += source.matches(text).count();
        std::fs::write(world.folder.join(name), source.replace(text, replacement)).unwrap();
    }
    assert_eq!(found, 1, "{text}");
    let object = compile(&world.folder.join("solana-xdp.bpf.c"), &format!("{}-other.o", world.name));
    let moved = world.folder.join("other.o");
    std::fs::rename(object, &moved).unwrap();
    moved.display().to_string()
}

#[test]
fn replaces_a_program_and_keeps_what_peers_owe() {
    let world = World::new();
    let config = format!(
        "[class.gossip]\nports = [8001]\ngossip = {{ rate = 1, burst_ms = 60000 }}\n\
         [[peer]]\naddress = '{}'\ntier = 'gossip'\n",
        world.here()
    );
    world.attach(&config);
    world.send(8001, b"hello", 80);
    let passed = world.count("gossip", "peer");
    assert!((61..75).contains(&passed), "{passed}");
    let before = world.status();

    // What a crash between pinning and swapping leaves.
    let rubbish = world.pins().join("guarded/999999");
    std::fs::create_dir(&rubbish).unwrap();
    world.attach(&config);
    let after = world.status();
    assert_ne!(before["program"], after["program"]);
    assert_eq!(before["tag"], after["tag"]);
    assert!(!rubbish.exists());
    let pins: Vec<_> = std::fs::read_dir(world.pins().join("guarded")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(pins.len(), 2, "{pins:?}");

    world.send(8001, b"hello", 80);
    let passed = world.count("gossip", "peer");
    assert!(passed < 30, "a fresh burst of {passed}");
    assert!(world.count("gossip", "peer_limit") > 50);
}

#[test]
fn starts_anew_where_the_interface_was() {
    let world = World::new();
    world.attach(ENFORCE);
    world.ip(&format!("-n {} link del guarded", world.name));
    world.ip(&format!("link add {0}e type veth peer name guarded netns {0}", world.name));
    world.ip(&format!("-n {} link set guarded up", world.name));
    world.attach(ENFORCE);
    assert_eq!(world.status()["hook"], "xdp");
}

#[test]
fn tells_whether_an_object_is_what_is_attached() {
    let world = World::new();
    let object = object("solana-xdp").display().to_string();
    let status = format!("status --interface guarded --object {object}");
    let (code, _, err) = world.run(&status);
    assert_eq!((code, &*err), (1, "error: nothing is attached to guarded\n"));
    world.attach(ENFORCE);
    let (code, out, err) = world.run(&status);
    assert!(code == 0 && out.contains(": as in "), "{out}{err}");
    let other = other(&world, "first == 127;", "first == 126;");
    let (code, _, err) = world.run(&status.replace(&object, &other));
    assert!(code == 1 && err.contains("has not the program of"), "{err}");
}

#[test]
fn says_how_to_mount_what_is_missing() {
    let world = World::new();
    let flags = world.flags(ENFORCE);
    let mut command = world.inside(env!("CARGO_BIN_EXE_xdp-guard"));
    command.arg("attach").args(flags.split(' ')).arg("--pins").arg("/sys/fs/solana-xdp");
    let output = command.env("XDP_GUARD_RUN", world.folder.join("run")).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && err.contains("mount -t bpf bpf /sys/fs/bpf"), "{err}");
}

#[test]
fn guards_many_addresses_and_names_those_without_room() {
    let world = World::new();
    for last in 100..170 {
        let there = world.there().octets();
        world.ip(&format!("-n {} address add 10.{}.{}.{last}/24 dev guarded", world.name, there[1], there[2]));
    }
    let (code, _, err) = world.run(&format!("attach {}", world.flags(ENFORCE)));
    assert!(code == 0 && err.matches(", ").count() >= 6 && err.contains("not guarded, as there is no room"), "{err}");
    let to = |last: u8| std::net::Ipv4Addr::from([10, world.there().octets()[1], world.there().octets()[2], last]);
    let socket = std::net::UdpSocket::bind((world.here(), 0)).unwrap();
    (100..160).for_each(|last| drop(socket.send_to(b"no", (to(last), 8001))));
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(world.count("gossip", "length"), 60);
}
