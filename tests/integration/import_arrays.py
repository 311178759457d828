#!/usr/bin/env python3
"""import npz and mat: arrays of any usual type, order and layout make the data set that numpy would make of them; wrong
ones are refused with what would be right; damaged ones never crash. And import idx on its options."""

import gzip
import os
import random
import struct
import unittest

import runs

try:
    import h5py
    import numpy
except ImportError:
    h5py = None

HEIGHT, WIDTH, CLASSES = 8, 6, 4


def samples(count, channels=3, seed=0):
    """Images [N][C][H][W] of bytes and labels."""
    generator = numpy.random.default_rng(seed)
    return generator.integers(0, 256, (count, channels, HEIGHT, WIDTH)).astype("uint8"), numpy.arange(count) % CLASSES


def nhwc(images):
    return numpy.ascontiguousarray(images.transpose(0, 2, 3, 1))


@unittest.skipUnless(h5py, "python3-numpy or python3-h5py is not installed")
class Arrays(runs.Folder):
    def setUp(self):
        super().setUp()
        self.images, self.labels = samples(20)
        self.test_images, self.test_labels = samples(9, seed=1)

    def made(self, *words, status=0):
        outcome = runs.convoy("import", *words, "--out", "made.h5")
        self.assertEqual(outcome.status, status, outcome)
        self.assertEqual(runs.leftovers("."), [])
        return outcome

    def assert_split(self, split, images, labels):
        with h5py.File("made.h5") as file:
            numpy.testing.assert_array_equal(file[split]["images"][:], images)
            self.assertEqual(file[split]["images"].dtype, images.dtype)
            numpy.testing.assert_array_equal(file[split]["labels"][:], labels)

    def refused(self, status, pattern, *words):
        if os.path.exists("made.h5"):
            os.remove("made.h5")
        self.assert_message(self.made(*words, status=status), status, pattern)
        self.assertFalse(os.path.exists("made.h5"))


