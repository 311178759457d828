#!/usr/bin/env python3
"""`convoy doctor` finds each of several injected faults, names its place and its fix, and reports no fault if there is
none. Faults of several hosts: tests/cluster/doctor."""

import json
import os
import re
import shlex
import subprocess
import unittest

import runs

UNLUCKY = os.environ["UNLUCKY_LIBRARY"]
DOCTOR = [runs.CONVOY, "doctor"]
# Long enough for the checks before the hanging one, on a loaded machine.
PATIENT = "15"
CONFIGURED = ["--config", "tiny.ini"]


def run(words, extra=None, threads=None):
    done = subprocess.run([str(word) for word in words], env=runs.environment(threads, extra), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=2 * runs.PATIENCE_SECONDS, check=False)
    return runs.Outcome(done.returncode, done.stdout, done.stderr)


def ranks(first, second=None):
    """mpirun's arguments for one rank per list; without `second`, for two equal ranks."""
    return runs.LAUNCHER + ["-n", "2", *first] if second is None else runs.unlike_ranks(first, second)


def limited(limits, words):
    """`words` under shell limits, such as "-n 100"."""
    return ["sh", "-c", f"ulimit {limits} && exec {shlex.join(words)}"]


def preloaded(fault):
    """Words before a program that inject this fault."""
    return ["env", "LD_PRELOAD=" + UNLUCKY, "UNLUCKY=" + fault]


