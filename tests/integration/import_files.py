#!/usr/bin/env python3
"""convoy import files: HDF5 files of others, of one sample or several, become one data set; a run on it has the bits of a
run on the files; ranks and threads change no byte; what is wrong is named, and no file remains."""

import os
import shutil
import unittest

import runs

try:
    import h5py
    import numpy
except ImportError:
    h5py = None

CONFIGURATION = """
[network]
layer = conv 3 3x3
layer = relu
layer = dense 3
[optimizer]
momentum = 0.9
[schedule]
lr = 0.01
[train]
max-steps = 8
batch = 12
micro-batch = 4
[run]
dir = run
threads = 1
"""
SAMPLES = 41


@unittest.skipUnless(h5py, "python3-h5py is not installed")
class ImportFiles(runs.Folder):
    def setUp(self):
        super().setUp()
        generator = numpy.random.default_rng(2)
        self.images = generator.integers(0, 255, (SAMPLES, 9, 11, 4)).astype("u1")
        self.targets = generator.random((SAMPLES, 3)).astype("f4")
        self.labels = numpy.arange(SAMPLES) % 3
        for loss in ("quadratic", "softmax-cross-entropy"):
            with open(loss + ".ini", "w", encoding="utf-8") as file:
                file.write(CONFIGURATION + f"[network]\nloss = {loss}\n")

    def write(self, folder, kind, a_file):
        """Files of `a_file` samples; None: of one, without the dimension N."""
        os.makedirs(folder)
        for begin in range(0, SAMPLES, a_file or 1):
            some = slice(begin, begin + a_file) if a_file else begin
            with h5py.File(f"{folder}/s{begin:03}.h5", "w") as file:
                file["x"] = self.images[some].astype(kind)
                file["t"] = self.targets[some]
                file["deep/y"] = self.labels[some] * 10
        return f"{folder}/*.h5"

    def make(self, pattern, *words, ranks=None, out="packed.h5"):
        outcome = runs.convoy("import", "files", pattern, "--images", "/x", "--out", out, *words, ranks=ranks)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome

    def bits(self, loss, *words):
        outcome = runs.convoy("train", "--config", loss + ".ini", *words)
        self.assertEqual(outcome.status, 0, outcome)
        result = self.hash_of("run")
        shutil.rmtree("run")
        return result

    def test_a_run_on_the_data_set_has_the_bits_of_a_run_on_the_files(self):
        for folder, kind, a_file in (("single", "u1", None), ("several", "f4", 7), ("doubles", "f8", 1), ("short", "i2", None)):
            with self.subTest(kind=kind, a_file=a_file):
                pattern = self.write(folder, kind, a_file)
                plain = ("--data.file", pattern, "--data.images", "/x", "--data.layout", "NHWC")
                outcome = self.make(pattern, "--targets", "/t", "--layout", "NHWC")
                self.assertRegex(outcome.output, rf"4x9x11, 3 numbers a target, {SAMPLES} images in train\.\n"
                                 rf"Stored as {'uint8' if kind == 'u1' else 'float32'}, from \w+ NHWC in \d+ files")
                self.assertEqual(self.bits("quadratic", "--data.file", "packed.h5"),
                                 self.bits("quadratic", *plain, "--data.targets", "/t"))
                self.make(pattern, "--labels", "/deep/y", "--label-values", "sorted", "--layout", "NHWC")
                self.assertEqual(
                    self.bits("softmax-cross-entropy", "--data.file", "packed.h5"),
                    self.bits("softmax-cross-entropy", *plain, "--data.labels", "/deep/y", "--data.label-values", "sorted"))
                outcome = runs.convoy("inspect", "packed.h5")
                self.assertEqual(outcome.status, 0, outcome)
                self.assertRegex(outcome.output, r"classes +3: 0, 10, 20")

    def test_the_file_holds_what_the_contract_says(self):
        self.make(self.write("some", "f4", 6), "--targets", "/t", "--layout", "NHWC", "--validation-part", "0.2")
        with h5py.File("packed.h5") as file:
            train, validation = file["train/images"], file["validation/images"]
            self.assertEqual(len(train) + len(validation), SAMPLES)
            self.assertEqual((train.dtype, train.shape[1:], train.compression, train.shuffle, train.fletcher32),
                             (numpy.dtype("f4"), (4, 9, 11), "gzip", True, True))
            plain = self.images.transpose(0, 3, 1, 2).astype("f4")
            both = {image.tobytes() for image in numpy.concatenate([train[:], validation[:]])}
            self.assertEqual(both, {image.tobytes() for image in plain})
            numpy.testing.assert_allclose(train.attrs["mean"], train[:].astype("f8").mean(axis=(0, 2, 3)), rtol=1e-12)
            numpy.testing.assert_allclose(validation.attrs["std"], train[:].astype("f8").std(axis=(0, 2, 3)), rtol=1e-9)

    def test_ranks_and_threads_change_no_byte(self):
        pattern = self.write("single", "f4", None)
        words = ("--targets", "/t", "--layout", "NHWC")
        self.make(pattern, *words, "--threads", "1", out="one.h5")
        for ranks, threads in ((1, "3"), (2, "1"), (3, "2")):
            self.make(pattern, *words, "--threads", threads, ranks=ranks, out="many.h5")
            with open("one.h5", "rb") as one, open("many.h5", "rb") as many:
                self.assertEqual(one.read(), many.read(), (ranks, threads))

    def test_what_is_wrong_is_named_and_leaves_no_file(self):
        pattern = self.write("single", "f4", None)
        with h5py.File("single/s007.h5", "r+") as file:
            file["x"][3, 3, 1] = numpy.nan
        with h5py.File("single/s009.h5", "r+") as file:
            del file["t"]
        cases = (
            (("--images", "/x", "--targets", "/t"), 3, r"single/s009\.h5 \(there is no /t\); there are /deep/y, /x"),
            (("--images", "/x", "--labels", "/deep/y", "--label-values", "sorted"), 3,
             r"single/s007\.h5 \(/x holds a NaN or infinity in sample 0\)"),
            (("--images", "/x"), 2, r"needs one of --labels /PATH and --targets /PATH"),
            (("--labels", "/deep/y"), 2, r"needs --images /PATH"),
            (("--images", "/x", "--labels", "/deep/y", "--layout", "NWHC"), 2, r"--layout NWHC is not one of NCHW, NHWC, NHW; .*transpose"),
            (("--images", "/x", "--labels", "/deep/y", "--size", "8x8"), 2, r"--size goes with import folder alone"))
        before = sorted(os.listdir("."))
        for words, status, message in cases:
            with self.subTest(words=words):
                outcome = runs.convoy("import", "files", pattern, *words, "--out", "packed.h5")
                self.assertEqual(outcome.status, status, outcome)
                self.assertRegex(outcome.errors, message)
                self.assertEqual(sorted(os.listdir(".")), before)
        outcome = runs.convoy("import", "files", "single/*.h5", "--images", "/x", "--targets", "/t", "--out",
                              "single/s000.h5")
        self.assertEqual(outcome.status, 2, outcome)
        self.assertRegex(outcome.errors, r"--out single/s000\.h5 is one of the files that are read")
        outcome = runs.convoy("import", "folder", "single", "--targets", "/t", "--out", "packed.h5")
        self.assertEqual(outcome.status, 2, outcome)
        self.assertRegex(outcome.errors, r"--targets goes with import files alone")


if __name__ == "__main__":
    unittest.main(verbosity=2)
