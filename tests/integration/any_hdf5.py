#!/usr/bin/env python3
"""HDF5 files not made by Convoy: the same images give the same bits with any layout, type, storage and number of files;
targets train; errors name the fault."""

import json
import os
import shutil
import unittest

import runs

try:
    import h5py
    import numpy
except ImportError:
    h5py = None

SAMPLES = 140
CONFIGURATION = """
[data]
images = /x
labels = /deep/y
layout = NHWC
[network]
layer = conv 4 3x3 pad=1
layer = relu
layer = maxpool 2x2
layer = dense 4
loss = softmax-cross-entropy
[schedule]
lr = 0.05
[train]
epochs = 2
batch = 30
micro-batch = 4
[run]
dir = run
threads = 1
"""
REGRESSION = [("images", "/x"), ("targets", "/t"), ("layout", "NHW"), ("test-images", "/xt"), ("test-targets", "/tt")]


def images():
    """Images of four classes (the bright quarter is the class), with values that float16 represents exactly."""
    generator = numpy.random.default_rng(3)
    labels = generator.integers(0, 4, SAMPLES)
    images = generator.integers(0, 500, (SAMPLES, 8, 10, 3))
    for image, label in zip(images, labels):
        image[label // 2 * 4:][:4, label % 2 * 5:][:, :5] += 1000
    return images, labels


def write(name, images, labels, **storage):
    with h5py.File(name, "w") as file:
        file.create_dataset("x", data=images, **storage)
        file.create_dataset("deep/y", data=labels)


@unittest.skipUnless(h5py, "python3-h5py is not installed")
class AnyHdf5(runs.Folder):
    def setUp(self):
        super().setUp()
        self.images, self.labels = images()
        write("plain.h5", self.images.astype("uint16"), self.labels)
        with open("any.ini", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)

    def bits(self, file, *words, ranks=None):
        run = "run-" + file.replace("*", "all")
        outcome = runs.convoy("train", "--config", "any.ini", "--data.file", file, "--run.dir", run, *words, ranks=ranks)
        self.assertEqual(outcome.status, 0, outcome)
        result = self.hash_of(run)
        shutil.rmtree(run)
        return result

    def test_type_layout_storage_and_files_decide_no_bit(self):
        expected = self.bits("plain.h5")
        for kind in ("int16", "float16", "float32", "float64", ">u2"):
            with self.subTest(kind=kind):
                write("other.h5", self.images.astype(kind), self.labels.astype("uint8")[:, None])
                self.assertEqual(self.bits("other.h5"), expected)
        first = numpy.ascontiguousarray(self.images.transpose(0, 3, 1, 2)).astype("uint16")
        write("chunks.h5", first, self.labels, chunks=(7, 2, 8, 3), compression="gzip", shuffle=True)
        self.assertEqual(self.bits("chunks.h5", "--data.layout", "NCHW", ranks=3), expected)

        bounds = [0, 50, 53, SAMPLES]
        layout = h5py.VirtualLayout(self.images.shape, "uint16")
        for number, (begin, end) in enumerate(zip(bounds, bounds[1:])):
            name = f"part{number}.h5"
            write(name, self.images[begin:end].astype("uint16"), self.labels[begin:end], chunks=(1 + number, 8, 10, 3))
            layout[begin:end] = h5py.VirtualSource(name, "x", shape=(end - begin, 8, 10, 3))
        with h5py.File("virtual.h5", "w") as file:
            file.create_virtual_dataset("x", layout)
            file["deep/y"] = h5py.ExternalLink("plain.h5", "/deep/y")
        for ranks in (None, 2):
            self.assertEqual(self.bits("part*.h5", ranks=ranks), expected)
        self.assertEqual(self.bits("virtual.h5"), expected)

        words = ["--config", "any.ini", "--data.file", "virtual.h5"]
        self.assertEqual(runs.convoy("train", *words, "--run.dir", "other").status, 0)
        for file, path in (("part1.h5", "x"), ("plain.h5", "deep/y")):
            with h5py.File(file, "r+") as changed:
                kept = changed[path][0]
                changed[path][0] = kept // 2 + 1
            outcome = runs.convoy("train", *words, "--run.dir", "other", "--resume", "auto")
            self.assert_message(outcome, 2, r"the data set")
            with h5py.File(file, "r+") as changed:
                changed[path][0] = kept
        os.remove("part1.h5")
        outcome = runs.convoy("train", "--config", "any.ini", "--data.file", "virtual.h5", "--run.dir", "new")
        self.assert_message(outcome, 3, r"missing file of virtual data set virtual\.h5, object /x \(there is no part1\.h5")

    def test_shards_of_ours_are_one_data_set(self):
        runs.convoy("synth", "--out", "a-1.h5", "--train", 70, "--test", 20, "--classes", 4, "--seed", 1)
        runs.convoy("synth", "--out", "a-2.h5", "--train", 70, "--test", 20, "--classes", 4, "--seed", 2)
        outcome = runs.convoy("train", "--config", "tiny.ini", "--data.file", "a-*.h5", "--dry-run")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output, r"a-\*\.h5: 140 training samples, 40 test samples, 4 classes, .* in 2 files")

    def test_targets_train_and_errors_are_told(self):
        targets = numpy.stack([self.images.mean((1, 2, 3)) / 1000, self.labels / 4.0], 1)
        with h5py.File("targets.h5", "w") as file:
            file["x"] = self.images[..., 0].astype("float32") / 1000
            file["t"] = targets
            file["xt"], file["tt"] = file["x"][:20], targets[:20]
        words = ["--config", "any.ini", "--data.file", "targets.h5", "--network.loss", "quadratic"]
        for layer in ("conv 4 3x3 pad=1", "relu", "dense 2"):
            words += ["--network.layer", layer]
        with open("any.ini", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.replace("images = /x\nlabels = /deep/y\nlayout = NHWC",
                                             "\n".join(f"{key} = {value}" for key, value in REGRESSION)))
        hashes = set()
        for ranks in (None, 3):
            run = f"run-{ranks}"
            outcome = runs.convoy("train", *words, "--run.dir", run, "--train.epochs", 6, "--schedule.lr", 0.01, ranks=ranks)
            self.assertEqual(outcome.status, 0, outcome)
            hashes.add(self.hash_of(run))
            epochs = [line for line in runs.metrics(run) if line["event"] == "epoch"]
            self.assertLess(epochs[-1]["train_rmse"], 0.7 * epochs[0]["train_rmse"])
            # Quadratic loss: half the sum of the squared errors of two outputs.
            self.assertAlmostEqual(epochs[-1]["test_rmse"]**2, epochs[-1]["test_loss"], places=12)
            self.assertNotIn("train_accuracy", epochs[-1])
        self.assertEqual(len(hashes), 1)
        outcome = runs.convoy("eval", "--checkpoint", runs.checkpoints("run-3")[-1], "--data", "targets.h5", "--by-class")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn(f"root of the mean squared error {epochs[-1]['test_rmse']:.17g}", outcome.output)
        self.errors_of_each_output(runs.checkpoints("run-3")[-1], targets[:20])
        self.assertEqual(runs.convoy("gradcheck", *words, "--run.dir", "none").status, 0)

    def errors_of_each_output(self, checkpoint, targets):
        """eval's figures of each output equal those computed from the predictions that it writes."""
        outcome = runs.convoy("eval", "--checkpoint", checkpoint, "--data", "targets.h5", "--json", "--predictions", "p.csv",
                              ranks=2)
        self.assertEqual(outcome.status, 0, outcome)
        table = numpy.genfromtxt("p.csv", delimiter=",", names=True)
        written = numpy.stack([table["target_0"], table["target_1"]], 1)
        numpy.testing.assert_array_equal(written.astype("float32"), targets.astype("float32"))
        error = numpy.stack([table["output_0"], table["output_1"]], 1) - written
        spread = ((written - written.mean(0))**2).sum(0)
        told = json.loads(outcome.output)["outputs"]
        for k in range(2):
            self.assertAlmostEqual(told[k]["mean_absolute_error"], abs(error[:, k]).mean(), places=6)
            self.assertAlmostEqual(told[k]["root_mean_squared_error"], (error[:, k]**2).mean()**0.5, places=6)
            self.assertAlmostEqual(told[k]["r2"], 1 - (error[:, k]**2).sum() / spread[k], places=4)

    def test_what_does_not_fit_is_named(self):
        def refused(status, pattern, settings):
            settings = {"data.file": "plain.h5", "run.dir": "new"} | settings
            outcome = runs.convoy("train", "--config", "any.ini", *runs.options(settings))
            self.assert_message(outcome, status, pattern)
            self.assertFalse(os.path.exists("new"))

        refused(2, r"no data set matches nothing\*\.h5", {"data.file": "nothing*.h5"})
        refused(3, r"there is no /nowhere", {"data.images": "/nowhere"})
        refused(3, r"/x is \[140x8x10x3\]\); it should have three dimensions, \[N\]\[H\]\[W\]", {"data.layout": "NHW"})
        refused(3, r"/x is \[140x8x10x3\]\); /x holds 140 images", {"data.labels": "/x"})
        refused(2, r"one of NCHW, NHWC, NHW", {"data.layout": "CHW"})
        refused(2, r"has labels in one split and targets in the other", {"data.test-targets": "/deep/y"})
        refused(2, r"leave one out", {"data.targets": "/deep/y"})
        write("nan.h5", numpy.where(self.images == self.images[7, 3, 3, 1], numpy.nan, self.images), self.labels)
        refused(3, r"holds a NaN or infinity in sample \d+", {"data.file": "nan.h5"})
        outcome = runs.convoy("train", "--config", "tiny.ini", "--data.file", "plain.h5", "--run.dir", "new")
        self.assert_message(outcome, 3, r"not a data set.*data\.images and data\.labels")
        outcome = runs.convoy("train", "--config", "tiny.ini", "--data.labels", "/y", "--run.dir", "new")
        self.assert_message(outcome, 2, r"data\.labels = '/y' needs data\.images")

    def test_storage_that_reads_badly_is_warned_about(self):
        images = numpy.zeros((300, 200, 200, 3), "uint16")
        images[:SAMPLES, :8, :10] = self.images
        write("large.h5", images, numpy.arange(300) % 4, chunks=(150, 200, 200, 3), compression="gzip")
        outcome = runs.convoy("train", "--config", "any.ini", "--data.file", "large.h5", "--dry-run")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output + outcome.errors, r"chunks of 36 MB .* are read whole even for one sample")
        self.assertRegex(runs.convoy("inspect", "large.h5").output, r"warning: /x: chunks of 36 MB")
        # Small chunks that scatter a sample cost as much.
        write("scattered.h5", images, numpy.arange(300) % 4, chunks=(150, 8, 8, 3), compression="gzip")
        self.assertRegex(runs.convoy("inspect", "scattered.h5").output,
                         r"warning: /x: chunks of 58 kB .* whole even for one sample, 36 MB in all")
        outcome = runs.convoy("train", "--config", "any.ini", "--data.file", "plain.h5", "--data.layout", "NCHW", "--dry-run")
        self.assertRegex(outcome.output + outcome.errors, r"data\.layout = NHWC reads them so")

    def test_inspect_shows_what_could_be_named(self):
        outcome = runs.convoy("inspect", "plain.h5")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output, r"/x  uint16 140x8x10x3, contiguous")
        self.assertRegex(outcome.output, r"/deep/y  int64 140")
        with h5py.File("links.h5", "w") as file:
            file["a/images"] = h5py.ExternalLink("plain.h5", "/x")
            file["group"] = h5py.ExternalLink("plain.h5", "/deep")
            file["gone"] = h5py.ExternalLink("nowhere.h5", "/x")
        outcome = runs.convoy("inspect", "links.h5")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output, r"/a/images  uint16 140x8x10x3")
        self.assertRegex(outcome.output, r"/group  a link to the group /deep of plain\.h5")
        self.assertRegex(outcome.output, r"/gone  a link to /x of nowhere\.h5, which is not there")
        outcome = runs.convoy("train", "--config", "any.ini", "--data.file", "links.h5", "--data.images", "/gone",
                              "--run.dir", "new")
        self.assert_message(outcome, 3, r"/gone is a link to /x of nowhere\.h5, which is not there")


if __name__ == "__main__":
    runs.main()
