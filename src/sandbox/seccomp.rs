//! The system calls that are refused, and with which error.
//!
//! The kernel has one filter per errno, as `seccompiler` makes programs of one action each. What a
//! filter cannot look into, because the arguments stand in memory, answers `ENOSYS`, and libraries
//! fall back to the older call that it can: `clone3` to `clone`, `openat2` to `openat`.
//! Another architecture's numbers (32 bit) end the process; x32 numbers answer `ENOSYS`.
//!
//! One more filter refuses nothing but stops for the tracer, in worlds that have one.

use libc::{EAFNOSUPPORT, ENOSYS, EOPNOTSUPP, EPERM};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};
use std::collections::BTreeMap;

use super::error::Error;
use super::spec::{Entries, Features, Profile, World};

/// Numbers that this version of libc lacks; the same on every architecture.
const SYS_SETXATTRAT: i64 = 463;
const SYS_REMOVEXATTRAT: i64 = 466;
const SYS_OPEN_TREE_ATTR: i64 = 467;

/// `EPERM`: reaching into the kernel, other processes, other namespaces.
const REFUSED: &[i64] = &[
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    SYS_OPEN_TREE_ATTR,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
];

/// `EPERM` in builds only.
const REFUSED_IN_BUILDS: &[i64] = &[libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// `EOPNOTSUPP`: the store keeps no extended attributes, so none can be set.
const UNSUPPORTED: &[i64] = &[
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SYS_SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SYS_REMOVEXATTRAT,
];

/// `ENOSYS`: the flags or modes stand in memory.
const ABSENT: &[i64] = &[libc::SYS_clone3, libc::SYS_openat2];

/// Which argument is a mode that may hold setuid or setgid: `(call, mode)`.
const MODES: &[(i64, u8)] = &[
    (libc::SYS_fchmod, 1),
    (libc::SYS_fchmodat, 2),
    (libc::SYS_fchmodat2, 2),
    (libc::SYS_mknodat, 2),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mknod, 1),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, 1),
];

/// As [`MODES`], but the mode counts only where the flags make a file: `(call, flags, mode)`.
const OPENS: &[(i64, u8, u8)] = &[
    (libc::SYS_openat, 2, 3),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, 1, 2),
];

const SET_ID: [u32; 2] = [libc::S_ISUID, libc::S_ISGID];
/// O_TMPFILE without the O_DIRECTORY bit that it includes.
const TMPFILE: i32 = libc::O_TMPFILE & !libc::O_DIRECTORY;
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];
/// The families that a network namespace contains; AF_VSOCK would reach the machine's hypervisor.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The clocks that tell the time of day.
const CLOCKS: [libc::clockid_t; 3] = [libc::CLOCK_REALTIME, libc::CLOCK_REALTIME_COARSE, libc::CLOCK_TAI];
/// The calls that list a directory.
const LISTING: &[i64] = &[
    libc::SYS_getdents64,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getdents,
];
/// The calls that tell the time of day, whatever their arguments.
const TELLING: &[i64] = &[
    libc::SYS_gettimeofday,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The compiled filters of both profiles.
pub(super) struct Filters {
    build: Vec<BpfProgram>,
    run: Vec<BpfProgram>,
}

impl Filters {
    /// Compiles them, once.
    pub(super) fn compile() -> Result<Self, Error> {
        Ok(Self { build: compile(Profile::Build)?, run: compile(Profile::Run)? })
    }

    /// Puts this process and all it starts under the filters of `profile`, for good.
    pub(super) fn apply(&self, profile: Profile) -> Result<(), seccompiler::Error> {
        let programs = match profile {
            Profile::Build => &self.build,
            Profile::Run => &self.run,
        };
        programs.iter().try_for_each(|program| seccompiler::apply_filter(program))
    }
}

fn compile(profile: Profile) -> Result<Vec<BpfProgram>, seccompiler::Error> {
    let mut refused = always(REFUSED);
    if profile == Profile::Build {
        refused.extend(always(REFUSED_IN_BUILDS));
    }
    refused.extend(conditional()?);
    Ok(vec![
        program(refused, EPERM)?,
        program(always(UNSUPPORTED), EOPNOTSUPP)?,
        program(always(ABSENT), ENOSYS)?,
        program(families()?, EAFNOSUPPORT)?,
        x32(),
    ])
}

/// Stops this process, and all it starts, for its tracer at the calls that tell what `world` shows otherwise.
pub(super) fn follow(world: &World) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter(&compiled(followed(world)?, SeccompAction::Trace(0))?)
}

/// The calls that `trace` answers or changes.
fn followed(world: &World) -> Result<Rules, seccompiler::Error> {
    let mut rules = Rules::new();
    if world.entries != Entries::Stored {
        rules.extend(always(LISTING));
    }
    if !world.clock.is_zero() {
        rules.extend(time_of_day()?);
    }
    if world.features != Features::Host {
        rules.extend(mapped_code()?);
    }
    Ok(rules)
}

