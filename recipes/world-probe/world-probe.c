// Prints, one fact a line, what a process can read off its world: what must be the same on every
// machine for a build to be reproducible. Linked statically, so that it runs under any root.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The environment in the order of names, less what the build's jobserver put there.
static void print_environment(void) {
    size_t count = 0;
    while (environ[count]) count++;
    qsort(environ, count, sizeof *environ, by_text);
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "MAKEFLAGS=", 10) != 0) printf("env %s\n", environ[i]);
}

// Numbers of open descriptors; the one that reads the folder is not counted.
static void print_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) {
        printf("descriptors unknown: %s\n", strerror(errno));
        return;
    }
    int highest = -1, count = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int number = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || number == dirfd(folder)) continue;
        count++;
        if (number > highest) highest = number;
    }
    closedir(folder);
    printf("descriptors %d highest %d\n", count, highest);
}

int main(void) {
    struct utsname host;
    if (uname(&host) == 0) printf("host %s machine %s\n", host.nodename, host.machine);
    printf("uid %d gid %d\n", (int)getuid(), (int)getgid());
    mode_t mask = umask(0);
    umask(mask);
    printf("umask %04o\n", (unsigned)mask);
    printf("personality %08x\n", (unsigned)personality(0xffffffff));
    char folder[4096];
    if (getcwd(folder, sizeof folder)) printf("folder %s\n", folder);
    time_t epoch = 0;
    struct tm *local = localtime(&epoch);
    if (local) printf("zone %s offset %ld\n", local->tm_zone, local->tm_gmtoff);
    print_descriptors();
    print_environment();
    return 0;
}
