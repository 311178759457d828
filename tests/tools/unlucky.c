// Preloaded library: simulates the faults named in $UNLUCKY, for tests of `convoy doctor`.
//   locks        file locks are refused
//   hang         taking a file lock never returns
//   quota        this user's quota leaves 1 MiB
//   clock        the wall clock is 100 s ahead
//   stop         the process stops when it reads its limit of processor time
//   fsync        fsync of 1 MiB or more takes 3 s
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int has(const char* fault) {
  const char* faults = getenv("UNLUCKY");
  return faults != NULL && strstr(faults, fault) != NULL;
}

static int lock_fails(void) {
  while (has("hang")) pause();
  if (!has("locks")) return 0;
  errno = ENOLCK;
  return 1;
}

int flock(int file, int operation) {
  int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
  return lock_fails() ? -1 : next(file, operation);
}

static int control(const char* name, int file, int command, void* argument) {
  int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
  if ((command == F_SETLK || command == F_SETLKW) && lock_fails()) return -1;
  return next(file, command, argument);
}

int fcntl(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return control("fcntl", file, command, argument);
}

int fcntl64(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return control("fcntl64", file, command, argument);
}

int quotactl(int command, const char* device, int id, caddr_t answer) {
  int (*next)(int, const char*, int, caddr_t) =
      (int (*)(int, const char*, int, caddr_t))dlsym(RTLD_NEXT, "quotactl");
  if (!has("quota") || command != (int)QCMD(Q_GETQUOTA, USRQUOTA)) return next(command, device, id, answer);
  struct dqblk limits = {.dqb_bhardlimit = 10240, .dqb_curspace = 9 << 20};
  memcpy(answer, &limits, sizeof limits);
  return 0;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  int (*next)(clockid_t, struct timespec*) =
      (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  const int result = next(clock, now);
  if (clock == CLOCK_REALTIME && has("clock")) now->tv_sec += 100;
  return result;
}

int getrlimit(__rlimit_resource_t resource, struct rlimit* limit) {
  int (*next)(__rlimit_resource_t, struct rlimit*) =
      (int (*)(__rlimit_resource_t, struct rlimit*))dlsym(RTLD_NEXT, "getrlimit");
  if (resource == RLIMIT_CPU && has("stop")) raise(SIGSTOP);
  return next(resource, limit);
}

int fsync(int file) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  struct stat status;
  if (has("fsync") && fstat(file, &status) == 0 && status.st_size >= 1 << 20) sleep(3);
  return next(file);
}