/// The calls that map a file to be executed, for this process alone.
fn mapped_code() -> Result<Rules, seccompiler::Error> {
    let executable = has(2, libc::PROT_EXEC.cast_unsigned())?;
    let flags = (libc::MAP_TYPE | libc::MAP_ANONYMOUS).cast_unsigned();
    let of_a_file = compare(3, SeccompCmpOp::MaskedEq(flags.into()), libc::MAP_PRIVATE.cast_unsigned())?;
    Ok([(libc::SYS_mmap, vec![SeccompRule::new(vec![executable, of_a_file])?])].into())
}

/// The calls that tell the time of day, or wait for a moment of it.
fn time_of_day() -> Result<Rules, seccompiler::Error> {
    let rule = |conditions| -> Result<SeccompRule, seccompiler::Error> { Ok(SeccompRule::new(conditions)?) };
    let flag = |flag: i32| has(1, flag.cast_unsigned());
    let mut rules = always(TELLING);
    for clock in CLOCKS {
        let clock = compare(0, SeccompCmpOp::Eq, clock.cast_unsigned())?;
        rules.entry(libc::SYS_clock_gettime).or_default().push(rule(vec![clock.clone()])?);
        rules.entry(libc::SYS_clock_nanosleep).or_default().push(rule(vec![clock, flag(libc::TIMER_ABSTIME)?])?);
    }
    let command = SeccompCmpOp::MaskedEq(libc::FUTEX_CMD_MASK.cast_unsigned().into());
    let lock = compare(1, command, libc::FUTEX_LOCK_PI.cast_unsigned())?;
    rules.insert(libc::SYS_futex, vec![rule(vec![flag(libc::FUTEX_CLOCK_REALTIME)?])?, rule(vec![lock])?]);
    Ok(rules)
}

fn program(rules: Rules, errno: i32) -> Result<BpfProgram, seccompiler::Error> {
    compiled(rules, SeccompAction::Errno(errno.cast_unsigned()))
}

fn compiled(rules: Rules, action: SeccompAction) -> Result<BpfProgram, seccompiler::Error> {
    let architecture = std::env::consts::ARCH.try_into()?;
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, action, architecture)?.try_into()?)
}

/// An empty list of rules matches every call of that number.
fn always(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn conditional() -> Result<Rules, seccompiler::Error> {
    let mut rules = Rules::new();
    for &(call, mode) in MODES {
        for bit in SET_ID {
            rules.entry(call).or_default().push(SeccompRule::new(vec![has(mode, bit)?])?);
        }
    }
    for &(call, flags, mode) in OPENS {
        for (making, bit) in [libc::O_CREAT, TMPFILE].into_iter().flat_map(|making| SET_ID.map(|bit| (making, bit))) {
            let conditions = vec![has(flags, making.cast_unsigned())?, has(mode, bit)?];
            rules.entry(call).or_default().push(SeccompRule::new(conditions)?);
        }
    }
    for flag in NAMESPACES {
        let rule = SeccompRule::new(vec![has(0, flag.cast_unsigned())?])?;
        rules.entry(libc::SYS_clone).or_default().push(rule);
    }
    Ok(rules)
}

fn families() -> Result<Rules, seccompiler::Error> {
    let other = FAMILIES.map(|family| compare(0, SeccompCmpOp::Ne, family.cast_unsigned()));
    let rule = SeccompRule::new(other.into_iter().collect::<Result<_, _>>()?)?;
    Ok([(libc::SYS_socket, vec![rule.clone()]), (libc::SYS_socketpair, vec![rule])].into())
}

fn has(argument: u8, bit: u32) -> Result<SeccompCondition, seccompiler::Error> {
    compare(argument, SeccompCmpOp::MaskedEq(bit.into()), bit)
}

fn compare(argument: u8, operator: SeccompCmpOp, value: u32) -> Result<SeccompCondition, seccompiler::Error> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value.into())?)
}

/// x32 calls bear the architecture of x86_64 and numbers from 0x4000_0000 on, which `seccompiler` does not look at.
fn x32() -> BpfProgram {
    const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS, at 0: the number of the call
    const JUMP_IF_AT_LEAST: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    const FIRST: u32 = 0x4000_0000;
    let statement = |code, jf, k| sock_filter { code, jt: 0, jf, k };
    vec![
        statement(LOAD, 0, 0),
        statement(JUMP_IF_AT_LEAST, 1, FIRST),
        statement(RETURN, 0, SeccompAction::Errno(ENOSYS.cast_unsigned()).into()),
        statement(RETURN, 0, SeccompAction::Allow.into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_profiles_compile_and_differ() {
        let filters = Filters::compile().expect("compile");
        assert_ne!(filters.build[0], filters.run[0]);
        assert_eq!(filters.build[1..], filters.run[1..]);
    }

    #[test]
    fn no_call_is_refused_in_two_ways() {
        let calls = [REFUSED, REFUSED_IN_BUILDS, UNSUPPORTED, ABSENT].concat();
        let conditional = conditional().expect("rules").into_keys().chain(families().expect("rules").into_keys());
        let all: Vec<i64> = calls.into_iter().chain(conditional).collect();
        let distinct: std::collections::BTreeSet<i64> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len());
    }
}
