//! What the steps of a recipe can't reach, each by a real build; and what their author is told.
//!
//! `tests/sandbox` tries system calls one by one; here the whole way from a recipe is walked.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Command, Output};

use rustix::io::FdFlags;

use crate::sandbox::house::{lives, marker};
use crate::support::{Forge, boxed};

/// A step; what its log says; the advice that follows, if any helps.
const REFUSED: [(&str, &str, &str); 23] = [
    ("/src/probe/probe tcp 127.0.0.1 {port}", "Connection refused", "hint: steps have no network"),
    ("/src/probe/probe tcp 192.0.2.1 80", "Network is unreachable", "hint: steps have no network: name what they need"),
    ("/src/probe/probe udp 192.0.2.53 53", "Network is unreachable", "hint: steps have no network"),
    ("/src/probe/probe abstract {name}", "Connection refused", ""),
    ("echo x > /usr/x", "cannot create /usr/x: Read-only file system", "hint: steps can write below /build, /tmp"),
    ("touch /x", "Read-only file system", "hint: steps can write below"),
    (
        "echo x >> /src/probe/probe",
        "cannot create /src/probe/probe: Read-only file system",
        "copy a source to /build to change it",
    ),
    ("touch /deps/x", "Read-only file system", ""),
    ("touch /dev/x", "Read-only file system", ""),
    ("echo x > /proc/sys/kernel/hostname", "Read-only file system", ""),
    ("cat /etc/hostname", "No such file or directory", "hint: steps see only their toolroot, /src/<name>"),
    ("ls /root /home /sys", "cannot access '/sys': No such file or directory", ""),
    ("cat {project}/lockfile.toml", "No such file or directory", "add a package, a source or a unit"),
    ("curl https://example.org", "curl: not found", "add a package, a source or a unit"),
    ("echo $FORGE_TEST_SECRET", "FORGE_TEST_SECRET: parameter not set", "hint: steps see no variable of yours"),
    ("touch f; chmod u+s f", "Operation not permitted", "hint: steps have no privileges: no setuid bits"),
    ("mknod f c 1 3", "Operation not permitted", "devices"),
    ("/src/probe/probe mount", "mount: Operation not permitted", "mounts"),
    ("/src/probe/probe ptrace", "ptrace: Operation not permitted", "ptrace"),
    ("/src/probe/probe bpf", "bpf: Operation not permitted", "bpf"),
    ("/src/probe/probe setuid", "setuid: Invalid argument", ""),
    ("cat /proc/1/environ", "Permission denied", ""),
    ("kill -9 {pid}", "No such process", ""),
];

/// A step, and what it prints whatever the caller's world is like.
const FIXED: [(&str, &str); 9] = [
    ("cat /proc/sys/kernel/hostname", "localhost\n"),
    ("id -u; id -g; id -G", "1000\n1000\n1000\n"),
    ("date +%Z; date -d @0 +%c", "UTC\nThu Jan  1 00:00:00 1970\n"),
    ("umask; pwd", "0022\n/build\n"),
    ("ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 "),
    ("cd /proc; echo [0-9]*", "1 2 3\n"),
    ("ls -A /build /tmp /deps /src", "/build:\n\n/deps:\n\n/src:\nprobe\n\n/tmp:\n"),
    ("ls -d /root /home /sys /etc/hostname 2> /dev/null | wc -l", "0\n"),
    (
        "env | grep -v '^_=' | sort",
        "HOME=/nonexistent\nLC_ALL=C.UTF-8\nMAKEFLAGS=-j --jobserver-auth=fifo:/dev/jobserver\nPATH=/usr/bin:/usr/sbin\n\
         PWD=/build\nSOURCE_DATE_EPOCH=315619200\nTERM=dumb\nTMPDIR=/tmp\nTZ=UTC\n",
    ),
];

/// A project in which every unit `u<number>` runs one of `steps` with the probe at /src/probe/probe.
fn project<'a>(steps: impl IntoIterator<Item = &'a str>, fill: impl Fn(&str) -> String) -> Forge {
    let forge = boxed::forge();
    let program = forge.project().join("recipes/probe");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hermetic/probe.c");
    let made = Command::new("cc").args(["-static", source, "-o"]).arg(program).status();
    assert!(made.expect("the tests need the C compiler that Rust links with").success());
    for (number, step) in steps.into_iter().enumerate() {
        let step = toml::Value::from(fill(step).replace("{project}", forge.project().to_str().unwrap()));
        let text = format!("toolroot = \"box\"\nsteps = [{step}]\nsources.probe = {{ path = [\"probe\"] }}\n");
        forge.write(&format!("recipes/u{number}.toml"), &text);
    }
    forge
}

/// Builds all units, from a world that is as far from the sandbox's as can be.
fn build(forge: &Forge, units: usize) -> Output {
    let names: Vec<String> = (0..units).map(|number| format!("u{number}")).collect();
    let args: Vec<&str> = ["build", "--keep-going"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let leak = File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(&leak, FdFlags::empty()).unwrap();
    let mut command = forge.command(&args);
    command.env("FORGE_TEST_SECRET", "secret").env("TZ", "Asia/Tokyo").env("LC_ALL", "C").env("TMPDIR", "/var/tmp");
    command.output().unwrap()
}

#[test]
fn every_way_out_is_refused_with_advice() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let name = format!("forge-{}", marker());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let pid = std::process::id().to_string();
    let fill = |step: &str| step.replace("{port}", &port).replace("{name}", &name).replace("{pid}", &pid);
    let forge = project(REFUSED.iter().map(|(step, ..)| *step), fill);
    let output = build(&forge, REFUSED.len());
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}");
    for (number, (step, said, advice)) in REFUSED.iter().enumerate() {
        let start = format!("── log of u{number} ──\n");
        let told = words.split_once(&start).expect(step).1;
        let told = told.split_once("── log of ").map_or(told, |(told, _)| told);
        let failed = format!("error: u{number}: ");
        for part in [*said, &failed, *advice, &format!("hint: `forge log u{number}`")] {
            assert!(told.contains(part), "{step}: no `{part}` in\n{told}");
        }
    }
}

#[test]
fn the_callers_world_is_invisible() {
    let printing: Vec<String> = FIXED.iter().map(|(step, _)| format!("{{ {step}; }} > /out/out")).collect();
    let forge = project(printing.iter().map(String::as_str), str::to_owned);
    let output = build(&forge, FIXED.len());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (number, (step, printed)) in FIXED.iter().enumerate() {
        let got = fs::read_to_string(forge.project().join(format!("result/u{number}"))).unwrap();
        assert_eq!(got, *printed, "{step}");
    }
}

#[test]
fn nothing_outlives_its_build() {
    let marker = marker();
    let lives_inside = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -q 'daemon {marker}'";
    let step = format!("/src/probe/probe daemon {{marker}}; until {lives_inside}; do :; done; echo left > /out/out");
    let forge = project([step.as_str()], |step| step.replace("{marker}", &marker));
    let output = build(&forge, 1);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!lives(&format!("daemon\0{marker}")));
}
