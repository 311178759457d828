#!/usr/bin/env python3
"""`convoy verify`: repeated steps give the same bits; a faulty machine, program or file is detected."""

import os
import shutil

import runs

PROGRAM = os.environ["CONVOY_WITH_HOOKS"]


class Verify(runs.Folder):
    settings = {"checkpoint.every-steps": 3, "checkpoint.keep": 10, "train.epochs": 2,
                "data.augment": "crop=2 flip=horizontal"}

    def verify(self, from_step, to_step, *words, run="run", **how):
        return runs.convoy("verify", "--from", f"{run}/checkpoints/step-{from_step:08}.h5", "--to",
                           f"{run}/checkpoints/step-{to_step:08}.h5", *words, **how)

    def test_on_any_ranks_and_threads_across_epochs_and_within(self):
        self.train("blocks", self.settings, ranks=2)
        for from_step, to_step in ((3, 9), (5, 10), (3, 6)):  # 5 steps per epoch
            for ranks, threads in ((None, 1), (None, 3), (3, 1), (5, 2)):
                outcome = self.verify(from_step, to_step, ranks=ranks, threads=threads)
                self.assertEqual(outcome.status, 0, outcome)
                self.assertRegex(outcome.output, rf"{to_step - from_step} steps .*the same bits")

    def test_steps_whose_rate_follows_from_evaluations(self):
        self.train("lenet", {**self.settings, "train.epochs": 8, "checkpoint.keep": 99, "schedule.name": "plateau",
                             "schedule.patience": 0, "schedule.threshold": 0.2, "schedule.lr": 0.1})
        rates = {line["lr"] for line in runs.metrics("run") if line["event"] == "step"}
        self.assertGreater(len(rates), 2, "the rate was hardly reduced")
        for from_step, to_step in ((3, 39), (12, 30)):
            outcome = self.verify(from_step, to_step, ranks=2)
            self.assertEqual(outcome.status, 0, outcome)

    def test_data_that_moved_is_named(self):
        self.train("tiny", self.settings)
        os.rename("data.h5", "moved.h5")
        self.assert_message(self.verify(3, 6), 2, r"no such file: data set data\.h5")
        self.assertEqual(self.verify(3, 6, "--data", "moved.h5").status, 0)
        made = runs.convoy("synth", "--out", "data.h5", *runs.options({**self.samples, "seed": 4}))
        self.assertEqual(made.status, 0, made)
        outcome = self.verify(3, 6)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertRegex(outcome.output, r"OTHER DATA: data\.h5 is not what \S+step-00000003\.h5 was trained on")

    def test_a_bit_that_flipped_in_a_step_shows_with_its_tensor(self):
        outcome = runs.convoy("--config", "blocks.ini", *runs.options(self.settings), program=PROGRAM,
                              extra={"CONVOY_TEST_FLIP": "parameters:0:5"})
        self.assertEqual(outcome.status, 0, outcome)  # a single rank has no other rank to compare with
        self.assertEqual(self.verify(5, 9).status, 0)
        outcome = self.verify(3, 5, ranks=3)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertRegex(outcome.output, r"OTHER BITS\n  /model/\w+/\w+: 1 number, first \[\d+\], there \S+, here \S+\n$")
        outcome = self.verify(3, 9)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn("/optimizer/momentum/", outcome.output)

    recorded = {"checkpoint.every-epochs": 0, "checkpoint.every-steps": 10, "checkpoint.keep": 10, "train.epochs": 9,
                "data.augment": "crop=2 flip=horizontal", "run.hashes": "layers"}

    def train_with_flip(self, flip, run, ranks=None):
        outcome = runs.convoy("--config", "blocks.ini", *runs.options({**self.recorded, "run.dir": run}), ranks=ranks,
                              program=PROGRAM, extra={"CONVOY_TEST_FLIP": flip})
        self.assertEqual(outcome.status, 0, outcome)

    def test_records_of_steps_are_the_same_on_any_ranks_and_threads_and_through_a_stop(self):
        self.train("blocks", self.recorded)
        record = runs.read("run/hashes.jsonl")
        self.assertEqual(record.count(b"\n"), 46)  # the parts, and 45 steps
        for ranks, threads, memory in ((None, 3, "yes"), (3, 1, "yes"), (5, 2, "no")):
            self.train("blocks", {**self.recorded, "run.dir": "other", "comm.shared-memory": memory}, ranks=ranks,
                       threads=threads)
            self.assertEqual(runs.read("other/hashes.jsonl"), record)
            shutil.rmtree("other")
        # A stop at step 15; a resume from step 10 records steps 11 to 15 anew.
        self.train("blocks", {**self.recorded, "run.dir": "other", "train.max-steps": 15})
        os.remove("other/checkpoints/step-00000015.h5")
        self.train("blocks", {**self.recorded, "run.dir": "other", "run.hashes": "state"}, resume="auto", ranks=2)
        outcome = runs.convoy("verify", "--runs", "run", "other")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output, r"Checkpoints: \d of the same step; the same bits\n"
                                         r"Recorded steps: the same bits up to step 45\n$")

    def test_of_two_runs_the_step_and_the_layer_are_named(self):
        self.train("blocks", self.recorded)
        again = "Steps 31 to 37 done again here, .*:\n  run has the same bits as the replay\n"
        for flip, part, ranks in (("parameters:0:37", r"/model/\w+/\w+ after the update", None),
                                  ("gradient@2:0:37", r"the gradient of conv2", 3)):
            with self.subTest(flip):
                self.train_with_flip(flip, "flipped")
                outcome = runs.convoy("verify", "--runs", "run", "flipped", ranks=ranks)
                self.assertEqual(outcome.status, 1, outcome)
                self.assertRegex(outcome.output, f"Recorded steps: OTHER BITS first in step 37: {part}")
                self.assertRegex(outcome.output, again + f"  flipped differs from the replay first in step 37: {part}")
                # One record is enough, with either.
                os.remove("run/hashes.jsonl")
                if flip.startswith("parameters"):
                    outcome = runs.convoy("verify", "--runs", "flipped", "run", ranks=ranks)
                    self.assertEqual(outcome.status, 1, outcome)
                    self.assertRegex(outcome.output, f"  flipped differs from the replay first in step 37: {part}\n"
                                                     "  run has the same bits as the replay\n")
                shutil.rmtree("flipped")
                shutil.rmtree("run")
                self.train("blocks", self.recorded)

    def test_without_records_the_checkpoint_and_the_tensors_are_named(self):
        self.recorded = {**self.recorded, "run.hashes": "none"}
        self.train("blocks", self.recorded)
        self.assertFalse(os.path.exists("run/hashes.jsonl"))
        self.train_with_flip("parameters:0:40", "flipped")
        outcome = runs.convoy("verify", "--runs", "run", "flipped")
        self.assertEqual(outcome.status, 1, outcome)
        made = runs.convoy("synth", "--out", "other.h5", *runs.options({**self.samples, "seed": 4}))
        self.assertEqual(made.status, 0, made)
        self.assert_message(runs.convoy("verify", "--runs", "run", "flipped", "--data", "other.h5"), 2,
                            r"is not what run was trained on \(its checksum is [0-9a-f]{32}, there [0-9a-f]{32}\)")
        self.assertRegex(outcome.output, "the same bits up to step 30, OTHER BITS from step 40 on\n"
                                         "Steps 31 to 40 done again here, .*:\n  run has the same bits as the replay\n"
                                         r"  flipped differs from the replay in /model/\w+/\w+\nRuns with run\.hashes = ")

    def test_runs_of_another_instruction_set_or_seed_say_so(self):
        self.train("tiny", {**self.recorded, "run.dir": "portable"}, extra={"CONVOY_ISA": "portable"})
        self.train("tiny", self.recorded)
        self.train("tiny", {**self.recorded, "run.dir": "other", "train.seed": 8})
        outcome = runs.convoy("verify", "--runs", "portable", "run")
        if "the same bits up to step 45" not in outcome.output:  # a processor with no other set
            self.assertEqual(outcome.status, 1, outcome)
            self.assertRegex(outcome.output, r"OTHER BITS first in step 1: the output of dense1, then in ")
            self.assertIn("CONVOY_ISA=portable replays with it", outcome.output)
        self.assert_message(runs.convoy("verify", "--runs", "run", "other"), 2,
                            r"are different runs \(train\.seed is '7' in run and '8' in other\)")
        self.assert_message(runs.convoy("verify", "--runs", "run", "nowhere"), 2, r"nowhere holds no checkpoint")
        self.assert_message(runs.convoy("verify", "--runs", "run"), 2, r"--runs takes two folders")

    def test_checkpoints_of_other_runs_or_in_the_wrong_order_are_refused(self):
        self.train("tiny", self.settings)
        self.train("tiny", {**self.settings, "run.dir": "other", "schedule.lr": 0.04})
        shutil.copy("other/checkpoints/step-00000009.h5", "run/checkpoints/")
        self.assert_message(self.verify(3, 9), 2, r"schedule\.lr differs \(there '0\.04', here '0\.05'\)")
        self.assert_message(self.verify(6, 3), 2, r"is at step 6, .* at step 3; name the earlier one first")
        self.assert_message(self.verify(3, 7), 2, r"there is no checkpoint run/checkpoints/step-00000007\.h5")
        self.assert_message(runs.convoy("verify", "--to", "a.h5"), 2, r"--from")

    def test_the_checkpoint_says_what_wrote_it(self):
        self.train("tiny", {**self.settings, "train.max-steps": 3}, ranks=2, extra={"SLURM_JOB_ID": "4711"})
        try:
            import h5py
        except ImportError:
            self.skipTest("h5py is not installed")
        with h5py.File("run/checkpoints/step-00000003.h5", "r") as file:
            facts = dict(file["provenance"].attrs)
        for name in ("bindings", "build_flags", "command_line", "compiler", "convoy", "data_xxh128", "hdf5", "hosts", "mpi",
                     "program_xxh128", "ranks", "threads", "written"):
            self.assertTrue(facts.get(name), name)
        self.assertEqual(facts["SLURM_JOB_ID"], "4711")
        self.assertEqual(facts["ranks"], "2")
        self.assertRegex(facts["compiler"], "(GCC|[Cc]lang) ")
        shown = runs.convoy("inspect", "run/checkpoints/step-00000003.h5").output
        for name, value in facts.items():
            self.assertIn(f"    {name}  {value}\n", shown)


if __name__ == "__main__":
    runs.main()
