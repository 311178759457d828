#!/usr/bin/env python3
"""Ranks that were started differently: different environments, different files, no common launcher."""

import os
import re
import shutil
import subprocess

import runs


def two_ranks(first, second):
    """Each argument is the command of one rank."""
    done = subprocess.run(runs.unlike_ranks(first, second), env=runs.environment(), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=2 * runs.PATIENCE_SECONDS, check=False)
    return runs.Outcome(done.returncode, done.stdout, done.stderr)


TRAIN = [runs.CONVOY, "train", "--config", "tiny.ini"]


class UnlikeRanks(runs.Folder):
    def test_other_environments_make_the_same_checkpoints(self):
        # Ranks started by ssh do not get a batch system's variables; collective writes must not depend on them.
        outcome = two_ranks(["env", "PBS_JOBID=7", *TRAIN], ["env", "SLURM_NTASKS=2", *TRAIN])
        self.assertEqual(outcome.status, 0, outcome)
        self.train("tiny", {"run.dir": "alone"})
        self.assert_same_result("run", self.result_of("alone"))

    def test_other_data_files_on_one_host_are_found_before_they_are_read(self):
        for name, samples in (("same-size", 140), ("larger", 300)):
            with self.subTest(name):
                for folder in ("one", "two"):
                    os.mkdir(folder)
                    shutil.copy("tiny.ini", folder)
                shutil.copy("data.h5", "one")
                made = runs.convoy("synth", "--out", "two/data.h5",
                                   *runs.options(dict(self.samples, seed=5, train=samples)))
                self.assertEqual(made.status, 0, made)
                outcome = two_ranks(["env", "--chdir=one", *TRAIN], ["env", "--chdir=two", *TRAIN])
                self.assert_message(outcome, 7, r"ranks disagree on the data set data\.h5 .*rank 1 on ")
                for folder in ("one", "two"):
                    self.assertEqual(sorted(os.listdir(folder)), ["data.h5", "tiny.ini"])
                    shutil.rmtree(folder)

    def test_other_configurations_are_found(self):
        outcome = two_ranks(TRAIN, TRAIN + ["--schedule.lr", "0.06"])
        self.assert_message(outcome, 7, r"ranks disagree on the configuration")
        self.assertFalse(os.path.exists("run"))

    def test_an_error_of_one_rank_alone_names_it(self):
        outcome = two_ranks(TRAIN, ["env", "CONVOY_ISA=bogus", *TRAIN])
        self.assert_message(outcome, 2, r"CONVOY_ISA.*bogus.*\[rank 1 on ")
        outcome = two_ranks(TRAIN, [runs.CONVOY, "train", "--config", "nope.ini"])
        self.assert_message(outcome, 2, r"nope\.ini.*\[rank 1 on ")

    def test_instruction_sets_with_fused_multiply_adds_make_the_same_checkpoints(self):
        self.train("tiny", {"run.dir": "alone"})
        refused = 0
        for name in ("neon", "avx2", "avx512", "avx512bf16"):
            with self.subTest(name):
                outcome = two_ranks(TRAIN, ["env", "CONVOY_ISA=" + name, *TRAIN])
                refused += outcome.status == 2
                if outcome.status == 2:
                    self.assert_message(outcome, 2, f"CONVOY_ISA asks for '{name}' .this machine lacks it")
                    continue
                self.assertEqual(outcome.status, 0, outcome)
                self.assert_same_result("run", self.result_of("alone"))
                shutil.rmtree("run")
        if refused == 4:
            self.skipTest("this processor has no fused multiply-adds")

    def test_portable_ranks_make_all_ranks_portable(self):
        self.train("tiny", {"run.dir": "alone"}, extra={"CONVOY_ISA": "portable"})
        outcome = two_ranks(TRAIN, ["env", "CONVOY_ISA=portable", *TRAIN])
        self.assertEqual(outcome.status, 0, outcome)
        self.assert_same_result("run", self.result_of("alone"))

    def test_evaluation_uses_one_instruction_set(self):
        self.train("lenet")
        words = [runs.CONVOY, "eval", "--checkpoint", runs.checkpoints("run")[-1], "--data", "data.h5"]
        alone = runs.convoy(*words[1:], extra={"CONVOY_ISA": "portable"})
        mixed = two_ranks(["env", "CONVOY_ISA=portable", *words], words)
        self.assertEqual((alone.status, mixed.status), (0, 0), mixed)
        loss = re.compile(r"^loss .*$", re.MULTILINE)
        self.assertEqual(loss.findall(mixed.output), loss.findall(alone.output))


if __name__ == "__main__":
    runs.main()
