#!/usr/bin/env python3
"""Splits of data sets as people have them: by columns, lists and parts, in arrays of their own; their classes."""

import json

import runs
from field import CLASSES, SAMPLES, WORDS, Field

try:
    import h5py
    import numpy
except ImportError:
    h5py = None


class HeldOut(Field):
    def test_a_part_of_each_class(self):
        for seed in (1, 2):
            outcome = self.train("--data.validation-part", 0.25, "--data.validation-seed", seed, run=f"part{seed}")
            self.assertEqual(outcome.status, 0, outcome)
            self.assertRegex(outcome.output, r"\d+ training samples, \d+ validation samples")
            self.assertRegex(outcome.output, r"epoch 6 done: .*; validation loss")
            last = self.epochs(f"part{seed}")[-1]
            self.assertGreater(last["validation_accuracy"], 0.8)
            self.assertIsNone(last["test_loss"])
        self.assertNotEqual(self.hash_of("part1"), self.hash_of("part2"))
        # The same samples on any ranks, and streamed.
        expected = self.hash_of("part1")
        words = ["--data.validation-part", 0.25]
        self.assertEqual(self.bits(*words, run="ranks", ranks=3), expected)
        self.assertEqual(self.bits(*words, "--data.cache", "none", run="streamed", ranks=2), expected)
        counts = numpy.bincount(self.labels, minlength=CLASSES)
        held = int(sum(numpy.floor(counts * 0.25 + 0.5)))
        self.assertRegex(runs.convoy("train", "--config", "field.ini", "--data.file", "data.h5", "--data.images", "/x",
                                     "--data.labels", "/labels", *words, "--run.dir", "none", "--dry-run").output,
                         rf"{SAMPLES - held} training samples, {held} validation samples")
        # eval finds the same samples in the file.
        checkpoint = runs.checkpoints("part1")[-1]
        report = json.loads(runs.convoy("eval", "--checkpoint", checkpoint, "--data", "data.h5", "--json").output)
        self.assertEqual((report["split"], report["samples"]), ("validation", held))
        self.assertEqual(report["accuracy"], self.epochs("part1")[-1]["validation_accuracy"])

    def test_columns_lists_and_files_are_the_same_splits(self):
        parts = numpy.random.default_rng(5).choice(3, SAMPLES, p=[0.7, 0.1, 0.2])
        where = [numpy.flatnonzero(parts == part) for part in range(3)]
        self.add(parts=parts, words=numpy.array([b"Train", b"val", b"TEST"])[parts], train=where[0], validation=where[1],
                 test=where[2], mask=parts == 2)
        with h5py.File("apart.h5", "w") as file:
            file["x"], file["y"] = self.images[where[0]], self.labels[where[0]]
            file["xt"], file["yt"] = self.images[where[2]], self.labels[where[2]]
        expected = self.bits("--data.test-images", "/xt", "--data.test-labels", "/yt", run="apart", file="apart.h5", labels="/y")
        apart = self.epochs("apart")
        for number, (words, split) in enumerate([
                (["--data.split", "/parts"], "validation"), (["--data.split", "/words"], "validation"),
                (["--data.train-index", "/train", "--data.test-index", "/test"], "test"),
                (["--data.validation-index", "/validation", "--data.test-index", "/mask"], "validation")]):
            run = f"run{number}"
            with self.subTest(words=words):
                self.assertEqual(self.bits(*words, run=run), expected)
                self.assertIsNotNone(self.epochs(run)[-1][split + "_loss"])
                if split == "test":
                    self.assertEqual([each["test_loss"] for each in self.epochs(run)], [each["test_loss"] for each in apart])
        self.assertEqual(self.bits("--data.split", "/parts", "--data.cache", "none", run="streamed", ranks=3), expected)

    def test_wrong_splits_are_told(self):
        self.add(parts=numpy.arange(SAMPLES) % 3, four=numpy.arange(SAMPLES) % 4, short=numpy.zeros(5, "i4"),
                 words=numpy.array([b"train", b"holdout"])[numpy.arange(SAMPLES) % 2], far=numpy.array([0, SAMPLES]),
                 some=numpy.arange(10), more=numpy.arange(5, 20), all=numpy.zeros(SAMPLES, "i4") + 1)
        for words, status, message in [
                (["--data.split", "/four"], 3, r"/four holds 3 for sample 3, the first of 30 wrong ones of 120 samples\); it should be 0, 1, 2 or train, validation, test"),
                (["--data.split", "/words"], 3, r"/words holds 'holdout' for sample 1"),
                (["--data.split", "/short"], 3, r"/short is \[5\]"),
                (["--data.test-index", "/far"], 3, r"/far holds 120\); samples are numbered from 0 to 119"),
                (["--data.test-index", "/some", "--data.validation-index", "/more"], 3, r"/some holds sample 5, which another"),
                (["--data.split", "/parts", "--data.test-index", "/some"], 2, r"two ways"),
                (["--data.split", "/parts", "--data.validation-part", 0.1], 2, r"data\.validation-part"),
                (["--data.split", "/all"], 3, r"no samples are left to train"),
                (["--data.validation-part", 1], 2, r"data\.validation-part")]:
            with self.subTest(words=words):
                self.assert_message(self.train(*words), status, message)


