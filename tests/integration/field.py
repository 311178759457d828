#!/usr/bin/env python3
"""Data sets as people have them: labels in every form, images of any type. Images and labels are small
copies of what public data sets look like; a bright square says the class."""

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

CLASSES = 4
SAMPLES = 120
WORDS = ["ant", "bee", "cat", "dog"]
CONFIGURATION = """
[network]
layer = conv 8 3x3 pad=1
layer = relu
layer = maxpool 2x2
layer = dense 4
loss = softmax-cross-entropy
[optimizer]
momentum = 0.9
[schedule]
lr = 0.03
[train]
epochs = 6
batch = 24
micro-batch = 8
[run]
dir = run
threads = 1
"""


def pictures(samples, seed):
    """[samples][3][8][8] of uint8, and classes."""
    generator = numpy.random.default_rng(seed)
    labels = generator.integers(0, CLASSES, samples)
    images = generator.integers(0, 120, (samples, 3, 8, 8))
    for image, label in zip(images, labels):
        image[:, label // 2 * 4:][:, :4, label % 2 * 4:][:, :, :4] += 120
    return images.astype("uint8"), labels


def label_kinds(labels):
    """Forms of the same labels that are accepted without being told; some need words on the command line."""
    one_hot = numpy.eye(CLASSES)[labels]
    records = numpy.zeros(len(labels), [("weight", "f4"), ("label", "i2"), ("name", "S3")])
    records["label"], records["name"] = labels, numpy.array(WORDS, "S3")[labels]
    kinds = {kind: labels.astype(kind) for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", ">i4", ">i8", "f2", "f4", "f8")}
    kinds |= {"n1": labels[:, None], "1n": labels[None], "n111": labels[:, None, None, None], "f8n1": labels[:, None] * 1.0}
    kinds |= {"hot " + kind: one_hot.astype(kind) for kind in ("u1", "i8", "f4", "f8", "bool")}
    kinds |= {"strings": numpy.array(WORDS, "S3")[labels], "vlen": numpy.array(WORDS, object)[labels],
              "enum": labels.astype("i4"), "records": records,
              "table": numpy.concatenate([numpy.full((len(labels), 2), 7.5), one_hot], 1),
              "first": labels + 1, "gap": numpy.array([0, 1, 2, 9])[labels]}
    return kinds


TYPES = {"vlen": lambda: h5py.string_dtype(), "enum": lambda: h5py.enum_dtype(dict(zip(WORDS, range(4))), basetype="i4")}
NEEDS = {"records": ["--data.labels", "/y/records.label"], "table": ["--data.labels", "/y/table[2:6]"],
         "first": ["--data.label-values", "sorted"], "gap": ["--data.label-values", "sorted"]}


@unittest.skipUnless(h5py, "python3-h5py is not installed")
class Field(runs.Folder):
    def setUp(self):
        super().setUp()
        self.images, self.labels = pictures(SAMPLES, 1)
        with open("field.ini", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)
        with h5py.File("data.h5", "w") as file:
            file["x"], file["labels"] = self.images, self.labels

    def add(self, **arrays):
        with h5py.File("data.h5", "a") as file:
            for name, array in arrays.items():
                file[name] = array

    def train(self, *words, run="run", ranks=None, images="/x", labels="/labels", file="data.h5"):
        return runs.convoy("train", "--config", "field.ini", "--data.file", file, "--data.images", images,
                           *([] if labels is None else ["--data.labels", labels]), "--run.dir", run, *words, ranks=ranks)

    def bits(self, *words, run, **rest):
        outcome = self.train(*words, run=run, **rest)
        self.assertEqual(outcome.status, 0, outcome)
        return self.hash_of(run)

    def epochs(self, run="run"):
        return [line for line in runs.metrics(run) if line["event"] == "epoch"]


class Labels(Field):
    def test_any_form_is_the_same_labels(self):
        expected = self.bits(run="plain")
        self.assertGreater(self.epochs("plain")[-1]["train_accuracy"], 0.9)
        with h5py.File("data.h5", "a") as file:
            for name, values in label_kinds(self.labels).items():
                file.create_dataset("y/" + name, data=values, dtype=TYPES[name]() if name in TYPES else None)
        for number, name in enumerate(label_kinds(self.labels)):
            with self.subTest(labels=name):
                words = NEEDS.get(name, [])
                has_path = "--data.labels" in words
                self.assertEqual(self.bits(*words, run=f"run{number}", labels=None if has_path else "/y/" + name), expected)
        # Names are kept, and used by eval, also for a file that has some of them.
        names = list(label_kinds(self.labels)).index("strings")
        few = self.labels > 1
        with h5py.File("few.h5", "w") as file:
            file["x"], file["y"] = self.images[few], numpy.array(WORDS, "S3")[self.labels[few]]
        checkpoint = runs.checkpoints(f"run{names}")[-1]
        outcome = runs.convoy("eval", "--checkpoint", checkpoint, "--data", "few.h5", "--images", "/x", "--labels", "/y",
                              "--json")
        self.assertEqual(outcome.status, 0, outcome)
        report = json.loads(outcome.output)
        self.assertEqual([each["name"] for each in report["classes"]], WORDS)
        self.assertGreater(report["accuracy"], 0.9)
        # Sorted values too.
        gap = list(label_kinds(self.labels)).index("gap")
        checkpoint = runs.checkpoints(f"run{gap}")[-1]
        with h5py.File(checkpoint) as file:
            self.assertEqual(list(file["input/label_values"]), [0, 1, 2, 9])
        with h5py.File("few.h5", "a") as file:
            file["nines"], file["other"] = numpy.array([0, 1, 2, 9])[self.labels[few]], numpy.full(few.sum(), 3)
        words = ["eval", "--checkpoint", checkpoint, "--data", "few.h5", "--images", "/x", "--labels"]
        outcome = runs.convoy(*words, "/nines", "--json")
        self.assertGreater(json.loads(outcome.output)["accuracy"], 0.9)
        self.assert_message(runs.convoy(*words, "/other"), 3,
                            r"few\.h5 \(/other holds 3 for sample 0, the first of \d+ of \d+ samples in all\); "
                            r"the network was trained on labels 0, 1, 2, 9")

    def test_labels_in_a_file_of_their_own(self):
        expected = self.bits(run="plain")
        with h5py.File("labels.h5", "w") as file:
            file["y"] = self.labels.reshape(-1, 1, 1, 1)
        self.assertEqual(self.bits("--data.labels-file", "labels.h5", run="apart", labels="/y"), expected)
        for part, (begin, end) in enumerate([(0, 50), (50, 60), (60, SAMPLES)]):
            with h5py.File(f"x{part}.h5", "w") as file:
                file["x"] = self.images[begin:end]
            with h5py.File(f"y{part}.h5", "w") as file:
                file["y"] = numpy.eye(CLASSES, dtype="u1")[self.labels[begin:end]]
        words = ["--data.labels-file", "y?.h5"]
        self.assertEqual(self.bits(*words, run="pairs", file="x?.h5", labels="/y", ranks=3), expected)
        os.remove("y2.h5")
        self.assert_message(self.train(*words, run="short", file="x?.h5", labels="/y"), 3,
                            r"counts differ .*/x of 3 files holds 120 images, /y of 2 files holds 60 labels")
        outcome = self.train("--data.labels-file", "y1.h5", run="short", labels="/y")
        self.assert_message(outcome, 3, r"counts differ in data set y1\.h5 \(/y is \[10x4\]\)")

    def test_wrong_labels_are_told_with_what_to_type(self):
        y = self.labels
        stray, half, soft = y.astype("u1"), y.astype("f4"), numpy.eye(CLASSES)[y]
        stray[33], half[5], soft[7] = 255, 0.5, 0.25
        two = numpy.eye(CLASSES)[y]
        two[9] = [1, 1, 0, 0]
        nan = y.astype("f4")
        nan[5] = numpy.nan
        negative = y.copy()
        negative[17] = -1
        self.add(stray=stray, half=half, soft=soft, two=two, nan=nan, negative=negative, first=y + 1, gap=numpy.array([0, 1, 2, 9])[y],
                 same=y * 0, short=y[:-3], transposed=numpy.eye(CLASSES)[y].T, c=y.astype("c8"), opaque=numpy.array(WORDS, "S3").astype("V3")[y])
        with h5py.File("data.h5", "a") as file:
            file.create_dataset("lists", (SAMPLES,), h5py.vlen_dtype("u1"))
            file.create_dataset("refs", (SAMPLES,), h5py.ref_dtype)
            file.create_dataset("unset", (SAMPLES,), h5py.string_dtype())
        for name, words in {
            "stray": r"/stray holds 255 for sample 33, the only one of 120 samples in all\); none is 4 to 254: .*"
                     r"data\.label-values = sorted numbers the 5 values .*data\.classes = 256",
            "half": r"/half holds 0\.5 for sample 5\); labels are whole numbers; .* data\.targets",
            "nan": r"/nan holds nan for sample 5",
            "soft": r"/soft holds 0 ones in a row of 4 for sample 7\)",
            "two": r"/two holds 2 ones in a row of 4 for sample 9\)",
            "negative": r"/negative holds -1 for sample 17, the only one .*labels count from 0",
            "first": r"/first holds 1 for sample .*labels count from 1 here.*data\.label-values = sorted",
            "gap": r"/gap holds 9 for sample .*none is 3 to 8: labels should leave no gap",
            "same": r"all labels are the same.*data\.classes = K",
            "short": r"/short is \[117\]\); /x holds 120 images: labels should be \[120\], or one-hot rows \[120\]\[classes\]",
            "transposed": r"/transposed is \[4x120\]",
            "c": r"/c .*labels should be integers, whole numbers, one-hot rows or strings",
            "lists": r"/lists is variable-length\); labels should be .* or strings \(h5py\.string_dtype\(\)\)",
            "opaque": r"/opaque is opaque\); labels",
            "refs": r"/refs is a reference\); labels",
            "absent": r"there is no /absent\); there are /c, ",
        }.items():
            with self.subTest(labels=name):
                self.assert_message(self.train(labels="/" + name), 3, words)
                self.assertFalse(os.path.exists("run"))
        self.assert_message(self.train(labels="/unset"), 2, r"all labels of the training split are '': nothing")

    def test_forms_that_differ_are_both_named(self):
        self.add(text=numpy.array(WORDS, "S3")[self.labels], hot=numpy.eye(CLASSES)[self.labels])
        for one, other, message in [
                ("/labels", "/text", r"/text holds text, but /labels of data\.h5 holds numbers\)"),
                ("/text", "/hot", r"/hot holds one-hot rows, but /text of data\.h5 holds text\)")]:
            outcome = self.train("--data.test-images", "/x", "--data.test-labels", other, labels=one)
            self.assert_message(outcome, 3, r"labels differ in data set data\.h5 \(" + message)
        outcome = self.train("--data.class-names", "only")
        self.assert_message(outcome, 3, r"there is 1 class name, so labels are 0")

    def test_classes_and_names(self):
        self.add(one=self.labels * 0, names=numpy.array(["w", "x", "y", "z"], "S1"), numbers=numpy.arange(4))
        for words in (["--data.class-names", "w, x, y, z"], ["--data.class-names", "/names"]):
            self.assertEqual(self.train(*words, "--train.max-steps", 1, run="named").status, 0)
            checkpoint = runs.checkpoints("named")[0]
            with h5py.File(checkpoint) as file:
                self.assertEqual([name.decode() for name in file["input/class_names"]], ["w", "x", "y", "z"])
            shutil.rmtree("named")
        self.assert_message(self.train("--data.class-names", "/names", "--data.classes", 5), 2,
                            r"data\.classes = 5 does not fit the 4 class names")
        self.assertEqual(self.train("--data.classes", 4, "--train.max-steps", 1, labels="/one").status, 0)
        self.assert_message(self.train("--data.classes", 3, run="three"), 3,
                            r"holds 3 for sample \d+, .*there are 3 classes, so labels lie between 0 and 2")


class BatchNormalization(Field):
    LAYERS = ["conv 8 3x3 pad=1", "globalavgpool", "batchnorm", "relu", "dense 4"]

    def words(self):
        return [word for layer in self.LAYERS for word in ("--network.layer", layer)]

    def test_a_left_over_sample_leaves_the_running_variance(self):
        images, labels = pictures(129, 2)
        variances = []
        for samples in (128, 129):
            with h5py.File(f"n{samples}.h5", "w") as file:
                file["x"], file["labels"] = images[:samples], labels[:samples]
            outcome = self.train(*self.words(), "--train.batch", 128, "--train.micro-batch", 16, "--train.epochs", 60,
                                 "--data.shuffle", "no", "--schedule.lr", 1e-12, run=f"n{samples}", file=f"n{samples}.h5")
            self.assertEqual(outcome.status, 0, outcome)
            with h5py.File(runs.checkpoints(f"n{samples}")[-1]) as file:
                variances.append(file["model/batchnorm1/running_var"][:])
        self.assertLess(abs(variances[1] / variances[0] - 1).max(), 0.05)

    def test_a_single_value_is_refused(self):
        self.assert_message(self.train(*self.words(), "--train.micro-batch", 1), 2,
                            r"batchnorm1 would normalise a single value of each channel \(train\.micro-batch is 1")
        with h5py.File("one.h5", "w") as file:
            file["x"], file["labels"] = self.images[:1], self.labels[:1]
        self.assert_message(self.train(*self.words(), "--data.classes", 4, file="one.h5"), 2,
                            r"batchnorm1 would normalise a single value of each channel \(there is 1 training sample, "
                            r"and its images are 8\).* more samples")


class Images(Field):
    def test_types_and_flat_images(self):
        self.add(f=self.images.astype("f4"))
        expected = self.bits(run="float", images="/f")
        for number, kind in enumerate(("i2", "u2", "i4", "u4", "i8", "u8", "f8", ">i4")):
            self.add(**{f"x{number}": self.images.astype(kind)})
            with self.subTest(type=kind):
                self.assertEqual(self.bits(run=f"type{number}", images=f"/x{number}"), expected)
        self.add(i1=(self.images // 2).astype("i1"), i1f=(self.images // 2).astype("f4"), b=self.images > 150,
                 bf=(self.images > 150).astype("f4"), flat=self.images.reshape(SAMPLES, -1),
                 last=self.images.transpose(0, 2, 3, 1).reshape(SAMPLES, -1))
        for one, other in (("i1", "i1f"), ("b", "bf")):
            self.assertEqual(self.bits(run=one, images="/" + one), self.bits(run=other, images="/" + other))
        expected = self.bits(run="bytes")
        self.assertEqual(self.bits("--data.shape", "3x8x8", run="flat", images="/flat"), expected)
        self.assertEqual(self.bits("--data.shape", "3x8x8", "--data.layout", "nhwc", run="last", images="/last", ranks=2),
                         expected)
        self.assert_message(self.train(run="none", images="/flat"), 3, r"data\.shape = CxHxW reads images stored flat")
        self.assert_message(self.train("--data.shape", "3x8x9", run="none", images="/flat"), 3,
                            r"/flat is \[120x192\]\); data\.shape = 3x8x9 goes with \[N\]\[216\]")

    def test_one_sample_a_file(self):
        expected = self.bits("--data.layout", "NHWC", run="plain", file=self.channels_last())
        for i, (image, label) in enumerate(zip(self.images, self.labels)):
            with h5py.File(f"s{i:03d}.h5", "w") as file:
                file["image"], file["label"] = image.transpose(1, 2, 0), numpy.int64(label)
        words = ["--data.layout", "NHWC"]
        rest = {"file": "s*.h5", "images": "/image", "labels": "/label"}
        self.assertEqual(self.bits(*words, run="one", **rest), expected)
        self.assertEqual(self.bits(*words, "--data.cache", "none", run="streamed", ranks=2, **rest), expected)

    def channels_last(self):
        with h5py.File("last.h5", "w") as file:
            file["x"], file["labels"] = self.images.transpose(0, 2, 3, 1), self.labels
        return "last.h5"

    def test_logarithm(self):
        counts = numpy.floor(numpy.exp(self.images / 40.0))
        self.add(counts=counts.astype("f4"), logs=numpy.log1p(counts).astype("f8"))
        outcome = self.train("--data.transform", "log1p", run="log", images="/counts")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(self.train(run="logs", images="/logs").status, 0)
        for one, other in zip(self.epochs("log"), self.epochs("logs")):
            self.assertAlmostEqual(one["train_loss"], other["train_loss"], places=4)
        checkpoint = runs.checkpoints("log")[-1]
        outcome = runs.convoy("eval", "--checkpoint", checkpoint, "--data", "data.h5", "--json")
        self.assertGreater(json.loads(outcome.output)["accuracy"], 0.9)
        negative = counts.astype("f4")
        negative[4, 0, 2, 2] = -1
        self.add(negative=negative)
        self.assert_message(self.train("--data.transform", "log1p", run="none", images="/negative"), 3,
                            r"/negative holds -1 in sample 4\); data\.transform = log1p needs numbers above -1")

    def test_what_a_file_is_that_is_none(self):
        import gzip
        contents = {"x.h5.gz": gzip.compress(b"1234"), "empty.h5": b"", "page.h5": b"<!DOCTYPE html><html></html>\n",
                    "pointer.h5": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
                    "train.mat": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128, b"\0"),
                    "data.npz": b"PK\x03\x04".ljust(64, b"\0"), "list.txt": b"caffe_train1.h5\n"}
        says = {"x.h5.gz": "gunzip", "empty.h5": "empty", "page.h5": "HTML", "pointer.h5": "git lfs pull",
                "train.mat": r"-v7\.3", "data.npz": "import npz", "list.txt": "text file"}
        for name, content in contents.items():
            with open(name, "wb") as file:
                file.write(content)
            with self.subTest(file=name):
                self.assert_message(self.train(file=name), 3, rf"{name} is no HDF5 file: it is .*{says[name]}")
        os.mkfifo("pipe")
        self.assert_message(self.train(file="pipe"), 2, r"data set pipe is a pipe")
        self.assert_message(self.train(file="/dev/zero"), 2, r"data set /dev/zero is a device")


if __name__ == "__main__":
    runs.main()
