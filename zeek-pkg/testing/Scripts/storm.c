/* storm PID MICROSECONDS SIGNAL: waits until the process handles the signal,
   then sends it again and again until the process has ended, and prints how
   often. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* State of the process, 0 when it is gone, and whether it handles the signal. */
static char look(pid_t pid, int sig, int *handled) {
  char path[64], line[256], state = 0;
  unsigned long long caught;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f)) {
    sscanf(line, "State: %c", &state);
    if (sscanf(line, "SigCgt: %llx", &caught) == 1)
      *handled = caught >> (sig - 1) & 1;
  }
  if (f)
    fclose(f);
  return state;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  pid_t pid = atoi(argv[1]);
  int pause = atoi(argv[2]), sig = atoi(argv[3]), handled = 0;
  for (long n = 0;; usleep(pause)) {
    if (n % 64 == 0) {
      char state = look(pid, sig, &handled);
      if (state == 0 || state == 'Z') { /* a zombie takes signals, too */
        printf("%ld\n", n);
        return 0;
      }
    }
    if (handled && kill(pid, sig) == 0)
      n++;
  }
}
