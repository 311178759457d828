#!/usr/bin/env python3
"""`convoy lr-find`: the same table on any ranks and threads, a suggestion that trains, and nothing written."""

import os
import re

import runs


class LrFind(runs.Folder):
    def find(self, *words, **how):
        outcome = runs.convoy("lr-find", "--config", "lenet.ini", "--from", 1e-4, "--to", 100, "--steps", 60, *words, **how)
        self.assertEqual(outcome.status, 0, outcome)
        return re.sub(r"^swept: .*\n", "", outcome.output, flags=re.MULTILINE)  # progress, now and then

    def test_is_the_same_on_any_ranks_and_threads_and_writes_nothing(self):
        before = sorted(os.listdir("."))
        expected = self.find()
        for ranks, threads in ((None, 3), (2, 1), (3, 2)):
            self.assertEqual(self.find(ranks=ranks, threads=threads), expected, (ranks, threads))
        self.assertEqual(sorted(os.listdir(".")), before)
        self.assertEqual(self.find("--schedule.name", "cosine", "--schedule.warmup-epochs", 1, "--train.max-steps", 1), expected)
        self.assertNotEqual(self.find("--train.seed", 8), expected)

    def test_suggests_a_rate_that_trains_below_one_that_diverges(self):
        text = self.find()
        rates = [float(line.split()[1]) for line in text.split("\n")[1:] if re.match(r" +\d+ ", line)]
        self.assertEqual(rates, sorted(rates))
        self.assertEqual(rates[0], 1e-4)
        diverges = float(re.search(r"It diverges at ([^;]+);", text).group(1))
        self.assertEqual(diverges, rates[-1])
        rate = float(re.search(r"Suggestion: schedule\.lr = (\S+)\n", text).group(1))
        self.assertLess(rate, diverges / 9)
        self.train("lenet", {"schedule.lr": rate, "train.epochs": 20})
        losses = [line["train_loss"] for line in runs.metrics("run") if line["event"] == "epoch"]
        self.assertLess(losses[-1], 0.5 * losses[0])

    def test_the_suggestion_is_what_scaling_makes_the_rate(self):
        plain = float(re.search(r"Suggestion: schedule\.lr = (\S+)\n", self.find()).group(1))
        text = self.find("--schedule.scale-lr", "linear", "--schedule.base-batch", 3)  # a batch of 30
        found = re.search(r"Suggestion: schedule\.lr = (\S+) \(which schedule\.scale-lr makes (\S+)\)\n", text)
        self.assertEqual(float(found.group(2)), plain)
        self.assertAlmostEqual(float(found.group(1)) * 10, plain, delta=0.06 * plain)

    def test_wrong_rates_are_refused(self):
        outcome = runs.convoy("lr-find", "--config", "lenet.ini", "--from", 1, "--to", 0.5)
        self.assert_message(outcome, 2, r"--to 0\.5 is not above --from 1")
        self.assertEqual(runs.convoy("lr-find", "--config", "lenet.ini", "--steps", 1).status, 2)


if __name__ == "__main__":
    runs.main()
