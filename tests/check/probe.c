/* Prints what a program can read off its world without any other program. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "address")) {
    /* Of the stack: the heap's also depends on what the C library sets up at its start. */
    printf("%p\n", (void *)&argc);
    return 0;
  }
  if (argc == 2 && !strcmp(argv[1], "features")) {
    /* Beyond x86-64-v3, and in every processor since 2010. */
    printf("%d\n", __builtin_cpu_supports("aes"));
    return 0;
  }
  return 2;
}