class Npz(Arrays):
    def test_names_of_medmnist_and_keras(self):
        numpy.savez_compressed("medmnist.npz", train_images=nhwc(self.images), train_labels=self.labels.astype("u1").reshape(-1, 1),
                               val_images=nhwc(self.test_images), val_labels=self.test_labels.astype("u1").reshape(-1, 1),
                               test_images=nhwc(self.test_images[:5]), test_labels=self.test_labels[:5].astype("u1").reshape(-1, 1))
        outcome = self.made("npz", "medmnist.npz")
        self.assertIn("3x8x6, 4 classes, 20 images in train, 5 images in test, 9 images in validation", outcome.output)
        self.assert_split("train", self.images, self.labels)
        self.assert_split("validation", self.test_images, self.test_labels)
        self.assert_split("test", self.test_images[:5], self.test_labels[:5])
        self.inspect("made.h5")
        numpy.savez("keras.npz", x_train=self.images[:, 0], y_train=self.labels, x_test=self.test_images[:, 0], y_test=self.test_labels)
        self.made("npz", "keras.npz")
        self.assert_split("train", self.images[:, :1], self.labels)
        self.assert_split("test", self.test_images[:, :1], self.test_labels)

    def test_a_network_trains_on_it(self):
        images, labels = self.images.repeat(4, 0), self.labels.repeat(4)
        images[:, :, 0, 0] = (60 * labels)[:, None]
        for kind in ("uint8", "float32"):
            numpy.savez("train.npz", x=nhwc(images.astype(kind)), y=labels)
            self.made("npz", "train.npz")
            with open("arrays.ini", "w", encoding="utf-8") as file:
                file.write("[data]\nfile = made.h5\n[network]\nlayer = dense 4\nloss = softmax-cross-entropy\n[schedule]\nlr = 0.02\n"
                           f"[train]\nepochs = 8\nbatch = 16\n[run]\nthreads = 1\ndir = {kind}\n")
            outcome = runs.convoy("train", "--config", "arrays.ini")
            self.assertEqual(outcome.status, 0, outcome)
            epochs = [line for line in runs.metrics(kind) if line["event"] == "epoch"]
            self.assertGreater(epochs[-1]["train_accuracy"], 0.9)

    def test_every_type_order_and_layout(self):
        for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "?", ">u2", ">i4", ">f4", ">f8", ">f2"):
            values = (self.images // 2 if kind == "i1" else self.images).astype(kind)
            expected = self.images if kind == "u1" else values.astype("f4")
            for order in "CF":
                numpy.savez("kinds.npz", images=numpy.array(nhwc(values), order=order),
                            labels=self.labels.astype("f8" if kind == "f8" else "i4" if order == "C" else ">i2"))
                with self.subTest(kind=kind, order=order):
                    self.made("npz", "kinds.npz")
                    self.assert_split("train", expected, self.labels)
        with h5py.File("made.h5") as file:
            attributes = file["train/images"].attrs
            numpy.testing.assert_allclose(attributes["mean"], expected.mean((0, 2, 3), dtype="f8"), rtol=1e-12)
            numpy.testing.assert_allclose(attributes["std"], expected.std((0, 2, 3), dtype="f8"), rtol=1e-10)
        for layout, axes in (("NCHW", (0, 1, 2, 3)), ("HWCN", (2, 3, 1, 0)), ("NWHC", (0, 3, 2, 1)), ("chwn", (1, 2, 3, 0))):
            numpy.savez("layout.npz", images=numpy.ascontiguousarray(self.images.transpose(axes)), labels=self.labels)
            with self.subTest(layout=layout):
                self.made("npz", "layout.npz", "--layout", layout)
                self.assert_split("train", self.images, self.labels)

    def test_single_files_and_arrays_of_other_archives(self):
        numpy.save("x.npy", nhwc(self.images))
        numpy.save("y.npy", self.labels)
        numpy.savez("k49-test-imgs.npz", self.test_images[:, 0])
        numpy.savez("both.npz", x=nhwc(self.test_images), y=self.test_labels, other=1)
        with open("x.npy", "rb") as plain, gzip.open("x.npy.gz", "wb") as packed:
            packed.write(plain.read())
        for images in ("x.npy", "x.npy.gz"):
            self.made("npz", "--images", images, "--labels", "y.npy", "--test-images", "both.npz:x", "--test-labels", "both.npz:y")
            self.assert_split("train", self.images, self.labels)
            self.assert_split("test", self.test_images, self.test_labels)
        self.made("npz", "both.npz", "--images", "k49-test-imgs.npz", "--labels", "y")
        self.assert_split("train", self.test_images[:, :1], self.test_labels)
        self.refused(2, r"no labels of the train split in both\.npz \(which holds x, y, other\); name them by --labels", "npz", "both.npz",
                     "--images", "x")
        self.refused(2, r"no images of the test split in both\.npz .*; name them by --test-images", "npz", "both.npz", "--test-labels", "y")
        self.refused(2, r"no array  in both\.npz \(which holds x, y, other\)", "npz", "--images", "both.npz", "--labels", "y.npy")

    def test_labels(self):
        numpy.savez("onehot.npz", x=nhwc(self.images), y=numpy.eye(CLASSES)[self.labels])
        self.made("npz", "onehot.npz")
        self.assert_split("train", self.images, self.labels)
        gaps = numpy.array([3, 7, 20, 21])[self.labels]
        numpy.savez("gaps.npz", x=nhwc(self.images), y=gaps)
        self.refused(3, r"labels of y of gaps\.npz are no class numbers.*the smallest is 3.*--label-values sorted", "npz", "gaps.npz")
        self.made("npz", "gaps.npz", "--label-values", "sorted")
        self.assert_split("train", self.images, self.labels)
        for labels, pattern in ((self.labels + 0.5, r"number 0 is 0\.5\); labels are whole"), (self.labels[:-1], r"one label for each of the 20"),
                                (numpy.ones((20, 3)), r"row 0 of y of wrong\.npz has not one 1"), (self.labels - 1, r"the smallest is -1")):
            numpy.savez("wrong.npz", x=nhwc(self.images), y=labels)
            self.refused(3, pattern, "npz", "wrong.npz")

    def test_what_is_no_data_set_is_refused(self):
        numpy.savez("objects.npz", x=numpy.array([{"a": 1}] * 20), y=self.labels)
        self.refused(3, r"x of objects\.npz holds Python objects", "npz", "objects.npz", "--layout", "NHW")
        numpy.savez("complex.npz", x=nhwc(self.images).astype("c8"), y=self.labels)
        self.refused(3, r"x of complex\.npz has the type <c8", "npz", "complex.npz")
        numpy.savez("table.npz", x=numpy.zeros(20, [("a", "i4")]), y=self.labels)
        self.refused(3, r"type of a structure", "npz", "table.npz")
        numpy.savez("names.npz", pictures=nhwc(self.images), answers=self.labels)
        self.refused(2, r"no images to train are known by name in names\.npz \(which holds pictures, answers\); name them by --images", "npz", "names.npz")
        self.made("npz", "names.npz", "--images", "pictures", "--labels", "answers")
        numpy.savez("flat.npz", x=self.images.reshape(20, -1), y=self.labels)
        self.refused(2, r"x of flat\.npz is 20x144.*--layout", "npz", "flat.npz")
        nan = nhwc(self.images).astype("f4")
        nan[4, 1, 1, 1] = numpy.nan
        numpy.savez("nan.npz", x=nan, y=self.labels)
        self.refused(3, r"image 4 of x of nan\.npz holds", "npz", "nan.npz")
        numpy.savez("two.npz", x_train=nhwc(self.images), y_train=self.labels, x_test=nhwc(self.images)[:, 1:], y_test=self.labels)
        self.refused(3, r"image sizes differ \(3x8x6 in x_train of two\.npz, 3x7x6 in x_test", "npz", "two.npz")
        runs.write("page.npz", b"<!DOCTYPE html><html></html>")
        self.refused(3, r"page\.npz is no archive of numpy arrays \(it is an HTML page", "npz", "page.npz")
        self.refused(2, r"no such file: nowhere\.npz", "npz", "nowhere.npz")
        self.refused(2, r"import npz takes FILE\.npz, or", "npz")
        self.refused(2, r"--layout 'NHHW' is no order", "npz", "names.npz", "--images", "pictures", "--labels", "answers", "--layout", "NHHW")

    def test_damage_is_noticed(self):
        numpy.savez("whole.npz", x=nhwc(self.images), y=self.labels)
        numpy.savez_compressed("packed.npz", x=nhwc(self.images), y=self.labels)
        numpy.save("whole.npy", nhwc(self.images))
        numpy.save("y.npy", self.labels)
        generator = random.Random(4)
        for name in ("whole.npz", "packed.npz", "whole.npy"):
            whole = runs.read(name)
            words = ["npz", "bad.npz"] if name.endswith("npz") else ["npz", "--images", "bad.npy", "--labels", "y.npy"]
            for _ in range(25):
                bad = bytearray(whole)
                if generator.random() < 0.4:
                    del bad[generator.randrange(len(bad)):]
                else:
                    for _ in range(3):
                        bad[generator.randrange(200 if generator.random() < 0.5 else len(bad))] = generator.randrange(256)
                runs.write(words[1] if len(words) == 2 else "bad.npy", bytes(bad))
                outcome = runs.convoy("import", *words, "--out", "made.h5")
                self.assertIn(outcome.status, (0, 2, 3), outcome)
        promise = runs.read("whole.npy").replace(b"(20, 8, 6, 3)", b"(9999999, 8, 6, 3)".ljust(13))
        runs.write("bad.npy", promise)
        numpy.save("y.npy", numpy.zeros(9999999, "u1"))
        self.refused(3, r"bad\.npy is (cut short|no numpy)", "npz", "--images", "bad.npy", "--labels", "y.npy")


class Foreign(Arrays):
    """What people find instead of the file that they meant to download."""

    POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
    PAGE = b"<!DOCTYPE html><html><body>404</body></html>"

    def write(self, path, content):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)

    def test_arrays(self):
        numpy.save("y.npy", self.labels)
        for content, words in ((self.POINTER, "Git LFS"), (self.PAGE, "an HTML page"), (gzip.compress(b"x"), "gzip")):
            self.write("x.npy", content)
            self.refused(3, rf"x\.npy is no numpy array \(it is .*{words}", "npz", "--images", "x.npy", "--labels", "y.npy")
        self.write("x.bin", self.POINTER)
        self.refused(2, r"no array x\.bin \(it is .*Git LFS", "npz", "--images", "x.bin", "--labels", "y.npy")
        self.refused(3, r"y\.npy is no archive.*--images X\.npy --labels Y\.npy", "npz", "y.npy")
        self.write("matlab.mat", b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n")
        self.refused(3, r"matlab\.mat is no archive.*convoy import mat", "npz", "matlab.mat")

    def test_published_sets(self):
        names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
        for name in names:
            self.write(f"page/{name}.gz", self.PAGE)
            self.write(f"zipped/{name}.gz", gzip.compress(self.PAGE))
            self.write(f"pointer/{name}", self.POINTER)
        self.refused(3, r"train-images-idx3-ubyte\.gz is no gzip file \(it is an HTML page", "mnist", "page")
        self.refused(3, r"cannot read zipped/train-\S+\.gz \(it is an HTML page", "mnist", "zipped")
        self.refused(3, r"cannot read pointer/train-\S+ \(it is a pointer of Git LFS", "mnist", "pointer")
        for name in [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]:
            self.write("cifar/" + name, self.POINTER)
        self.refused(3, r"cannot read cifar/\S+ \(it is a pointer of Git LFS", "cifar10", "cifar")

    def test_images_tables_and_checkpoints(self):
        for name in ("a/1.png", "b/1.jpg"):
            self.write("images/" + name, self.POINTER)
        self.refused(3, r"bad image images/a/1\.png \(it is a pointer of Git LFS", "folder", "images")
        self.write("labels.csv", self.PAGE)
        self.refused(3, r"cannot read labels\.csv as a table of labels \(it is an HTML page", "folder", "images", "--labels",
                     "labels.csv")
        outcome = runs.convoy("eval", "--checkpoint", "labels.csv", "--data", "data.h5")
        self.assert_message(outcome, 3, r"labels\.csv is no sound checkpoint \(it is an HTML page")


class Mat(Arrays):
    def write(self, path, images, labels, names=("X", "y")):
        with h5py.File(path, "w", userblock_size=512) as file:
            for name, value, kind in ((names[0], images, "uint8"), (names[1], labels, "double")):
                file[name] = value
                file[name].attrs["MATLAB_class"] = numpy.bytes_(kind)
        with open(path, "r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b"\0" * 8 + b"\x00\x02IM")

    def test_svhn(self):
        # MATLAB's [H][W][C][N] is [N][C][W][H] in HDF5; the digit 0 has the label 10.
        digits = numpy.arange(20) % 10
        for path, images, labels in (("train.mat", self.images, digits), ("test.mat", self.test_images, digits[:9])):
            self.write(path, images.transpose(0, 1, 3, 2), numpy.where(labels == 0, 10, labels).astype("f8").reshape(1, -1))
        outcome = self.made("mat", "train.mat", "test.mat", "--zero-is", "10")
        self.assertIn("3x8x6, 10 classes, 20 images in train, 9 images in test", outcome.output)
        self.assert_split("train", self.images, digits)
        self.assert_split("test", self.test_images, digits[:9])
        self.made("mat", "train.mat", "--label-values", "sorted")
        self.assert_split("train", self.images, (digits - 1) % 10)
        with h5py.File("made.h5") as file:
            self.assertEqual(list(file.attrs["class_names"][:2]) + list(file.attrs["class_names"][9:]), ["1", "2", "10"])

    def test_names_and_layouts(self):
        self.write("other.mat", self.images.transpose(1, 3, 2, 0), self.labels.reshape(-1, 1) + 1.0, ("data", "label"))
        self.made("mat", "other.mat", "--images", "data", "--labels", "label", "--layout", "NHWC")
        self.assert_split("train", self.images, self.labels)
        self.write("grey.mat", self.images[:, 0].transpose(0, 2, 1).astype("f4"), self.labels.reshape(1, -1) + 1.0)
        self.made("mat", "grey.mat")
        self.assert_split("train", self.images[:, :1].astype("f4"), self.labels)
        self.refused(3, r"/nothing", "mat", "grey.mat", "--images", "nothing")

    def test_other_files_are_refused(self):
        runs.write("old.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(116) + b"\0" * 8 + b"\x00\x01IM" + bytes(64))
        self.refused(3, r"old\.mat is a file of MATLAB 5 to 7; type in MATLAB: s = load\('old\.mat'\); save\('old_v73\.mat', '-struct', 's', '-v7\.3'\)",
                     "mat", "old.mat")
        runs.write("page.mat", b"<!DOCTYPE html>")
        self.refused(3, r"no file of MATLAB 7\.3 \(it is an HTML page", "mat", "page.mat")
        self.write("whole.mat", self.images.transpose(0, 1, 3, 2), self.labels.reshape(1, -1) * 1.0)
        whole, generator = runs.read("whole.mat"), random.Random(5)
        for _ in range(40):
            bad = bytearray(whole)
            for _ in range(4):
                bad[512 + generator.randrange(len(bad) - 512)] = generator.randrange(256)
            runs.write("bad.mat", bytes(bad))
            outcome = runs.convoy("import", "mat", "bad.mat", "--out", "made.h5")
            self.assertIn(outcome.status, (0, 3, 4), outcome)


class Idx(Arrays):
    def write_idx(self, path, values):
        head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
        runs.write(path, head + values.astype("u1").tobytes())

    def test_options(self):
        os.mkdir("set")
        for split, images, labels in (("train", self.images, self.labels), ("test", self.test_images, self.test_labels)):
            self.write_idx(f"set/emnist-letters-{split}-images-idx3-ubyte", images[:, 0])
            self.write_idx(f"set/emnist-letters-{split}-labels-idx1-ubyte", labels + 1)
        outcome = self.made("idx", "set")
        self.assertRegex(outcome.output, r"1x6x8, 4 classes, 20 images in train, 9 images in test\.\nTransposed")
        self.assert_split("train", self.images[:, :1].transpose(0, 1, 3, 2), self.labels)
        self.made("idx", "--train-images", "set/emnist-letters-train-images-idx3-ubyte", "--train-labels",
                  "set/emnist-letters-train-labels-idx1-ubyte", "--transpose", "no")
        self.assert_split("train", self.images[:, :1], self.labels)
        self.refused(2, r"import idx takes a folder", "idx", "set", "--train-images", "x")
        self.refused(2, r"--set goes with import idx alone, not with mnist", "mnist", "set", "--set", "x")
        self.refused(2, r"import mnist takes DIR, not 0 words", "mnist")

    def test_a_pipe_keeps_nobody_waiting(self):
        os.mkdir("pipes")
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz", "test.bin",
                     "train.bin", "data_batch_1.bin", "train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin", "test_batch.bin",
                     "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"):
            os.mkfifo("pipes/" + name)
        for kind in ("mnist", "idx", "cifar10", "cifar100", "stl10"):
            self.refused(4, r"cannot read pipes/\S+ \(it is a pipe\); name a file", kind, "pipes")
        self.refused(4, r"cannot read pipes/train-\S+ \(it is a pipe\)", "idx", "--train-images", "pipes/train-images-idx3-ubyte",
                     "--train-labels", "pipes/train-labels-idx1-ubyte")
        self.refused(4, r"cannot read /dev/zero \(it is a device\)", "idx", "--train-images", "/dev/zero", "--train-labels", "/dev/zero")


if __name__ == "__main__":
    runs.main()
