// Preloaded if ranks share few cores: MPICH over UCX never yields its core while it waits for a message, so
// that other ranks progress only by time slices; three ranks on two cores take twenty times as long. This
// library makes MPICH yield.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stddef.h>

unsigned ucp_worker_progress(void* worker) {
  static unsigned (*next)(void*);
  if (next == NULL) next = (unsigned (*)(void*))dlsym(RTLD_NEXT, "ucp_worker_progress");
  const unsigned done = next(worker);
  if (done == 0) sched_yield();
  return done;
}
