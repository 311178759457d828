#!/usr/bin/env python3
"""checkpoint.best and train.patience: the best epoch is kept, and the run ends when none is better."""

import os
import shutil
import unittest

import runs

# A rate so high that the loss of an epoch is often worse than that of the one before.
SETTINGS = {"schedule.lr": 3.0, "train.epochs": 8, "checkpoint.keep": 1, "checkpoint.best": "loss"}


def epochs(run_dir):
    return [line for line in runs.metrics(run_dir) if line["event"] == "epoch"]


class Best(runs.Folder):
    def trained(self, settings, **place):
        return self.train("lenet", {**SETTINGS, **settings}, **place)

    def assert_best_is(self, epoch, run_dir="run"):
        folder = os.path.join(run_dir, "checkpoints")
        self.assertEqual(os.readlink(os.path.join(folder, "best.h5")), f"step-{epoch['step']:08}.h5")
        outcome = runs.convoy("eval", "--checkpoint", os.path.join(folder, "best.h5"), "--data", "data.h5")
        self.assertEqual(outcome.status, 0, outcome)
        loss = float(outcome.output.split("\nloss ")[1].split("\n")[0])
        self.assertLess(abs(loss - epoch["test_loss"]), 1e-4)

    def test_the_best_epoch_is_kept_beside_the_newest(self):
        for by, better, count in (("loss", min, 8), ("accuracy", max, 7)):
            with self.subTest(by=by):
                shutil.rmtree("run", ignore_errors=True)
                self.trained({"checkpoint.best": by, "checkpoint.every-epochs": 0, "train.epochs": count})
                lines = epochs("run")
                values = [line[f"test_{by}"] for line in lines]
                best = values.index(better(values))  # the first of equals
                self.assertLess(best, len(lines) - 1, "the last epoch is the best: nothing is shown")
                self.assert_best_is(lines[best])
                self.assertEqual({os.path.basename(path) for path in runs.checkpoints("run")},
                                 {f"step-{lines[i]['step']:08}.h5" for i in (best, -1)})
                so_far = [i for i, value in enumerate(values) if all(better(value, each) == value != each for each in values[:i])]
                self.assertEqual([i for i, line in enumerate(lines) if line["is_best"]], so_far)

    def test_the_run_ends_when_epochs_bring_nothing_better(self):
        self.trained({"train.epochs": 50, "run.dir": "all"})
        losses = [line["test_loss"] for line in epochs("all")]
        patience = 3
        best, end = 0, None
        for i, loss in enumerate(losses):
            best = i if loss < losses[best] or i == 0 else best
            if i - best == patience:
                end = i + 1
                break
        self.assertIsNotNone(end, "every epoch was soon followed by a better one")
        outcome = self.trained({"train.epochs": 50, "train.patience": patience})
        self.assertIn(f"done: {patience} epochs brought nothing better than epoch {best + 1} (train.patience)", outcome.output)
        self.assertEqual([line["test_loss"] for line in epochs("run")], losses[:end])
        self.assert_best_is(epochs("run")[best])
        self.assertEqual(runs.metrics("run")[-1]["status"], 0)
        # Nothing is left to do; with more patience it goes on.
        self.trained({"train.epochs": 50, "train.patience": patience}, resume="auto")
        self.assertEqual(len(epochs("run")), end)
        self.trained({"train.epochs": 50, "train.patience": patience + 1}, resume="auto")
        self.assertGreater(len(epochs("run")), end)

    def test_a_stop_forgets_nothing(self):
        whole = {"train.epochs": 9, "train.patience": 4}
        self.trained({**whole, "run.dir": "whole"})
        for ranks, stop in ((2, 7), (3, 21), (1, 0)):
            self.trained({**whole, "train.max-steps": stop}, ranks=ranks, resume="auto")
        self.assertEqual([line["is_best"] for line in epochs("run")], [line["is_best"] for line in epochs("whole")])
        self.assertEqual(*(os.readlink(os.path.join(folder, "checkpoints", "best.h5")) for folder in ("run", "whole")))
        self.assertEqual(self.hash_of("run"), self.hash_of("whole"))
        # Another measure begins anew.
        self.trained({**whole, "train.epochs": 10, "checkpoint.best": "accuracy", "schedule.name": "constant"}, resume="auto")

    def test_what_does_not_fit_is_refused(self):
        def refused(pattern, settings):
            outcome = runs.convoy("train", "--config", "lenet.ini", *runs.options({"run.dir": "new", **settings}))
            self.assert_message(outcome, 2, pattern)
            self.assertFalse(os.path.exists("new"))

        refused(r"train\.patience = '3' needs checkpoint\.best", {"train.patience": 3})
        refused(r"checkpoint\.best = 'nice' is not one of none, loss, accuracy", {"checkpoint.best": "nice"})
        refused(r"checkpoint\.best needs a validation or test split.*data\.validation-part",
                {"checkpoint.best": "loss", "data.images": "/train/images", "data.labels": "/train/labels"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
