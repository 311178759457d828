#!/usr/bin/env python3
"""Messages for launchers that start separate ranks instead of a job, and for bindings that make ranks wait."""

import os
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
