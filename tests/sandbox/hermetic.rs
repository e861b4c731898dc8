//! What a command must not reach.

use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use forge::sandbox::{Exit, Profile};

use super::house::House;

#[test]
fn no_network() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let house = House::new();
    let (exit, log) = house.run(&house.sh(&format!("nc -w 2 127.0.0.1 {port} </dev/null"))).unwrap();
    assert_eq!((exit, log.contains("refused")), (Exit::Code(1), true), "{log}");
    // 192.0.2.0/24 is reserved for documentation.
    let (exit, log) = house.run(&house.sh("nc -w 2 192.0.2.1 80 </dev/null")).unwrap();
    assert_eq!((exit, log.contains("unreachable")), (Exit::Code(1), true), "{log}");
    let interfaces =
        house.says("ls /proc/self/net >/dev/null; grep : /proc/self/net/dev | tr -d ' ' | grep -o '^[^:]*'");
    assert_eq!(interfaces, "lo\n");
}

#[test]
fn loopback_works_inside() {
    let house = House::new();
    let talk = "nc -l -p 8000 >/tmp/got & until nc 127.0.0.1 8000 </bin/probe.c 2>/dev/null; do sleep 0.1; done; wait; wc -l </tmp/got";
    assert_ne!(house.says(talk), "0\n");
}

#[test]
fn nothing_is_writable_but_build_out_and_memory() {
    let house = House::new();
    fs::write(house.dir.path().join("source"), "s").unwrap();
    let mut spec = house
        .sh("for at in / /bin /src /deps /src/tree /dev /proc /proc/sys /build /out /tmp /dev/shm; do \
           touch $at/x 2>/dev/null && echo $at; done; echo y 2>/dev/null >/src/file && echo file; true");
    spec.sources =
        vec![("tree".to_owned(), house.dir.path().join("build")), ("file".to_owned(), house.dir.path().join("source"))];
    assert_eq!(house.run(&spec).unwrap(), (Exit::Code(0), "/build\n/out\n/tmp\n/dev/shm\n".to_owned()));
    assert!(house.dir.path().join("out/x").exists());
    assert_eq!(fs::read_to_string(house.dir.path().join("source")).unwrap(), "s");
}

#[test]
fn none_of_the_hosts_files() {
    let house = House::new();
    let secret = house.dir.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let (exit, log) = house.run(&house.spec(&["cat", secret.to_str().unwrap()])).unwrap();
    assert_eq!((exit, log.contains("No such file")), (Exit::Code(1), true), "{log}");
    assert_eq!(house.says("ls /"), "bin\nbuild\ndeps\ndev\nout\nproc\nsrc\ntmp\n");
    assert_eq!(house.says("ls /dev"), "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\nurandom\nzero\n");
    assert_eq!(house.says("cd /proc/1/root 2>/dev/null || echo refused"), "refused\n");
}

#[test]
fn only_the_given_environment() {
    let house = House::new();
    let mut spec = house.spec(&["env"]);
    spec.env = vec![("PATH".to_owned(), "/bin".to_owned()), ("GIVEN".to_owned(), "a b".to_owned())];
    let (_, log) = house.run(&spec).unwrap();
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["GIVEN=a b", "PATH=/bin"]);
}

#[test]
fn no_time_zone() {
    let house = House::new();
    assert_eq!(
        house.says("date +%Z; ls /etc/localtime 2>&1 || true"),
        "UTC\nls: /etc/localtime: No such file or directory\n"
    );
}

#[test]
fn no_other_process() {
    let house = House::new();
    assert_eq!(house.says("echo $$ $PPID; cd /proc; echo [0-9]*"), "2 1\n1 2\n");
}

#[test]
fn no_leaked_descriptor() {
    let leak = fs::File::open("/dev/zero").unwrap();
    rustix::io::fcntl_setfd(&leak, rustix::io::FdFlags::empty()).unwrap();
    let house = House::new();
    let log = house.says("readlink /proc/$$/fd/0; ls /proc/$$/fd; true");
    assert_eq!(log, "/dev/null\n0\n1\n2\n", "descriptor {} came through", leak.as_raw_fd());
}

#[test]
fn refused_calls() {
    let refused = "bpf chmod-setuid chmod-setgid fchmodat2-setuid open-setuid tmpfile-setuid mknod-setuid mknod-device \
        ptrace mount umount mount_setattr open_tree fsopen unshare setns chroot clone-newuser keyctl add_key userfaultfd \
        perf_event_open io_uring_setup setgroups packet";
    let other = [
        ("setxattr", "EOPNOTSUPP"),
        ("openat2", "ENOSYS"),
        ("clone3", "ENOSYS"),
        ("x32", "ENOSYS"),
        ("setuid-root", "EINVAL"),
        ("vsock", "EAFNOSUPPORT"),
        ("core-pattern", "EROFS"),
        ("host-name", "EROFS"),
        ("chmod-device", "EROFS"),
        ("look-at-init", "EACCES"),
    ];
    let cases: Vec<(&str, &str)> = refused.split_whitespace().map(|call| (call, "EPERM")).chain(other).collect();
    let house = House::new();
    let (exit, log) = house.probe(Profile::Build, &cases.iter().map(|(call, _)| *call).collect::<Vec<_>>());
    let want: String = cases.iter().map(|(call, errno)| format!("{call} {errno}\n")).collect();
    assert_eq!((exit, log), (Exit::Code(0), want));
}

#[test]
fn tests_of_images_may_use_io_uring() {
    let (_, log) = House::new().probe(Profile::Run, &["io_uring_setup", "bpf", "mount"]);
    let uring = log.lines().next().unwrap();
    // A host may forbid it for itself (kernel.io_uring_disabled); then, too, it is not our filter that answers.
    let forbidden = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").is_ok_and(|value| value.trim() != "0");
    assert_eq!(uring == "io_uring_setup EPERM", forbidden, "{log}");
    assert!(log.ends_with("bpf EPERM\nmount EPERM\n"), "{log}");
}

#[test]
fn the_32_bit_door_is_shut() {
    const SIGSYS: i32 = 31;
    let (exit, log) = House::new().probe(Profile::Build, &["ia32"]);
    // A kernel without 32-bit emulation ends it with SIGSEGV.
    assert!(matches!(exit, Exit::Signal(SIGSYS | 11)), "{exit:?} {log}");
}
