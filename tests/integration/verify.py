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
