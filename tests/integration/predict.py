#!/usr/bin/env python3
"""`convoy predict` says of image files, folders and samples of HDF5 files what `convoy eval` counts, the same bytes on
any ranks and threads, in text, JSON, CSV and HDF5; errors name the fault and leave nothing."""

import csv
import json
import os
import unittest

import runs

try:
    import h5py
    import numpy
    from PIL import Image
except ImportError:
    Image = None

CLASSES = ("ape", "bee, wild", "cat")


def make_images(folder):
    """60 images of all shapes, in colour and grey, 20 of each class."""
    generator = numpy.random.default_rng(5)
    for index in range(60):
        height, width = generator.integers(10, 40, 2)
        pixels = generator.integers(0, 120, (height, width, 3)) + 50 * (index % 3)
        below = os.path.join(folder, CLASSES[index % 3])
        os.makedirs(below, exist_ok=True)
        mode, ending = ("RGB", "png") if index % 2 else ("L", "pgm")
        Image.fromarray(pixels.astype("uint8")).convert(mode).save(os.path.join(below, f"{index:02}.{ending}"))


@unittest.skipUnless(Image, "python3-pil, python3-numpy or python3-h5py is not installed")
class Predict(runs.Folder):
    def setUp(self):
        super().setUp()
        make_images("images")
        self.done("import", "folder", "images", "--out", "images.h5", "--size", "8x10", "--fit", "crop")
        self.train("tiny", {"data.file": "images.h5"}, words=["--network.layer", "conv 4 3x3", "--network.layer", "relu",
                                                             "--network.layer", "dense 3"])
        self.checkpoint = runs.checkpoints("run")[-1]

    def done(self, *words, **how):
        outcome = runs.convoy(*words, **how)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome.output

    def predict(self, *words, **how):
        return self.done("predict", "--checkpoint", self.checkpoint, *words, **how)

    def objects(self, *words, **how):
        return [json.loads(line) for line in self.predict("--json", *words, **how).splitlines()]

    def test_says_of_files_and_of_samples_what_eval_counts(self):
        self.done("eval", "--checkpoint", self.checkpoint, "--data", "images.h5", "--split", "train", "--predictions", "e.csv")
        with open("e.csv", newline="", encoding="utf-8") as file:
            counted = list(csv.DictReader(file))
        of_files = self.objects("images", "--fit", "crop")
        of_samples = self.objects("images.h5:/train/images")
        self.assertEqual(len(counted), 60)
        self.assertEqual([each["input"] for each in of_samples], [f"images.h5:/train/images[{n}]" for n in range(60)])
        self.assertEqual([os.path.dirname(each["input"]) for each in of_files],
                         [f"images/{name}" for name in CLASSES for _ in range(20)])
        for line, one, other in zip(counted, of_files, of_samples):
            self.assertEqual(one["outputs"], other["outputs"])
            self.assertEqual(line["prediction"], one["class_name"])
            self.assertEqual(float(line["probability"]), one["probability"])
            self.assertEqual(one["class"], max(range(3), key=lambda k, o=one["outputs"]: o[k]))
            exponents = numpy.exp(numpy.array(one["outputs"]) - max(one["outputs"]))
            self.assertAlmostEqual(one["probability"], exponents.max() / exponents.sum(), places=12)
            self.assertEqual([each["class"] for each in one["top"]], sorted(range(3), key=lambda k, o=one["outputs"]: -o[k]))

    def test_any_ranks_and_threads_give_the_same_bytes(self):
        inputs = ["images", "--fit", "stretch", "images.h5:/train/images[7:50]"]
        expected = self.predict("--json", *inputs)
        self.assertEqual(len(expected.splitlines()), 60 + 43)
        self.predict("--out", "1.h5", *inputs)
        for ranks, threads in ((1, 3), (2, 1), (3, 2), (5, 1)):
            self.assertEqual(self.predict("--json", *inputs, ranks=ranks, threads=threads), expected)
            self.predict("--out", "n.h5", *inputs, ranks=ranks, threads=threads)
            self.assertEqual(runs.read("n.h5"), runs.read("1.h5"))

    def test_files_hold_what_json_says(self):
        inputs = ["images.h5:/train/images[50:60]", f"images/{CLASSES[1]}", "--fit", "crop"]
        told = self.objects(*inputs)
        said = self.predict("--csv", "p.csv", "--out", "p.h5", *inputs, ranks=2)
        self.assertIn("Made p.h5: 30 predictions.", said)
        with open("p.csv", newline="", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        self.assertEqual([line["input"] for line in lines], [each["input"] for each in told])
        self.assertEqual([line["class_name"] for line in lines], [each["class_name"] for each in told])
        with h5py.File("p.h5") as file:
            numpy.testing.assert_array_equal(file["outputs"][:], numpy.array([each["outputs"] for each in told], "float32"))
            self.assertEqual(file["class"][:].tolist(), [each["class"] for each in told])
            self.assertEqual(file["probability"][:].tolist(), [each["probability"] for each in told])
            self.assertEqual([str(name) for name in file.attrs["class_names"]], list(CLASSES))
        for line, each in zip(lines, told):
            numbers = [numpy.float32(line[f"output_{k}"]) for k in range(3)]
            self.assertEqual(numbers, [numpy.float32(output) for output in each["outputs"]])

    def test_text_shows_the_likeliest_classes(self):
        line = self.predict("images.h5:/train/images[3:4]", "--top", 2)
        each = self.objects("images.h5:/train/images[3:4]")[0]
        best = ", ".join(f"{top['class_name']} {100 * top['probability']:.2f} %" for top in each["top"][:2])
        self.assertEqual(line, f"images.h5:/train/images[3]: {best}\n")

    def test_outputs_of_a_network_of_targets_are_numbers(self):
        with h5py.File("images.h5") as source, h5py.File("targets.h5", "w") as file:
            file["x"] = numpy.moveaxis(source["train/images"][:], 1, 3).astype("float32")
            file["t"] = file["x"][:].mean((1, 2, 3)).reshape(-1, 1) / 255
        words = ["--data.images", "/x", "--data.targets", "/t", "--data.layout", "NHWC", "--network.layer", "dense 1",
                 "--network.loss", "quadratic", "--schedule.lr", "0.001"]
        self.train("tiny", {"data.file": "targets.h5", "run.dir": "numbers"}, words=words)
        self.checkpoint = runs.checkpoints("numbers")[-1]
        each = self.objects("targets.h5:/x[0:2]", "--layout", "NHWC")[1]
        self.assertEqual(list(each), ["input", "outputs"])
        self.assertEqual(self.predict("targets.h5:/x[1:2]", "--layout", "NHWC"),
                         f"targets.h5:/x[1]: {numpy.float32(each['outputs'][0]):.9g}\n")
        self.refused(3, r"is an image of bytes, but .* was trained on float numbers", "images", "--fit", "crop")

    def test_takes_arrays_as_the_network_was_trained(self):
        """Flat arrays, files of one image, other layouts: of the run where they fit, without being told."""
        with h5py.File("images.h5") as source:
            images, labels = source["train/images"][:], source["train/labels"][:]
        last = numpy.moveaxis(images, 1, 3)
        with h5py.File("any.h5", "w") as file:
            file["flat"], file["last"], file["y"] = last.reshape(60, -1), last, labels
            file["image"], file["vector"], file["first"] = last[7], last[7].ravel(), images
        settings = {"data.file": "any.h5", "data.images": "/flat", "data.labels": "/y", "data.shape": "3x8x10",
                    "data.layout": "NHWC", "run.dir": "flat"}
        self.train("tiny", settings, words=["--network.layer", "dense 3"])
        self.checkpoint = runs.checkpoints("flat")[-1]
        expected = [each["outputs"] for each in self.objects("any.h5:/last", "--layout", "NHWC")]
        for words in (["any.h5:/flat"], ["any.h5:/last"], ["any.h5:/first"], ["any.h5:/first", "--layout", "NCHW"]):
            self.assertEqual([each["outputs"] for each in self.objects(*words)], expected)
        self.assertEqual([each["outputs"] for each in self.objects("any.h5:/flat[0:2]")], expected[:2])
        for one in ("/image", "/vector"):
            self.assertEqual([each["outputs"] for each in self.objects("any.h5:" + one)], expected[7:8])
        self.refused(3, r"/y is \[60\].*\(--layout\)", "any.h5:/y")

    def test_takes_bytes_if_the_network_was_trained_on_their_logarithms(self):
        self.train("tiny", {"data.file": "images.h5", "data.transform": "log1p", "run.dir": "log"},
                   words=["--network.layer", "dense 3"])
        self.checkpoint = runs.checkpoints("log")[-1]
        self.done("eval", "--checkpoint", self.checkpoint, "--data", "images.h5", "--images", "/train/images", "--labels",
                  "/train/labels", "--predictions", "e.csv")
        with open("e.csv", newline="", encoding="utf-8") as file:
            counted = [line["prediction"] for line in csv.DictReader(file)]
        self.assertEqual([each["class_name"] for each in self.objects("images.h5:/train/images")], counted)

    def refused(self, status, pattern, *words, **how):
        before = sorted(os.listdir("."))
        outcome = runs.convoy("predict", "--checkpoint", self.checkpoint, *words, **how)
        self.assert_message(outcome, status, pattern)
        self.assertEqual(sorted(os.listdir(".")), before)

    def test_what_does_not_fit_is_named_and_leaves_nothing(self):
        first = sorted(os.listdir(f"images/{CLASSES[0]}"))[0]
        self.refused(3, rf"images/ape/{first} is \dx\d+x\d+, the network takes 3x8x10; --fit", "images", "--out", "o.h5", ranks=2)
        self.refused(2, r"no such file: nowhere\.png", "nowhere.png")
        self.refused(2, r"images\.h5 needs the path of its images", "images.h5")
        self.refused(3, r"no such samples in data set images\.h5 \(\[50:61\] of /train/images, which holds 60 images\)",
                     "images.h5:/train/images[50:61]")
        self.refused(3, r"there is no /x", "images.h5:/x")
        self.refused(2, r"is not FILE:/PATH\[BEGIN:END\]", "images.h5:/train/images[a:b]")
        self.refused(2, r"--fit 'best' is not stretch or crop", "images", "--fit", "best")
        runs.write("broken.png", runs.read(f"images/{CLASSES[1]}/01.png")[:-20])
        self.refused(3, r"bad image broken\.png", "images", "broken.png", "--fit", "crop", "--csv", "o.csv", ranks=3)
        os.mkdir("empty")
        self.refused(3, r"no image in folder empty", "empty")
        self.refused(4, r"nowhere/", "images", "--fit", "crop", "--out", "nowhere/o.h5", ranks=2)
        with h5py.File("other.h5", "w") as file:
            file["x"] = numpy.zeros((4, 3, 8, 11), "uint8")
            file["f"] = numpy.zeros((4, 3, 8, 10), "float32")
        self.refused(3, r"/x of other\.h5 holds images of 3x8x11, the network takes 3x8x10", "other.h5:/x")
        self.refused(3, r"/f of other\.h5 holds float numbers, .* was trained on uint8", "other.h5:/f")


if __name__ == "__main__":
    runs.main()
