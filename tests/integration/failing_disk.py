#!/usr/bin/env python3
"""A disk that refuses the files of a run: the run continues as long as a checkpoint exists, else it ends with 4; no
good file is lost."""

import contextlib
import os
import resource
import shutil
import subprocess
import time

import runs

ENDLESS = {"train.epochs": 100000, "run.log-every": 1, "run.dir": "run"}


class FailingDisk(runs.Folder):
    def endless(self, settings, **how):
        return runs.Running("train", "--config", "lenet.ini", *runs.options({**ENDLESS, **settings}), **how)

    def until_step(self, running, step):
        running.wait_until(lambda: runs.last_step("run") >= step, f"step {step}")
        self.assert_runs(running)

    def assert_runs(self, running):
        if running.process.poll() is not None:
            self.fail(f"the run ended: {running.wait()}")

    def limit_files(self, running, size):
        """No file of the run's processes can grow beyond `size` bytes."""
        for pid in running.rank_pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def assert_all_are_sound(self, at_least):
        found = runs.checkpoints("run")
        self.assertGreaterEqual(len(found), at_least)
        for path in found:
            self.inspect(path)
        self.assertEqual(runs.leftovers("run"), [])

    def check_survival(self, asynchronous, ranks, writers):
        settings = {"checkpoint.every-steps": 20, "checkpoint.async": asynchronous, "checkpoint.writers": writers,
                    "checkpoint.retries": 1000, "checkpoint.keep": 2}
        with self.endless(settings, ranks=ranks) as running:
            running.wait_until(lambda: len(runs.checkpoints("run")) >= 2, "two checkpoints")
            self.limit_files(running, 2000)
            step = runs.last_step("run")
            time.sleep(1)
            stuck = runs.checkpoints("run")
            self.limit_files(running, resource.RLIM_INFINITY)
            self.until_step(running, step + 100)
            running.wait_until(lambda: runs.checkpoints("run")[-1] > stuck[-1], "a checkpoint again")
            self.assert_runs(running)
            os.kill(running.rank_pids()[0], 15)
            outcome = running.wait()
        self.assertEqual(outcome.status, 75, outcome)
        self.assertRegex(outcome.errors, r"cannot write .*(File too large|no room).*training goes on, since \S+ stands")
        self.assert_all_are_sound(2)
        steps = [line["step"] for line in runs.metrics("run") if line["event"] == "step"]
        self.assertEqual(steps, list(range(1, len(steps) + 1)), "lines that could not be written were lost")

    def test_training_goes_on_while_nothing_can_be_written(self):
        self.check_survival("yes", None, "one")

    def test_on_ranks_without_async(self):
        self.check_survival("no", 2, "one")

    def test_the_run_ends_with_4_after_so_many_failures_and_keeps_the_last_good_one(self):
        with self.endless({"checkpoint.every-steps": 20, "checkpoint.retries": 2}, ranks=2) as running:
            running.wait_until(lambda: len(runs.checkpoints("run")) >= 1, "a checkpoint")
            self.limit_files(running, 2000)
            outcome = running.wait()
        self.assertEqual(outcome.status, 4, outcome)
        self.assertEqual(outcome.errors.count("training goes on, since"), 2, outcome)
        self.assertRegex(outcome.errors, r"the run ends after 3 failures in a row \(checkpoint\.retries\), \S+ stands")
        self.assert_all_are_sound(1)

    def test_the_first_checkpoint_that_fails_ends_the_run_at_once(self):
        with self.endless({"checkpoint.every-steps": 1000, "checkpoint.every-epochs": 0}) as running:
            self.until_step(running, 3)
            self.limit_files(running, 2000)
            outcome = running.wait()
        self.assertEqual(outcome.status, 4, outcome)
        self.assertRegex(outcome.errors, r"the run ends, since no checkpoint of it stands")

    def test_the_last_checkpoint_is_tried_again(self):
        with self.endless({"checkpoint.at-start": "yes", "checkpoint.every-epochs": 0}) as running:
            running.wait_until(lambda: runs.checkpoints("run"), "the first checkpoint")
            self.limit_files(running, 2000)
            os.kill(running.rank_pids()[0], 15)
            time.sleep(2)
            self.limit_files(running, resource.RLIM_INFINITY)
            outcome = running.wait()
        self.assertEqual(outcome.status, 75, outcome)
        self.assertIn("training goes on, since", outcome.errors)
        self.assert_all_are_sound(2)

    def test_a_folder_of_checkpoints_that_was_removed_is_made_again(self):
        with self.endless({"checkpoint.every-steps": 2000, "checkpoint.every-epochs": 0}) as running:
            running.wait_until(lambda: len(runs.checkpoints("run")) >= 1, "a checkpoint")
            shutil.rmtree("run/checkpoints", ignore_errors=True)
            running.wait_until(lambda: len(runs.checkpoints("run")) >= 2, "checkpoints again")
            self.assert_runs(running)
            os.kill(running.rank_pids()[0], 15)
            outcome = running.wait()
            self.assertEqual(outcome.status, 75)
        self.assertRegex(outcome.errors, r"warning: run/checkpoints was removed, and the checkpoints in it")
        self.assert_all_are_sound(2)

    def test_a_small_disk_that_fills_up(self):
        os.mkdir("disk")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "disk"], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("no small disk can be mounted here (it takes root)")
        try:
            with self.endless({"checkpoint.every-steps": 20, "checkpoint.retries": 1000, "run.dir": "disk/run"},
                              ranks=2) as running:
                running.wait_until(lambda: len(runs.checkpoints("disk/run")) >= 3, "checkpoints")
                with open("disk/filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(4096))
                running.wait_until(lambda: running.has_said("training goes on, since"), "a warning")
                os.remove("disk/filler")
                stuck = runs.checkpoints("disk/run")[-1]
                running.wait_until(lambda: runs.checkpoints("disk/run")[-1] > stuck, "a checkpoint again")
                os.kill(running.rank_pids()[0], 15)
                self.assertEqual(running.wait().status, 75)
            for path in runs.checkpoints("disk/run"):
                self.inspect(path)
            self.assertEqual(runs.leftovers("disk/run"), [])
        finally:
            subprocess.run(["umount", "--lazy", "disk"], check=False)


if __name__ == "__main__":
    runs.main()
