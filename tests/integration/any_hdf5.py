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
        self.other_losses_of_targets(words)

    def other_losses_of_targets(self, words):
        """absolute and huber: their errors are those that eval computes from the outputs, also after a stop in an epoch."""
        words = [*words, "--train.epochs", 3, "--schedule.lr", 0.005, "--run.log-every", 1]
        for loss in (["absolute"], ["huber", "--network.huber-delta", 0.2]):
            words_of_loss = [*words, "--network.loss", *loss]
            whole, stopped = f"{loss[0]}", f"{loss[0]}-stopped"
            for run, more in ((whole, []), (stopped, ["--train.max-steps", 4]), (stopped, ["--resume", "auto"])):
                outcome = runs.convoy("train", *words_of_loss, "--run.dir", run, *more, ranks=2 if more else None)
                self.assertEqual(outcome.status, 0, outcome)
            self.assert_same_result(stopped, self.result_of(whole))
            epoch = [line for line in runs.metrics(whole) if line["event"] == "epoch"][-1]
            outcome = runs.convoy("eval", "--checkpoint", runs.checkpoints(whole)[-1], "--data", "targets.h5", "--json")
            self.assertEqual(outcome.status, 0, outcome)
            figures = json.loads(outcome.output)
            self.assertEqual(figures["root_mean_squared_error"], epoch["test_rmse"])
            self.assertEqual(figures["loss"], epoch["test_loss"])
            mean = sum(output["root_mean_squared_error"]**2 for output in figures["outputs"]) / 2
            self.assertAlmostEqual(epoch["test_rmse"]**2, mean, places=9)
            if loss[0] == "absolute":
                self.assertAlmostEqual(epoch["test_loss"], 2 * figures["mean_absolute_error"], places=9)
        outcome = runs.convoy("train", *words, "--network.class-weights", "1 2", "--run.dir", "none")
        self.assert_message(outcome, 2, r"network\.class-weights needs classes")
        outcome = runs.convoy("train", *words, "--schedule.name", "plateau", "--schedule.metric", "accuracy", "--run.dir",
                              "none")
        self.assert_message(outcome, 2, r"schedule\.metric = accuracy needs classes")

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
        refused(2, r"data\.layout = 'hwcn' is not one of NCHW, NHWC, NHW; .* h5py, .*\.transpose\(3, 2, 0, 1\)", {"data.layout": "hwcn"})
        refused(2, r"has labels in one split and targets in the other", {"data.test-targets": "/deep/y"})
        refused(2, r"leave one out", {"data.targets": "/deep/y"})
        refused(2, r"epochs = '\"3\"' is not an integer.*the quotes count as part of it", {"train.epochs": '"3"'})
        os.mkdir("shards")
        refused(2, r"shards is a folder; it should be an HDF5 file", {"data.file": "shards"})
        write("shards/a.h5", self.images, self.labels)
        refused(2, r"or a pattern: 'shards/\*\.h5' are 1 file", {"data.file": "shards"})
        with h5py.File("jpegs.h5", "w") as file:
            file.create_dataset("x", 9, h5py.vlen_dtype(numpy.uint8))
        refused(3, r"/x is variable-length\); .*convoy import folder", {"data.file": "jpegs.h5"})
        # Numbers of 64 bits beyond those of labels; two of them would else be one class.
        hashes = self.labels.astype("uint64") + numpy.uint64(2 ** 63 + 5)
        hashes[0] = 3
        write("hashes.h5", self.images, hashes)
        refused(3, r"holds about 922337203685477\d+ for sample 1\)", {"data.file": "hashes.h5", "data.label-values": "sorted"})
        write("nan.h5", numpy.where(self.images == self.images[7, 3, 3, 1], numpy.nan, self.images), self.labels)
        refused(3, r"holds a NaN or infinity in sample \d+", {"data.file": "nan.h5"})
        outcome = runs.convoy("train", "--config", "tiny.ini", "--data.file", "plain.h5", "--run.dir", "new")
        self.assert_message(outcome, 3, r"not a data set.*data\.images and data\.labels")
        outcome = runs.convoy("train", "--config", "tiny.ini", "--data.labels", "/y", "--run.dir", "new")
        self.assert_message(outcome, 2, r"data\.labels = '/y' needs data\.images")

    def test_labels_and_splits_that_do_not_fit_are_named_and_counted(self):
        def refused(pattern, *words, status=3):
            outcome = runs.convoy("train", "--config", "any.ini", "--data.file", "odd.h5", "--run.dir", "new", *words)
            self.assert_message(outcome, status, pattern)

        write("odd.h5", self.images.astype("uint16"), self.labels)
        text = [f"class {label}" for label in self.labels]
        text[5] = text[8] = "odd"
        split = self.labels * 0
        split[3], split[4] = 7, 9
        with h5py.File("odd.h5", "r+") as file:
            file["text"] = text
            file["split"] = split
        names = ",".join(sorted(set(text) - {"odd"}))
        refused(r"unknown label in data set odd\.h5 \(/text holds 'odd' for sample 5, the first of 2 of 140 samples in all\); it is none of the",
                "--data.labels", "/text", "--data.class-names", names)
        refused(r"/split holds 7 for sample 3, the first of 2 wrong ones of 140 samples", "--data.split", "/split")

    def evaluated(self, *words, run="run", status=0):
        """eval's figures; for an error its outcome."""
        outcome = runs.convoy("eval", "--checkpoint", runs.checkpoints(run)[-1], *words, "--json")
        self.assertEqual(outcome.status, status, outcome)
        return json.loads(outcome.output) if status == 0 else outcome

    def trained(self, *words, layer="dense 4"):
        shutil.rmtree("run", ignore_errors=True)
        outcome = runs.convoy("train", "--config", "any.ini", *words, "--network.layer", layer, "--run.dir", "run")
        self.assertEqual(outcome.status, 0, outcome)
        return [line for line in runs.metrics("run") if line["event"] == "epoch"][-1]

    def test_eval_finds_labels_in_files_of_their_own(self):
        for split, (begin, end) in {"train": (0, 90), "test": (90, 120), "other": (120, SAMPLES)}.items():
            with h5py.File(f"{split}_x.h5", "w") as file:
                file["x"] = self.images[begin:end].astype("uint16")
            with h5py.File(f"{split}_y.h5", "w") as file:
                file["y"] = self.labels[begin:end].reshape(-1, 1, 1, 1)
        last = self.trained("--data.file", "train_x.h5", "--data.labels", "/y", "--data.labels-file", "train_y.h5",
                            "--data.test-file", "test_x.h5", "--data.test-labels-file", "test_y.h5")
        report = self.evaluated("--data", "test_x.h5")
        self.assertEqual((report["split"], report["samples"]), ("test", 30))
        self.assertEqual((report["loss"], report["accuracy"]), (last["test_loss"], last["test_accuracy"]))
        train = self.evaluated("--data", "train_x.h5")
        self.assertEqual((train["split"], train["samples"]), ("train", 90))
        self.assertEqual(self.evaluated("--data", os.path.abspath("train_x.h5"), "--split", "train")["loss"], train["loss"])
        self.assertEqual(self.evaluated("--data", "train_x.h5", "--split", "test")["loss"], report["loss"])
        # Another file: its labels have to be named; from anywhere.
        other = self.evaluated("--data", "other_x.h5", "--labels-file", "other_y.h5")
        self.assertEqual((other["split"], other["samples"]), ("/x", SAMPLES - 120))
        again = self.evaluated("--data", "other_x.h5", "--images", "/x", "--labels", "/y", "--labels-file", "other_y.h5",
                               "--layout", "NHWC")
        self.assertEqual({**again, "data": ""}, {**other, "data": ""})
        outcome = self.evaluated("--data", "other_x.h5", status=3)
        self.assert_message(outcome, 3, r"there is no /y.*a file of their own is --labels-file")
        self.assertNotIn("data.labels", outcome.errors)
        outcome = self.evaluated("--data", "other_x.h5", "--labels-file", "test_y.h5", status=3)
        self.assert_message(outcome, 3, r"counts differ in data set test_y\.h5")
        self.assert_message(self.evaluated("--data", "test_x.h5", "--split", "train", status=3), 3, r"no samples in split 'train'")
        self.assert_message(self.evaluated("--data", "other_x.h5", "--targets-file", "other_y.h5", status=2), 2,
                            r"--targets-file .* trained on labels")

    def test_eval_reads_what_import_made_after_a_run_on_other_files(self):
        last = self.trained("--data.file", "plain.h5", "--data.validation-part", "0.2")
        outcome = runs.convoy("import", "files", "plain.h5", "--images", "/x", "--labels", "/deep/y", "--layout", "NHWC", "--out",
                              "packed.h5")
        self.assertEqual(outcome.status, 0, outcome)
        packed = self.evaluated("--data", "packed.h5")
        plain = self.evaluated("--data", "plain.h5", "--images", "/x", "--labels", "/deep/y", "--layout", "NHWC")
        self.assertEqual((packed["samples"], packed["loss"]), (SAMPLES, plain["loss"]))
        self.assertGreater(last["validation_accuracy"], 0)

    def test_eval_finds_targets_in_files_of_their_own(self):
        targets = self.images.mean((1, 2, 3)).astype("float32")[:, None] / 1000
        with h5py.File("x.h5", "w") as file:
            file["x"] = self.images.astype("float32") / 1000
        with h5py.File("t.h5", "w") as file:
            file["t"] = targets
        text = CONFIGURATION.replace("labels = /deep/y", "targets = /t\ntargets-file = t.h5")
        with open("any.ini", "w", encoding="utf-8") as file:
            file.write(text.replace("softmax-cross-entropy", "quadratic"))
        self.trained("--data.file", "x.h5", layer="dense 1")
        shutil.copy("x.h5", "other.h5")
        expected = self.evaluated("--data", "x.h5")["root_mean_squared_error"]
        for words in (["--targets-file", "t.h5"], ["--images", "/x", "--targets", "/t", "--targets-file", "t.h5"]):
            self.assertEqual(self.evaluated("--data", "other.h5", *words)["root_mean_squared_error"], expected)
        self.assert_message(self.evaluated("--data", "other.h5", status=3), 3, r"there is no /t.*--targets-file")

    def test_eval_of_arrays_of_other_names_and_of_flat_ones(self):
        flat = self.images.transpose(0, 3, 1, 2).reshape(SAMPLES, -1)
        with h5py.File("signs.h5", "w") as file:
            file["test_set_x"], file["test_set_y"] = self.images[:50].astype("uint16"), self.labels[:50]
            file["last"], file["flat"] = self.images[:50].reshape(50, -1).astype("uint16"), flat[:50].astype("uint16")
            file["one"], file["flat1"], file["y1"] = self.images[3].astype("uint16"), flat[3].astype("uint16"), self.labels[3]
        self.trained("--data.file", "plain.h5")
        words = ["--data", "signs.h5"]
        outcome = self.evaluated(*words, status=3)
        self.assert_message(outcome, 3, r"there is no /x\); there are /flat, .*/test_set_y, /y1; "
                            r"arrays of other names are --images /PATH --labels /PATH --layout NHWC")
        asked = [*words, "--images", "/test_set_x", "--labels", "/test_set_y"]
        expected = self.evaluated(*asked, "--layout", "NHWC")
        self.assertEqual((expected["split"], expected["samples"]), ("/test_set_x", 50))
        self.assertEqual(self.evaluated(*asked), expected)
        self.assertEqual(self.evaluated(*asked, "--split", "test")["split"], "test")
        text = runs.convoy("eval", "--checkpoint", runs.checkpoints("run")[-1], *asked).output
        self.assertRegex(text, r"on signs\.h5, /test_set_x, 50 samples\n")
        for array, more in (("/last", []), ("/flat", ["--layout", "NCHW"])):
            report = self.evaluated(*words, "--images", array, "--labels", "/test_set_y", *more)
            self.assertEqual({**report, "split": ""}, {**expected, "split": ""})
        one = self.evaluated(*words, "--images", "/one", "--labels", "/y1")
        self.assertEqual(one["samples"], 1)
        self.assertEqual(self.evaluated(*words, "--images", "/flat1", "--labels", "/y1", "--layout", "NCHW")["loss"], one["loss"])
        # Trained on flat images.
        with h5py.File("flat.h5", "w") as file:
            file["x"], file["deep/y"] = flat.astype("uint16"), self.labels
        self.trained("--data.file", "flat.h5", "--data.shape", "3x8x10", "--data.layout", "NCHW")
        report = self.evaluated(*words, "--images", "/flat", "--labels", "/test_set_y")
        self.assertEqual({**report, "split": "", "checkpoint": ""}, {**expected, "split": "", "checkpoint": ""})
        report = self.evaluated(*asked, "--layout", "NHWC")
        self.assertEqual({**report, "checkpoint": ""}, {**expected, "checkpoint": ""})
        outcome = self.evaluated(*words, "--images", "/test_set_y", "--labels", "/test_set_y", status=3)
        self.assert_message(outcome, 3, r"\(--layout\)")
        self.assertNotIn("data.", outcome.errors.replace("data set", ""))

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
