// Says what it sees of its world. Linked statically and dynamically, run inside sandboxes with a tracer.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    if (IS("list")) list(argv[2], 0), list(argv[2], 1);
    if (IS("segv")) *(volatile int *)8 = 0;
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
