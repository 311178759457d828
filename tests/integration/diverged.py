#!/usr/bin/env python3
"""Runs that must fail: a diverging run ends with 5, a run with more ranks than micro-batches does not begin."""

import os

import runs

# Nothing saturates here, so large values grow until they overflow.
UNBOUNDED = ["--network.layer", "dense 8", "--network.layer", "relu", "--network.layer", "dense 4"]


class Diverged(runs.Folder):
    def test_a_rate_far_too_large_ends_with_5_and_names_the_step(self):
        for ranks in (None, 2, 3):
            with self.subTest(ranks=ranks):
                outcome = runs.convoy("train", "--config", "tiny.ini", *UNBOUNDED, "--schedule.lr", "1e30",
                                      "--run.dir", f"run-{ranks}", ranks=ranks)
                self.assert_message(outcome, 5, r"training diverged \(.*\); a smaller schedule\.lr.*\[step \d+\]")

    def test_no_checkpoint_of_a_network_that_is_not_finite_is_written(self):
        # The first loss is finite, the first update overflows: only the checkpoint can detect this.
        outcome = runs.convoy("train", "--config", "tiny.ini", *UNBOUNDED, "--schedule.lr", "1e30", "--optimizer.weight-decay",
                              "1e30", "--train.max-steps", 1)
        self.assert_message(outcome, 5, r"a parameter is not finite.*\[step \d+\]")
        self.assertEqual(runs.checkpoints("run"), [])


class TooManyRanks(runs.Folder):
    def test_more_ranks_than_micro_batches_names_the_micro_batch_that_would_do(self):
        outcome = runs.convoy("train", "--config", "tiny.ini", "--train.micro-batch", 10, ranks=4)
        self.assert_message(outcome, 2, r"more ranks than micro-batches \(4 ranks; train\.batch = 30 in micro-batches of "
                                        r"10 makes 3\); train\.micro-batch = 7 or less would do")
        self.assertFalse(os.path.exists("run"))
        self.train("tiny", {"train.micro-batch": 9}, ranks=4)

    def test_more_ranks_than_samples_of_a_batch_names_the_most(self):
        outcome = runs.convoy("train", "--config", "tiny.ini", "--train.batch", 2, "--train.micro-batch", 1, ranks=3)
        self.assert_message(outcome, 2, r"at most 2 ranks can share a batch of 2")


if __name__ == "__main__":
    runs.main()
