// Tries one system call and prints the name of its errno, or OK. Linked statically, run inside sandboxes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static long attempt(const char *what) {
    static char zeros[256];
#define IS(name) (strcmp(what, name) == 0)
    if (IS("bpf")) return syscall(SYS_bpf, 0, zeros, sizeof zeros);
    if (IS("chmod-setuid")) return chmod("/build/file", 04755);
    if (IS("chmod-setgid")) return chmod("/build/file", 02755);
    if (IS("fchmodat2-setuid")) return syscall(452, AT_FDCWD, "/build/file", 04755, 0);
    if (IS("open-setuid")) return open("/build/new", O_CREAT | O_WRONLY, 04755);
    if (IS("tmpfile-setuid")) return open("/build", O_TMPFILE | O_WRONLY, 04755);
    if (IS("openat2")) return syscall(437, AT_FDCWD, "/build/file", zeros, 24);
    if (IS("mknod-setuid")) return mknod("/build/node", S_IFREG | 04755, 0);
    if (IS("mknod-device")) return mknod("/build/node", S_IFCHR | 0600, 0x103);
    if (IS("setxattr")) return setxattr("/build/file", "user.x", "y", 1, 0);
    if (IS("ptrace")) return ptrace(PTRACE_TRACEME, 0, 0, 0);
    if (IS("mount")) return mount("none", "/tmp", "tmpfs", 0, 0);
    if (IS("umount")) return umount2("/proc", MNT_DETACH);
    if (IS("mount_setattr")) return syscall(442, AT_FDCWD, "/", 0, zeros, 32);
    if (IS("open_tree")) return syscall(428, AT_FDCWD, "/", 1);
    if (IS("fsopen")) return syscall(430, "tmpfs", 0);
    if (IS("unshare")) return unshare(CLONE_NEWUSER);
    if (IS("setns")) return setns(0, 0);
    if (IS("chroot")) return chroot("/");
    if (IS("clone-newuser")) return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (IS("clone3")) return syscall(435, zeros, 88);
    if (IS("keyctl")) return syscall(SYS_keyctl, 0, -3, 0);
    if (IS("add_key")) return syscall(SYS_add_key, "user", "x", "y", 1, -3);
    if (IS("userfaultfd")) return syscall(SYS_userfaultfd, 1);
    if (IS("perf_event_open")) return syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0);
    if (IS("io_uring_setup")) return syscall(425, 1, zeros);
    if (IS("setuid-root")) return setuid(0);
    if (IS("setgroups")) return syscall(SYS_setgroups, 0, 0);
    if (IS("vsock")) return socket(AF_VSOCK, SOCK_STREAM, 0);
    if (IS("packet")) return socket(AF_INET, SOCK_RAW, 1);
    if (IS("x32")) return syscall(0x40000000 + SYS_getpid);
    if (IS("core-pattern")) return open("/proc/sys/kernel/core_pattern", O_WRONLY);
    if (IS("sysrq")) return open("/proc/sysrq-trigger", O_WRONLY);
    if (IS("host-name")) return open("/proc/sys/kernel/hostname", O_WRONLY);
    if (IS("chmod-device")) return chmod("/dev/null", 0600);
    if (IS("look-at-init")) return open("/proc/1/environ", O_RDONLY);
    if (IS("ia32")) { // getpid by the 32-bit door: the kernel ends the process
        long pid;
        __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20));
        return pid;
    }
    errno = ENOTTY;
    return -1;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        errno = 0;
        int ok = attempt(argv[i]) >= 0;
        printf("%s %s\n", argv[i], ok ? "OK" : strerrorname_np(errno));
        fflush(stdout);
    }
    return 0;
}
