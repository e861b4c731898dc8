// Says what it sees of its world. Linked statically and dynamically, run inside sandboxes with a tracer.
#define _GNU_SOURCE
#include <cpuid.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long milliseconds(clockid_t clock) {
    struct timespec now;
    syscall(SYS_clock_gettime, clock, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Every way to read the time of day, in seconds.
static void *tell(void *unused) {
    struct timespec fine, coarse, raw;
    struct timeval day;
    struct timezone zone = {-1, -1};
    clock_gettime(CLOCK_REALTIME, &fine);
    clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &raw);
    gettimeofday(&day, NULL);
    long seconds = time(NULL), stored;
    syscall(SYS_gettimeofday, NULL, &zone);
    if (syscall(SYS_time, &stored) != stored || zone.tz_minuteswest != 0) abort();
    printf("%ld %ld %ld %ld %ld %ld\n", fine.tv_sec, coarse.tv_sec, raw.tv_sec, (long)day.tv_sec, seconds, stored);
    fflush(stdout);
    return unused;
}

// How long waits for a moment a tenth of a second ahead take, in milliseconds.
static void wait_for_moments(void) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    struct timespec moment;
    for (int way = 0; way < 2; way++) {
        long start = milliseconds(CLOCK_MONOTONIC);
        clock_gettime(CLOCK_REALTIME, &moment);
        moment.tv_nsec += 100000000;
        if (moment.tv_nsec >= 1000000000) moment.tv_sec++, moment.tv_nsec -= 1000000000;
        struct timespec before = moment;
        pthread_mutex_lock(&mutex);
        int error = way ? pthread_cond_timedwait(&never, &mutex, &moment)
                        : clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &moment, NULL);
        pthread_mutex_unlock(&mutex);
        if (memcmp(&before, &moment, sizeof moment) != 0) abort();
        printf("%s %ld\n", error ? strerrorname_np(error) : "OK", milliseconds(CLOCK_MONOTONIC) - start);
    }
}

static void list(const char *path, int in_one_call) {
    char buffer[4096];
    DIR *directory = opendir(path);
    if (in_one_call) { // the old call
        long count = syscall(SYS_getdents, dirfd(directory), buffer, sizeof buffer);
        for (long at = 0; at < count; at += *(unsigned short *)(buffer + at + 16)) printf("%s ", buffer + at + 18);
    } else {
        for (struct dirent *entry; (entry = readdir(directory));) printf("%s ", entry->d_name);
    }
    puts("");
}

static void *exec_date(void *unused) {
    execl("/bin/date", "date", "+%s", NULL);
    return unused;
}

static void *wait_for_ever(void *unused) {
    for (;;) pause();
    return unused;
}

static void *sleep_a_little(void *unused) {
    usleep(1000);
    return unused;
}

typedef void ask(unsigned leaf, unsigned *answer);

// In a library, too.
__attribute__((noinline)) void ask_processor(unsigned leaf, unsigned *answer) {
    __asm__ volatile("cpuid" : "=a"(answer[0]), "=b"(answer[1]), "=c"(answer[2]), "=d"(answer[3]) : "0"(leaf), "2"(0));
}

static void tell_features(ask *ask) {
    unsigned a[4];
    ask(7, a);
    printf("7: %x %x %x\n", a[1], a[2], a[3]);
}

// What the kernel told the program; glibc's getauxval says something of its own.
static unsigned long told(unsigned long kind) {
    unsigned long *word = (unsigned long *)environ;
    while (*word++) continue;
    while (word[0] != AT_NULL && word[0] != kind) word += 2;
    return word[0] == AT_NULL ? -1 : word[1];
}

static void *tell_processor(void *unused) {
    unsigned a[4], brand[13] = {0};
    ask_processor(0, a);
    printf("%.4s%.4s%.4s up to %x\n", (char *)&a[1], (char *)&a[3], (char *)&a[2], a[0]);
    for (int i = 0; i < 3; i++) ask_processor(0x80000002 + i, brand + 4 * i);
    printf("%s\n", (char *)brand);
    ask_processor(1, a);
    printf("1: %x %x %x, %lx %lx\n", a[0], a[2], a[3], told(AT_HWCAP), told(AT_HWCAP2));
    tell_features(ask_processor);
    __builtin_cpu_init();
#define SUPPORTS(name) printf(name " %d\n", !!__builtin_cpu_supports(name))
    SUPPORTS("avx2"), SUPPORTS("bmi2"), SUPPORTS("fma"), SUPPORTS("aes"), SUPPORTS("vaes"), SUPPORTS("pclmul");
    SUPPORTS("gfni"), SUPPORTS("avx512f"), SUPPORTS("avx512vl");
    fflush(stdout);
    return unused;
}

