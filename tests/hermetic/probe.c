// Tries one way out of a sandbox, and says what the kernel answered. Exit code 1: refused; 0: it is through.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int talk(int type, const char *address, const char *port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = inet_addr(address)};
    int fd = socket(AF_INET, type, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) return -1;
    return write(fd, "x", 1);
}

static int abstract_socket(const char *name) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    memcpy(to.sun_path + 1, name, length);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

// Leaves its session and its parents, and goes on for as many seconds as its command line says.
static int daemonize(const char *seconds) {
    if (fork() != 0) return 0;
    setsid();
    if (fork() != 0) _exit(0);
    for (int fd = 0; fd < 64; fd++) close(fd);
    sleep(atoi(seconds));
    _exit(0);
}

static int load_bpf(void) {
    union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map);
}

static int attempt(char **words) {
#define IS(name) (strcmp(words[0], name) == 0)
    if (IS("tcp")) return talk(SOCK_STREAM, words[1], words[2]);
    if (IS("udp")) return talk(SOCK_DGRAM, words[1], words[2]);
    if (IS("abstract")) return abstract_socket(words[1]);
    if (IS("daemon")) return daemonize(words[1]);
    if (IS("bpf")) return load_bpf();
    if (IS("ptrace")) return ptrace(PTRACE_TRACEME, 0, 0, 0);
    if (IS("mount")) return mount("none", "/tmp", "tmpfs", 0, 0);
    if (IS("setuid")) return setuid(0);
    errno = ENOSYS;
    return -1;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    if (attempt(argv + 1) >= 0) return 0;
    printf("%s: %s\n", argv[1], strerror(errno));
    return 1;
}
