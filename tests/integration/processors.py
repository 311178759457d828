#!/usr/bin/env python3
"""Threads that a run takes by itself: under OpenMP's variables, and in control groups with a quota."""

import os
import re
import subprocess
import unittest

import runs

# mpirun is not asked here: it binds ranks by itself.
ALLOWED = sorted(os.sched_getaffinity(0))
GROUPS = "/sys/fs/cgroup/cpu" if os.path.isdir("/sys/fs/cgroup/cpu") else "/sys/fs/cgroup"
IS_VERSION_1 = GROUPS.endswith("cpu")


def start_of(extra=None, group=None, words=()):
    """(threads, processors, warnings) of a dry run."""
    if group is None:
        environment = runs.environment(extra=extra)
        if "OMP_NUM_THREADS" not in (extra or {}):
            del environment["OMP_NUM_THREADS"]
        done = subprocess.run(runs.command(["train", "--config", "tiny.ini", "--dry-run", *words]), env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        outcome = runs.Outcome(done.returncode, done.stdout, done.stderr)
    else:
        outcome = runs.convoy("-c", f"unset OMP_NUM_THREADS; echo $$ > {group} && exec '{runs.CONVOY}' train --config tiny.ini --dry-run {' '.join(words)}",
                              program="/bin/sh")
    found = re.search(r"rank 0 on \S+, (\d+) threads?, processors (\S+?)[,\n]", outcome.output)
    if outcome.status != 0 or found is None:
        raise AssertionError(outcome)
    return int(found[1]), found[2], outcome.errors


@unittest.skipIf(len(ALLOWED) < 2, "this machine has one processor")
class Variables(runs.Folder):
    def test_openmp_binds_threads_not_runs(self):
        everywhere = start_of()
        self.assertEqual(everywhere[0], len(ALLOWED))
        first, second = ALLOWED[:2]
        for bind in ("true", "close", "spread", "TRUE", "false"):
            for places in (None, "cores", "threads", "sockets"):
                extra = {"OMP_PROC_BIND": bind, **({"OMP_PLACES": places} if places else {})}
                with self.subTest(**extra):
                    self.assertEqual(start_of(extra), everywhere)
        self.assertEqual(start_of({"OMP_PLACES": "cores"}), everywhere)
        pair = start_of({"OMP_PLACES": f"{{{first}}},{{{second}}}"})
        self.assertEqual(pair[0], 2)
        self.assertEqual(start_of({"OMP_PLACES": f"{{{second}}}"})[:2], (1, str(second)))
        self.assertEqual(start_of({"OMP_PROC_BIND": "master"})[0], 1)
        # Each thread has a processor: no alarm. Two on one: alarm.
        self.assertEqual(start_of({"OMP_PROC_BIND": "close", "OMP_NUM_THREADS": "2"})[2], "")
        self.assertRegex(start_of({"OMP_PLACES": f"{{{second}}}", "OMP_NUM_THREADS": "2"})[2], r"2 threads .* on 1 processor")


@unittest.skipIf(len(ALLOWED) < 2, "this machine has one processor")
class Ranks(runs.Folder):
    def start(self, extra):
        done = subprocess.run(runs.unbound(runs.command(["train", "--config", "tiny.ini", "--dry-run"], ranks=2)), text=True,
                              env=runs.environment(extra=extra), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return "".join(line for line in done.stderr.splitlines() if "convoy train: warning" in line)

    def test_ranks_that_openmp_pins_to_one_processor_are_told(self):
        self.assertEqual(self.start({}), "")
        for extra in ({"OMP_PLACES": "cores"}, {"OMP_PLACES": "threads"}, {"OMP_PROC_BIND": "close"}, {"OMP_PROC_BIND": "TRUE"},
                      {"OMP_PROC_BIND": "spread", "OMP_PLACES": "threads"}):
            with self.subTest(**extra):
                self.assertRegex(self.start(extra), r"OpenMP pins the 2 threads of ranks 0-1 .*unset " + " and ".join(extra))
        self.assertRegex(self.start({"OMP_PROC_BIND": "master"}), r"2 threads \(ranks 0-1\) on 1 processor.*unset OMP_PROC_BIND")


@unittest.skipIf(len(ALLOWED) < 2, "this machine has one processor")
class Helpers(runs.Folder):
    def allowed(self, pid):
        """The processors of each thread of a process."""
        found = []
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                found.append(sorted(os.sched_getaffinity(int(thread))))
            except ProcessLookupError:
                pass
        return found

    def test_threads_beside_openmps_may_run_on_all_its_places(self):
        first, second = ALLOWED[:2]
        extra = {"OMP_PLACES": f"{{{first}}},{{{second}}}", "OMP_PROC_BIND": "close"}
        words = ["train", "--config", "tiny.ini", "--train.epochs", "100000"]
        with runs.Running(*words, threads=2, extra=extra) as running:
            running.wait_until(lambda: runs.last_step("run") >= 20, "step 20")
            allowed = self.allowed(running.process.pid)
        self.assertIn([first], allowed)  # the compute threads
        self.assertIn([second], allowed)
        self.assertIn([first, second], allowed, "the I/O thread takes turns with the first compute thread")


class Quota(runs.Folder):
    def setUp(self):
        super().setUp()
        self.group = os.path.join(GROUPS, f"convoy-test-{os.getpid()}")
        try:
            os.mkdir(self.group)
            self.addCleanup(os.rmdir, self.group)
            self.grant(1)
        except OSError as error:
            self.skipTest(f"no control group with a quota can be made here ({error})")

    def grant(self, processors):
        quota = int(processors * 100000)
        for name, value in ([("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", str(quota))] if IS_VERSION_1 else
                            [("cpu.max", f"{quota} 100000")]):
            with open(os.path.join(self.group, name), "w", encoding="utf-8") as file:
                file.write(value)

    def test_a_run_takes_no_more_threads_than_its_quota(self):
        tasks = os.path.join(self.group, "cgroup.procs")
        self.assertEqual(start_of(group=tasks)[0], 1)
        self.assertEqual(start_of(group=tasks)[2], "")
        self.assertRegex(start_of(group=tasks, words=["--run.threads", "2"])[2],
                         r"runs 2 threads, but its control group grants the time of 1 processor: ")
        self.grant(0.5)
        self.assertEqual(start_of(group=tasks)[0], 1)
        self.grant(64)
        self.assertEqual(start_of(group=tasks)[0], len(ALLOWED))


if __name__ == "__main__":
    runs.main()