// Code that a library brings.
static void tell_by_library(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    if (library == NULL) exit((puts(dlerror()), 1));
    tell_features((ask *)dlsym(library, "ask_processor"));
}

// Numbers that read like the instruction, in the section of code, and constants that read like a whole
// function, which some linkers put beside it.
__asm__(".text\n.balign 16\nnumbers: .rept 256\n.long 0xa20f\n.endr\n");
extern const volatile unsigned numbers[256] __attribute__((visibility("hidden")));
#define FUNCTION 0x53, 0x89, 0xf8, 0x31, 0xc9, 0x0f, 0xa2, 0x89, 0x06, 0x89, 0x5e, 0x04, 0x89, 0x4e, 0x08, 0x5b, 0xc3
static const volatile unsigned char constants[][17] = {{FUNCTION}, {FUNCTION}, {FUNCTION}, {FUNCTION}, {FUNCTION},
                                                       {FUNCTION}, {FUNCTION}, {FUNCTION}, {FUNCTION}, {FUNCTION}};

static void tell_data(void) {
    int changed = 0;
    for (int i = 0; i < 256; i++) changed += numbers[i] != 0xa20f;
    for (int i = 0; i < 10; i++) changed += constants[i][5] != 0x0f;
    printf("%d changed\n", changed);
}

static volatile sig_atomic_t caught;
static void catch(int signal) { caught = signal; }

static void storm(int depth) { // two children each, and a thread that reads the clock
    pthread_t thread;
    if (depth == 0) return;
    for (int child = 0; child < 2; child++) {
        pid_t pid = child ? vfork() : fork();
        if (pid == 0 && child) _exit(execl("/bin/true", "true", NULL));
        if (pid == 0) {
            storm(depth - 1);
            _exit(0);
        }
        pthread_create(&thread, NULL, sleep_a_little, NULL);
        for (int i = 0; i < 20; i++) time(NULL);
        int status;
        if (waitpid(pid, &status, 0) != pid || status != 0) abort();
        pthread_join(thread, NULL);
    }
}

int main(int argc, char **argv) {
    pthread_t thread;
#define IS(name) (strcmp(argv[1], name) == 0)
    if (argc < 2) return 2;
    if (IS("time")) tell(NULL);
    if (IS("time-in-thread")) pthread_create(&thread, NULL, tell, NULL), pthread_join(thread, NULL);
    if (IS("time-after-fork") && fork() == 0) execl("/proc/self/exe", "self", "time", NULL);
    if (IS("date-from-thread")) pthread_create(&thread, NULL, exec_date, NULL), wait_for_ever(NULL);
    if (IS("bad-address")) {
        long answer = syscall(SYS_clock_gettime, CLOCK_REALTIME, 8L);
        printf("%ld %s\n", answer, strerrorname_np(errno));
    }
    if (IS("spans")) printf("%ld\n", milliseconds(CLOCK_MONOTONIC) / 1000);
    if (IS("moments")) wait_for_moments();
    if (IS("processor")) tell_processor(NULL);
    if (IS("processor-in-thread")) pthread_create(&thread, NULL, tell_processor, NULL), pthread_join(thread, NULL);
    if (IS("processor-after-fork") && fork() == 0) execl("/proc/self/exe", "self", "processor", NULL);
    if (IS("library")) tell_by_library(argv[2]);
    if (IS("data")) tell_data();
    if (IS("list")) list(argv[2], 0), list(argv[2], 1);
    if (IS("segv")) *(volatile int *)8 = 0;
    if (IS("halt")) __asm__ volatile("hlt");
    if (IS("catch")) {
        signal(SIGSEGV, catch), signal(SIGTRAP, catch);
        for (int i = 0; i < 2; i++) raise(i ? SIGTRAP : SIGSEGV), printf("%d\n", caught);
    }
    if (IS("stop")) { // job control: a stopped child is seen, continued, and ends
        int status, pid = fork();
        if (pid == 0) raise(SIGSTOP), _exit(7);
        waitpid(pid, &status, WUNTRACED);
        printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
        kill(pid, SIGCONT);
        waitpid(pid, &status, 0);
        printf("exited %d\n", WEXITSTATUS(status));
    }
    if (IS("storm")) storm(4);
    while (wait(NULL) > 0) continue;
    return 0;
}
