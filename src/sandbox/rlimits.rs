//! The resource limits of every sandbox: the same numbers on every host.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::error::{Failure, Stage, Staged as _};

const UNLIMITED: Option<u64> = None;
/// Open files of one process.
const OPEN_FILES: u64 = 4096;
/// Processes and threads of one sandbox. The kernel exempts root, so this holds where forge is an ordinary user.
const PROCESSES: u64 = 16 << 10;
/// The largest file a command may write.
const FILE_BYTES: u64 = 256 << 30;
/// The main thread's stack; compilers raise it for themselves, so only the soft limit is set.
const STACK_BYTES: u64 = 8 << 20;
/// Memory that may be locked.
const LOCKED_BYTES: u64 = 8 << 20;
/// POSIX message queues.
const QUEUE_BYTES: u64 = 819_200;
/// Signals waiting.
const PENDING_SIGNALS: u64 = 4096;

/// Resource, soft and hard limit.
const TABLE: [(Resource, Option<u64>, Option<u64>); 16] = [
    (Resource::As, UNLIMITED, UNLIMITED),
    (Resource::Core, Some(0), Some(0)),
    (Resource::Cpu, UNLIMITED, UNLIMITED),
    (Resource::Data, UNLIMITED, UNLIMITED),
    (Resource::Fsize, Some(FILE_BYTES), Some(FILE_BYTES)),
    (Resource::Locks, UNLIMITED, UNLIMITED),
    (Resource::Memlock, Some(LOCKED_BYTES), Some(LOCKED_BYTES)),
    (Resource::Msgqueue, Some(QUEUE_BYTES), Some(QUEUE_BYTES)),
    (Resource::Nice, Some(0), Some(0)),
    (Resource::Nofile, Some(OPEN_FILES), Some(OPEN_FILES)),
    (Resource::Nproc, Some(PROCESSES), Some(PROCESSES)),
    (Resource::Rss, UNLIMITED, UNLIMITED),
    (Resource::Rtprio, Some(0), Some(0)),
    (Resource::Rttime, UNLIMITED, UNLIMITED),
    (Resource::Sigpending, Some(PENDING_SIGNALS), Some(PENDING_SIGNALS)),
    (Resource::Stack, Some(STACK_BYTES), UNLIMITED),
];

/// Sets them all. A host that allows an ordinary user less than the table gives less: it can't be raised.
pub(super) fn set() -> Result<(), Failure> {
    for (resource, soft, hard) in TABLE {
        let ceiling = getrlimit(resource).maximum;
        let limit = Rlimit { current: lower(soft, ceiling), maximum: lower(hard, ceiling) };
        setrlimit(resource, limit).staged(Stage::World, || format!("setting the limit {resource:?}"))?;
    }
    Ok(())
}

/// The lower of two limits, where `None` is no limit.
fn lower(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    [a, b].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn none_is_no_limit() {
        for (a, b, want) in
            [(None, None, None), (Some(1), None, Some(1)), (None, Some(2), Some(2)), (Some(3), Some(2), Some(2))]
        {
            assert_eq!(lower(a, b), want);
        }
    }
}
