//! Peers whose addresses share a slot, while the guard is at work.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use support::World;

/// What the program takes for the slot of an address.
fn slot(address: Ipv4Addr) -> u64 {
    let network = u64::from(u32::from_le_bytes(address.octets())) << 32 | 0xffff_ffff;
    network.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48
}

/// Public addresses that share a slot with another one.
fn neighbours(of: Ipv4Addr, count: usize) -> Vec<Ipv4Addr> {
    (0x0800_0000..).map(Ipv4Addr::from_bits).filter(|address| slot(*address) == slot(of)).take(count).collect()
}

/// A class that lets each peer send some 60 packets, and these peers.
fn config(peers: &[Ipv4Addr], tier: &str) -> String {
    let peers: String =
        peers.iter().map(|address| format!("[[peer]]\naddress = '{address}'\ntier = '{tier}'\n")).collect();
    format!("[class.gossip]\nports = [8001]\ngossip = {{ rate = 1, burst_ms = 60000 }}\n{peers}")
}

fn wait(world: &World, peers: [u64; 3]) {
    let start = Instant::now();
    while world.status()["peers"] != serde_json::json!(peers) {
        assert!(start.elapsed() < Duration::from_secs(30), "want {peers:?}, got {}", world.status()["peers"]);
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_peer_keeps_what_it_owes_while_its_chain_changes() {
    let world = World::new();
    let here = world.here();
    let others = neighbours(here, 8);
    let first = config(&[&others[..3], &[here]].concat(), "gossip");
    let _agent = world.spawn(&format!("run {}", world.flags(&first)));
    let start = Instant::now();
    while world.run("status").0 != 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing is attached");
        std::thread::sleep(Duration::from_millis(200));
    }
    wait(&world, [4, 0, 0]);
    world.send(8001, b"hello", 80);
    let passed = world.count("gossip", "peer");
    assert!((61..75).contains(&passed), "{passed}");

    // Once those around it leave, and once others come.
    for peers in [vec![here], [&[here], &others[..]].concat()[..8].to_vec(), [&others[5..], &[here]].concat()] {
        world.flags(&config(&peers, "gossip"));
        wait(&world, [peers.len() as u64, 0, 0]);
        let limited = world.count("gossip", "peer_limit");
        world.send(8001, b"hello", 20);
        assert!(world.count("gossip", "peer_limit") > limited + 10, "a fresh burst beside {peers:?}");
    }

    // Of another tier, it still owes; the tier has the limits of the one below.
    world.flags(&config(&[here], "top"));
    wait(&world, [0, 0, 1]);
    let limited = world.count("gossip", "peer_limit");
    world.send(8001, b"hello", 20);
    assert!(world.count("gossip", "peer_limit") > limited + 10);

    assert_eq!(world.count("gossip", "unknown"), 0);
    world.flags(&config(&others, "gossip"));
    wait(&world, [8, 0, 0]);
    world.send(8001, b"hello", 3);
    assert_eq!(world.count("gossip", "unknown"), 3);
}

#[test]
fn takes_no_peer_for_anybody_while_others_come_and_go() {
    let world = World::new();
    let here = world.here();
    let others = neighbours(here, 7);
    let text = |peers: &[Ipv4Addr]| config(peers, "gossip").replace("rate = 1, burst_ms = 60000", "");
    world.attach(&text(&[here]));
    let _agent = world.spawn(&format!("run {}", world.flags(&text(&[here]))));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let socket = UdpSocket::bind((here, 0)).unwrap();
            while !done.load(Ordering::Relaxed) {
                // Nobody listens there, and the kernel may say so.
                socket.send_to(b"hello", (world.there(), 8001)).ok();
            }
        });
        for round in 0..4 {
            let around = if round % 2 == 0 { &others[..4] } else { &others[3..] };
            let peers = [around, &[here]].concat();
            world.flags(&text(&peers));
            std::thread::sleep(Duration::from_secs(2));
        }
        done.store(true, Ordering::Relaxed);
    });
    wait(&world, [5, 0, 0]);
    assert_eq!(world.count("gossip", "unknown"), 0);
    let passed = world.count("gossip", "peer");
    assert!(passed > 1000, "{}", world.run("status").1);
}

#[test]
fn says_how_many_peers_have_no_room() {
    let world = World::new();
    let others = neighbours(world.here(), 9);
    let text = config(&others, "gossip") + &format!("[[peer]]\naddress = '{}'\ntier = 'top'\n", world.here());
    let flags = world.flags(&text);
    let (code, _, err) = world.run(&format!("attach {flags}"));
    assert_eq!((code, &*err), (0, "warning: there is no room for 2 peers, which are as anybody else\n"));
    wait(&world, [7, 0, 1]);
    world.send(8001, b"hello", 3);
    assert_eq!(world.count("gossip", "peer"), 3);

    let mut agent = world.spawn(&format!("run {flags}"));
    let mut words = BufReader::new(agent.0.stderr.take().unwrap());
    let mut line = String::new();
    words.read_line(&mut line).unwrap();
    assert!(line.contains("no room for 2 peers"), "{line}");
    world.flags(&config(&others, "gossip"));
    line.clear();
    words.read_line(&mut line).unwrap();
    words.read_line(&mut line).unwrap();
    assert!(line.contains("no room for 1 peers"), "{line}");
}