class Doctor(runs.Folder):
    def assert_found(self, outcome, verdict, check, pattern, remedy, is_cut_short=False):
        """A line with this verdict contains fault and fix; the exit status shows whether there is a fault."""
        lines = [line for line in outcome.output.splitlines() if re.match(rf"{verdict} +{re.escape(check)} ", line)]
        self.assertTrue(any(re.search(f"({pattern}).*; mend: .*{remedy}", line) for line in lines), outcome)
        if is_cut_short:
            self.assertIn(outcome.status, runs.ended_with(1), outcome)
        else:
            self.assertEqual(outcome.status, 1 if verdict == "wrong" else 0, outcome)

    def in_own_mounts(self, mounts, words, extra=None):
        """`words` after the shell commands `mounts`, in a private mount namespace."""
        tried = subprocess.run(["unshare", "--mount", "sh", "-c", mounts], capture_output=True, check=False)
        if tried.returncode != 0:
            self.skipTest("nothing can be mounted here (it takes root)")
        return run(["unshare", "--mount", "sh", "-c", f"{mounts} && exec {shlex.join(words)}"], extra)

    def test_nothing_is_wrong_with_this_machine(self):
        outcome = run(ranks(DOCTOR + CONFIGURED + ["--json", "found.json"]))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertNotRegex(outcome.output, r"(?m)^wrong ")
        checks = ("configuration", "launcher", "mpi", "program", "instructions", "bindings", "threads", "limits",
                  "memory", "tmpdir", "shared memory", "clock", "network", "run.dir", "space", "locks", "hdf5")
        for check in checks:
            self.assertRegex(outcome.output, rf"(?m)^(ok|warning) +{re.escape(check)} +\S")
        with open("found.json", encoding="utf-8") as file:
            found = json.load(file)
        self.assertEqual((found["ranks"], found["status"]), (2, 0))
        self.assertEqual({each["check"] for each in found["findings"]}, set(checks))
        self.assertFalse(os.path.exists("run"), "what doctor makes it removes")
        self.assertEqual(runs.leftovers("."), [])
        self.assertEqual([name for name in os.listdir(".") if name.startswith(".")], [])
        alone = run(DOCTOR)
        self.assertEqual(alone.status, 0, alone)

    def test_usage(self):
        self.assertEqual(run(DOCTOR + ["--help"]).status, 0)
        self.assert_message(run(DOCTOR + ["--config", "nope.ini"]), 2, r"nope\.ini")
        self.assert_message(run(DOCTOR + ["--run.threads", "two"]), 2, r"run\.threads = 'two'")
        self.assert_message(run(DOCTOR + ["--data.file", "tiny.h5", "--network.layer", "dense 4"]), 2, r"missing network\.loss, schedule\.lr")
        few = run(DOCTOR + ["--run.threads", "2", "--dir", "."])
        self.assertNotIn("missing", few.output + few.errors)
        self.assertRegex(few.output, r"(?m)^ok +threads +2 threads a rank")
        self.assert_message(run(DOCTOR + ["--timeout", "0"]), 2, r"--timeout '0'")

    def test_processes_that_do_not_see_one_another(self):
        outcome = run(DOCTOR, {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_ID": "0"})
        self.assert_found(outcome, "wrong", "launcher", r"without PMI|started 4 processes, .* one rank", f"srun --mpi={runs.PMI}")
        outcome = run(DOCTOR, {"SLURM_NTASKS": "4", "SLURM_JOB_ID": "7"})
        self.assert_found(outcome, "wrong", "launcher", r"4 tasks", f"srun --mpi={runs.PMI} --ntasks=4")
        outcome = run(DOCTOR, {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "3"})
        self.assertEqual((outcome.status, outcome.output), (0, ""), "only the first of them tells")

    def test_more_threads_than_processors(self):
        outcome = run(ranks(DOCTOR), threads=4 * os.cpu_count())
        self.assert_found(outcome, "wrong", "bindings", r"threads \(ranks 0-1\) on \d+ processors", r"--bind-to core")
        self.assertIn("srun --cpus-per-task", outcome.output)

    def test_ranks_bound_to_one_processor(self):
        processor = str(min(os.sched_getaffinity(0)))
        outcome = run(ranks(["taskset", "-c", processor, *DOCTOR]))
        self.assert_found(outcome, "wrong", "bindings", r"2 threads \(ranks 0-1\) on 1 processor",
                          r"mpirun --map-by ppr:2:node:pe=1 --bind-to core")

    def test_bindings_that_overlap(self):
        processors = sorted(os.sched_getaffinity(0))
        if len(processors) < 2:
            self.skipTest("one processor cannot overlap in part")
        one, two = str(processors[0]), f"{processors[0]},{processors[1]}"
        outcome = run(ranks(["taskset", "-c", one, *DOCTOR], ["taskset", "-c", two, *DOCTOR]))
        self.assert_found(outcome, "wrong", "bindings", r"bindings overlap on \S+ \(ranks 0-1", r"--bind-to core")

    def test_threads_that_the_environment_gets_wrong(self):
        outcome = run(ranks(DOCTOR, ["env", "OMP_NUM_THREADS=two", *DOCTOR]))
        self.assert_found(outcome, "wrong", "threads", r"OMP_NUM_THREADS='two'.*\[rank 1 on ", r"OMP_NUM_THREADS=N")
        outcome = run(ranks(["env", "OMP_THREAD_LIMIT=1", "OMP_NUM_THREADS=2", *DOCTOR]))
        self.assertRegex(outcome.output, r"(?m)^wrong +threads +OMP_THREAD_LIMIT.*mend: unset OMP_THREAD_LIMIT")

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "this machine has one processor")
    def test_openmp_pins_ranks_that_are_not_bound_to_the_same_processor(self):
        unbound = runs.unbound(ranks(DOCTOR))
        for extra in ({"OMP_PROC_BIND": "true"}, {"OMP_PROC_BIND": "Close"}, {"OMP_PROC_BIND": "spread"},
                      {"OMP_PLACES": "cores"}, {"OMP_PLACES": "threads"}, {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}):
            with self.subTest(**extra):
                outcome = run(unbound, extra)
                self.assert_found(outcome, "wrong", "bindings", r"OpenMP pins the 2 threads of ranks 0-1 .* to 1 core .processor \d+",
                                  "unset " + " and ".join(extra) + r", or .*--bind-to core")
        outcome = run(unbound, {"OMP_PROC_BIND": "master"})
        self.assert_found(outcome, "wrong", "bindings", r"2 threads \(ranks 0-1\) on 1 processor", r"unset OMP_PROC_BIND")
        self.assertNotRegex(run(unbound, {"OMP_PROC_BIND": "False", "OMP_PLACES": "cores"}).output, r"(?m)^wrong ")

    def test_other_builds(self):
        with open("other", "wb") as file:
            file.write(runs.read(runs.CONVOY) + b"\0")
        os.chmod("other", 0o755)
        outcome = run(ranks(DOCTOR, ["./other", "doctor"]))
        self.assert_found(outcome, "wrong", "program", r"other builds of convoy.* \(rank [01] on .* \(rank [01] on ",
                          r"copy one build to all nodes")

    def test_instruction_sets_that_differ(self):
        outcome = run(ranks(DOCTOR, ["env", "CONVOY_ISA=portable", *DOCTOR]))
        if "ok       instructions" in outcome.output:
            self.skipTest("this processor has one set alone")
        self.assert_found(outcome, "warning", "instructions", r"portable \(rank 1 on .*all ranks use portable",
                          r"nodes of one kind")
        if re.search(r"instructions.*avx512", outcome.output):
            outcome = run(ranks(DOCTOR, ["env", "CONVOY_ISA=avx2", *DOCTOR]))
            self.assertRegex(outcome.output, r"ok +instructions .*avx2 \(rank 1 on .*the same bits")
        outcome = run(ranks(DOCTOR, ["env", "CONVOY_ISA=bogus", *DOCTOR]))
        self.assert_found(outcome, "wrong", "instructions", r"bogus.*\[rank 1 on ", r"unset CONVOY_ISA")

    def test_a_configuration_that_one_rank_does_not_see(self):
        os.mkdir("elsewhere")
        words = [*DOCTOR, "--config", os.path.abspath("tiny.ini")]
        outcome = run(ranks(words, ["env", "--chdir=elsewhere", *words]))
        self.assert_found(outcome, "wrong", "configuration", r"data\.file data\.h5 is not there \[rank 1 on ",
                          r"let every node see it")
        self.assert_found(outcome, "wrong", "run.dir", r"is not there: .*another working directory \[rank 1 on ",
                          r"all nodes mount")

    def test_few_open_files(self):
        outcome = run(ranks(limited("-n 100", DOCTOR)))
        self.assert_found(outcome, "wrong", "limits", r"only 100 open files", r"ulimit -n 65536")

    def test_little_locked_memory(self):
        # A working card, as the kernel shows it.
        port = "/sys/class/infiniband/mlx5_0/ports/1"
        mounts = f"mount -t tmpfs none /sys/class && mkdir -p {port} && echo '4: ACTIVE' >{port}/state"
        outcome = self.in_own_mounts(mounts, ranks(limited("-l 64", DOCTOR)))
        self.assert_found(outcome, "wrong", "limits", r"only 66 kB of memory may be locked.*mlx5_0",
                          r"ulimit -l unlimited")

    def test_other_limits(self):
        outcome = run(ranks(limited("-t 3600 && ulimit -s 1024", DOCTOR)))
        self.assert_found(outcome, "warning", "limits", r"after 3,600 seconds of processor time", r"ulimit -t")
        self.assert_found(outcome, "warning", "limits", r"stacks are limited to 1\.0 MB", r"ulimit -s")

    def test_too_little_memory(self):
        settings = ["--train.micro-batch", "16384", "--train.batch", "32768"]
        outcome = run(ranks(limited("-v 1000000", DOCTOR + ["--config", "lenet.ini", *settings])))
        self.assert_found(outcome, "wrong", "memory", r"a node of this run takes about .* left on ",
                          r"lower train\.micro-batch")

    def test_a_control_group_with_too_little_memory(self):
        name = f"convoy-doctor-{os.getpid()}"
        for folder, limit in ((f"/sys/fs/cgroup/memory/{name}", "memory.limit_in_bytes"),
                              (f"/sys/fs/cgroup/{name}", "memory.max")):
            try:
                os.mkdir(folder)
            except OSError:
                continue
            try:
                if not os.path.exists(os.path.join(folder, limit)):
                    continue
                runs.write(os.path.join(folder, limit), b"300000000")
                joined = ["sh", "-c", f"echo $$ >{folder}/cgroup.procs && exec {shlex.join(ranks(DOCTOR))}"]
                self.assert_found(run(joined), "wrong", "memory", r"2[0-9][0-9] MB left on .*, 2 ranks take 400 MB",
                                  r"sbatch --mem=0")
                return
            finally:
                os.rmdir(folder)
        self.skipTest("no control group with a limit of memory can be made here (it takes root)")

    def test_a_temporary_folder_that_is_not_there(self):
        outcome = run(ranks(DOCTOR, ["env", "TMPDIR=/nowhere", *DOCTOR]))
        self.assert_found(outcome, "wrong", "tmpdir", r"/nowhere.*No such file.*\[rank 1 on ", r"export TMPDIR")

    def test_small_shared_memory(self):
        outcome = self.in_own_mounts("mount -t tmpfs -o size=7m none /dev/shm", ranks(DOCTOR))
        self.assert_found(outcome, "wrong", "shared memory", r"/dev/shm has \S+ MB free of 7.3 MB.*SIGBUS",
                          r"remount,size=50% /dev/shm \(docker run --shm-size")

    def test_shared_memory_too_small_for_the_images_of_a_run(self):
        made = runs.convoy("synth", "--out", "data.h5", "--train", 60000, "--test", 10000, "--size", "28x28")
        self.assertEqual(made.status, 0, made)
        runs.write("run.ini", runs.without_indentation("""
            [data]
            file = data.h5
            [network]
            layer = dense 10
            loss = softmax-cross-entropy
            [schedule]
            lr = 0.1
            [run]
            dir = run""").encode())
        mount = "mount -t tmpfs -o size=40m none /dev/shm"
        for cache, verdict in (("auto", "ok"), ("memory", "wrong"), ("none", "wrong")):
            with self.subTest(cache):
                words = ["--config", "run.ini", "--data.cache", cache, "--run.dir", "run-" + cache]
                outcome = self.in_own_mounts(mount, ranks(DOCTOR + words))
                if verdict == "ok":
                    self.assertRegex(outcome.output, r"ok +shared memory ")
                else:
                    self.assert_found(outcome, "wrong", "shared memory", r"share \S+ MB: they could not start",
                                      r"images need less with data\.cache = auto")
                # The run itself agrees.
                outcome = self.in_own_mounts(mount, ranks([runs.CONVOY, "train", *words, "--train.max-steps", "3"]))
                self.assertEqual("cannot share" in outcome.errors, verdict == "wrong", outcome)

    def test_a_folder_mounted_for_reading(self):
        outcome = self.in_own_mounts("mkdir -p disk && mount -t tmpfs -o ro none disk", ranks(DOCTOR + ["--dir", "disk/run"]))
        self.assert_found(outcome, "wrong", "run.dir", r"disk/.*Read-only file system.*\[rank 0 on ",
                          r"mounted for writing")

    def test_a_full_disk(self):
        small = "mkdir -p disk && mount -t tmpfs -o size=512k none disk"
        outcome = self.in_own_mounts(small, ranks(DOCTOR + ["--dir", "disk"]))
        self.assert_found(outcome, "wrong", "run.dir", r"No space left on device", r"remove what is not needed")
        larger = "mkdir -p disk && mount -t tmpfs -o size=20m none disk"
        outcome = self.in_own_mounts(larger, ranks(DOCTOR + CONFIGURED + ["--dir", "disk", "--checkpoint.keep", "99"]))
        self.assert_found(outcome, "wrong", "space", r"MB free in disk, 100 checkpoints of \S+ MB take",
                          r"lower checkpoint\.keep")
        no_files = "mkdir -p disk && mount -t tmpfs -o nr_inodes=40 none disk"
        outcome = self.in_own_mounts(no_files, ranks(DOCTOR + ["--dir", "disk"]))
        self.assert_found(outcome, "wrong", "space", r"disk has room for \d+ more files \(inodes\)", r"df -i disk")

    @unittest.skipUnless(runs.OPEN_MPI, "UCX, below this MPI, ends the program itself where files may not grow")
    def test_files_that_may_not_grow(self):
        # Blocks of 512 or 1,024 bytes: a checkpoint fits into a file, but not all checkpoints.
        outcome = run(ranks(limited("-f 40000", DOCTOR)))
        self.assertRegex(outcome.output, r"(?m)^ok +space ", outcome)
        outcome = run(ranks(limited("-f 12000", DOCTOR)))
        if outcome.output == "":  # Open MPI 5 may need larger files for itself, and says so
            self.assertIn("File too large", outcome.errors, outcome)
            return
        self.assert_found(outcome, "wrong", "space", r"RLIMIT_FSIZE", r"ulimit -f unlimited")
        self.assert_found(outcome, "wrong", "shared memory", r"RLIMIT_FSIZE", r"ulimit -f unlimited")
        outcome = run(ranks(limited("-f 512", DOCTOR)))
        if "run.dir" not in outcome.output:  # Open MPI 5 needs larger files for itself, and says so
            self.assertRegex(outcome.errors, r"(?s)shared memory initialization.*File too large")
            return
        self.assert_found(outcome, "wrong", "run.dir", r"File too large", r"ulimit -f unlimited")

    def test_a_quota(self):
        outcome = run(ranks([*preloaded("quota"), *DOCTOR]))
        if "quota not known" in outcome.output:
            self.skipTest("the file system here is on no device, and has no quota that the kernel tells")
        self.assert_found(outcome, "wrong", "space", r"quota of user \d+ leaves 1\.0 MB", r"quota -s")

    def test_no_file_locks(self):
        outcome = run(ranks([*preloaded("locks"), *DOCTOR]))
        self.assert_found(outcome, "warning", "locks", r"flock: No locks available, fcntl: No locks available",
                          r"export HDF5_USE_FILE_LOCKING=FALSE")
        outcome = run(ranks(["env", "HDF5_USE_FILE_LOCKING=TRUE", *preloaded("locks"), *DOCTOR]))
        self.assert_found(outcome, "wrong", "locks", r"HDF5_USE_FILE_LOCKING=TRUE makes HDF5 want them",
                          r"export HDF5_USE_FILE_LOCKING=FALSE")

    def test_a_file_system_that_hangs_ends_it_in_time(self):
        outcome = run(ranks([*preloaded("hang"), *DOCTOR, "--timeout", PATIENT, "--json", "found.json"]))
        self.assert_found(outcome, "wrong", "locks", r"rank 0 on \S+ did not get through within 15 s", r"leave that node out",
                          is_cut_short=True)
        with open("found.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file)["status"], 1)
        self.assertEqual(run(DOCTOR).status, 0)
        self.assertEqual([name for name in os.listdir(".") if name.startswith(".")], [], "the next one removes what is left")

    def test_a_rank_that_stops_is_named(self):
        patient = [*DOCTOR, "--timeout", PATIENT]
        outcome = run(runs.unlike_ranks(patient, [*preloaded("stop"), *patient], patient))
        self.assertIn(outcome.status, runs.ended_with(1), outcome)
        self.assertRegex(outcome.output, r"(?m)^wrong +facts +rank 1 on \S+ did not get through within 15 s")

    def test_a_slow_disk(self):
        outcome = run(ranks([*preloaded("fsync"), *DOCTOR]))
        self.assert_found(outcome, "warning", "run.dir", r"1 MiB took [3-9]\.\d s .*fsync", r"parallel file system")

    def test_clocks_that_differ(self):
        outcome = run(ranks(DOCTOR, [*preloaded("clock"), *DOCTOR]))
        self.assert_found(outcome, "warning", "clock", r"100\.\d s \[rank 1 on ", r"LD_PRELOAD")
        outcome = run([*ranks([*preloaded("clock"), *DOCTOR])])
        self.assert_found(outcome, "warning", "run.dir", r"the file system's clock is 100\.\d s behind", r"NTP")

    def test_no_implementation_of_mpi_io(self):
        if runs.LAUNCHER[1:] == []:
            self.skipTest("this MPI has one implementation of MPI-IO, which cannot be taken away")
        none = ["--mca", "io", "^ompio,romio314,romio321,romio341"]
        outcome = run(ranks([*none, *DOCTOR]))
        self.assert_found(outcome, "warning", "hdf5", r"collective write: ", r"checkpoint\.writers = one")
        outcome = run(ranks([*none, *DOCTOR, *CONFIGURED, "--checkpoint.writers", "all"]))
        self.assert_found(outcome, "wrong", "hdf5", r"collective write: ", r"checkpoint\.writers = one")


if __name__ == "__main__":
    runs.main()
