#!/usr/bin/env python3
"""Messages for launchers that start separate ranks instead of a job, and for bindings that make ranks wait."""

import os
import shlex
import subprocess
import unittest

import runs

TRAIN = ("train", "--config", "lenet.ini", "--run.dir", "run", "--dry-run")


class Launch(runs.Folder):
    def refused(self, extra, *patterns):
        outcome = runs.convoy(*TRAIN, extra=extra)
        for pattern in patterns:
            self.assert_message(outcome, 2, pattern)
        self.assertFalse(os.path.exists("run"))

    def test_srun_without_pmi_is_refused_with_the_line_that_mends_it(self):
        self.refused({"SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "4", "SLURM_CPUS_PER_TASK": "2"},
                     "srun started this without PMI" if runs.OPEN_MPI else r"srun started 4 processes, .* one rank \(srun was told no PMI",
                     f"'srun --mpi={runs.PMI} --ntasks=4 --cpus-per-task=2 convoy train …'")

    def test_a_launcher_of_another_mpi_is_refused(self):
        self.refused({"PMI_SIZE": "3"}, "the launcher started 3 processes, but each of them sees one rank")
        self.refused({"FLUX_JOB_SIZE": "3"}, "the launcher started 3 processes")

    def test_one_process_in_a_slurm_job_of_several_tasks_is_refused(self):
        self.refused({"SLURM_NTASKS": "8"}, r"has 8 tasks \(SLURM_NTASKS\), but convoy was started as one process",
                     f"'srun --mpi={runs.PMI} --ntasks=8 --cpus-per-task=1 convoy train …'", f"'srun --mpi={runs.PMI} --ntasks=1 ")

    def test_what_was_meant_is_not_refused(self):
        for ranks, extra in ((None, {"SLURM_NTASKS": "1"}),
                             # mpirun within a Slurm job of four tasks: its daemons are a step of one task per node.
                             (2, {"SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "1"}),
                             (1, {"SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "1"})):
            outcome = runs.convoy(*TRAIN, ranks=ranks, extra=extra)
            self.assertEqual(outcome.status, 0, (extra, outcome))

    def limited(self, limits, words):
        return subprocess.run(["sh", "-c", f"{limits} && exec {shlex.join(runs.command(words))}"], text=True,
                              env=runs.environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)

    @unittest.skipUnless(runs.OPEN_MPI, "measured with Open MPI")
    def test_limits_with_which_mpi_cannot_start_are_named(self):
        for limits, message in (("ulimit -n 16", r"only 16 open files are allowed, so that MPI cannot start; ulimit -n 1024"),
                                ("ulimit -f 200", r"no file may grow beyond \d+ kB \(RLIMIT_FSIZE\), so that MPI cannot start; ulimit -f")):
            done = self.limited(limits, TRAIN)
            self.assert_message(runs.Outcome(done.returncode, done.stdout, done.stderr), 2, message)
        done = self.limited("ulimit -Sn 16", TRAIN)  # raised as far as the process may
        self.assertEqual(done.returncode, 0, done)

    def test_it_starts_without_any_environment(self):
        done = self.limited("unset $(env | sed 's/=.*//' | grep -v '^OMPI_ALLOW_RUN_AS_ROOT')", TRAIN)
        self.assertEqual(done.returncode, 0, done)

    def test_help_and_data_sets_need_no_launcher(self):
        several = {"SLURM_NTASKS": "4"}
        self.assertEqual(runs.convoy("train", "--help", extra=several).status, 0)
        self.assertEqual(runs.convoy("inspect", "data.h5", extra=several).status, 0)
        self.assertEqual(runs.convoy("synth", "--out", "new.h5", "--train", 10, "--test", 4, extra=several).status, 0)

    @unittest.skipIf(len(os.sched_getaffinity(0)) > 7, "twice eight threads may have processors of their own here")
    def test_threads_that_share_processors_are_warned_about_with_the_option_that_mends_it(self):
        outcome = runs.convoy(*TRAIN, ranks=2, threads=8)
        self.assertEqual(outcome.status, 0, outcome)
        # Without and with binding by mpirun: all ranks on all processors, or each rank on one.
        self.assertRegex(outcome.errors, r"warning: \S+ runs (16 threads \(ranks 0-1\)|8 threads \(rank 0\)) on \d "
                         r"processors? \(\S+\): they wait for each other; .*--map-by ppr:2:node:pe=8 --bind-to core, "
                         r"or srun --cpus-per-task=8")


if __name__ == "__main__":
    runs.main()