class Classes(Field):
    def test_splits_that_differ_in_their_classes_are_told(self):
        def warnings(*words, labels="/a", file="two.h5", status=0):
            words = ("--data.test-images", "/xt", *words, "--dry-run")
            outcome = self.train(*words, run="none", labels=labels, file=file)
            self.assertEqual(outcome.status, status, outcome)
            return " ".join(outcome.errors.split())

        y, few = self.labels, self.labels[:40]
        with h5py.File("two.h5", "w") as file:
            file["x"], file["xt"] = self.images, self.images[:40]
            file["a"], file["a1"], file["threes"] = y, y + 1, y * 0 + 3
            file["b"], file["b1"], file["far"] = few, few + 1, few + numpy.arange(40) % 3 * 4
            file["names"], file["more"] = numpy.array(WORDS)[y % 2].astype("S"), numpy.array(WORDS)[few].astype("S")
            file["apart"], file["both"] = numpy.repeat([0, 1, 2], 40), numpy.repeat([2, 0], 20)
            file["wide"] = numpy.arange(40) % 40
        self.assertNotIn("occur", warnings("--data.test-labels", "/b"))
        five = ("--network.outputs", "5")
        self.assertRegex(warnings("--data.test-labels", "/b1", *five),
                         r"warning: two\.h5: class 4 occurs in the test split only \(labels there count from 1\?\)")
        self.assertRegex(warnings("--data.test-labels", "/b", *five, labels="/a1"), r"warning: two\.h5: class 0 occurs in the "
                         r"test split only \(labels of the training split count from 1\?\)")
        # The message that advises more outputs, and the one about stated classes, say it too.
        self.assertRegex(warnings("--data.test-labels", "/b1", status=2), r"dense 5.*\(labels there count from 1\?\)")
        self.assertRegex(warnings("--data.test-labels", "/b1", "--data.classes", 4, status=3),
                         r"there are 4 classes, so labels lie between 0 and 3 \(labels of the test split count from 1\?\)")
        self.assertRegex(warnings("--data.test-labels", "/b", "--data.classes", 4, labels="/a1", status=3),
                         r"between 0 and 3 \(labels of the training split count from 1\?\)")
        # Sorted shards, names, many classes.
        self.assertRegex(warnings("--data.test-labels", "/far", "--network.outputs", 12),
                         r"classes 4, 5, 6, 7, 8, 9, 10, 11 occur in the test split only(?! \()")
        self.assertRegex(warnings("--data.test-labels", "/wide", "--network.outputs", 40),
                         r"classes 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 26 more occur in the test split only")
        self.assertRegex(warnings("--data.test-labels", "/more", labels="/names"),
                         r"classes cat, dog occur in the test split only(?! \()")
        with h5py.File("two.h5", "a") as file:
            file["split"] = numpy.repeat([0, 1, 2], 40)
        words = ("--data.split", "/split", "--network.outputs", 3)
        outcome = self.train(*words, "--dry-run", run="none", labels="/apart", file="two.h5")
        self.assertRegex(outcome.errors, r"class 1 occurs in the validation split only")
        self.assertRegex(outcome.errors, r"class 2 occurs in the test split only")
        # A single class.
        self.assertRegex(warnings("--data.test-labels", "/b", "--data.classes", 4, labels="/threes"),
                         r"all labels of the training split are 3: nothing to tell apart")


if __name__ == "__main__":
    runs.main()
