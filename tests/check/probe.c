/* Prints what a program can read off its world without any other program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "address")) {
    printf("%p\n", malloc(100000));
    return 0;
  }
  if (argc == 2 && !strcmp(argv[1], "features")) {
    printf("%d\n", __builtin_cpu_supports("sha"));
    return 0;
  }
  return 2;
}
