#!/usr/bin/env python3
"""Folders of images: the same bytes at any number of ranks and threads, the same pixels as Pillow, errors that name bad
images, no broken file after signals; the published formats and synth started on several ranks; and a network trains on
the result."""

import os
import pty
import shutil
import signal
import subprocess
import unittest

import runs

try:
    import h5py
    import numpy
    from PIL import Image
except ImportError:
    Image = None

CLASSES = ("ape", "bee", "cat")
SIZE = (20, 28)  # height, width
SLOW_FILES = 400


def image(generator, index):
    """Coarse noise, larger or smaller than SIZE; higher classes are brighter."""
    height, width = generator.integers(12, 70, 2)
    coarse = generator.integers(0, 150, (height // 4 + 1, width // 4 + 1, 3)) + 50 * (index % 3)
    return Image.fromarray(coarse.astype("uint8")).resize((int(width), int(height)), Image.BICUBIC)


def make_images(folder):
    """90 files, a third in each class, of all kinds."""
    generator = numpy.random.default_rng(5)
    for index in range(90):
        ending, mode = [("png", "RGB"), ("jpg", "RGB"), ("ppm", "RGB"), ("pgm", "L"), ("png", "RGBA"), ("jpg", "CMYK"),
                        ("png", "P"), ("png", "L"), ("jpeg", "L")][index // 3 % 9]
        below = os.path.join(folder, CLASSES[index % 3], "more" if index % 5 == 0 else "")
        os.makedirs(below, exist_ok=True)
        image(generator, index).convert(mode).save(os.path.join(below, f"{index:02}.{ending}"))


def files_in_order(folder):
    """(path, label), in the order of import."""
    for label, name in enumerate(CLASSES):
        paths = [os.path.join(below, file) for below, _, files in os.walk(os.path.join(folder, name)) for file in files]
        yield from ((path, label) for path in sorted(paths))


@unittest.skipUnless(Image, "python3-pil, python3-numpy or python3-h5py is not installed")
class ImportFolder(runs.Folder):
    def setUp(self):
        super().setUp()
        make_images("images")

    def import_folder(self, *words, status=0, **how):
        outcome = runs.convoy("import", "folder", "images", "--size", f"{SIZE[0]}x{SIZE[1]}", *words, **how)
        self.assertEqual(outcome.status, status, outcome)
        self.assertEqual(runs.leftovers("."), [])
        return outcome

    def test_ranks_and_threads_decide_no_byte(self):
        outcome = self.import_folder("--out", "one.h5", "--test-part", 0.2)
        self.assertIn("3 classes, 72 images in train, 18 images in test", outcome.output)
        for ranks in (1, 2, 3, 4):
            self.import_folder("--out", "many.h5", "--test-part", 0.2, "--threads", ranks, ranks=ranks)
            self.assertEqual(runs.read("many.h5"), runs.read("one.h5"), ranks)
        self.inspect("one.h5")

    def test_pixels_are_pillows(self):
        self.import_folder("--out", "data.h5", "--channels", 3)
        with h5py.File("data.h5") as file:
            images, labels = file["train/images"][:], file["train/labels"][:]
        expected = list(files_in_order("images"))
        self.assertEqual(list(labels), [label for _, label in expected])
        for image, (path, _) in zip(images, expected):
            if path.endswith(("jpg", "jpeg")):
                continue  # JPEG decoders may differ by a bit
            pillow = Image.open(path).convert("RGB").resize((SIZE[1], SIZE[0]), Image.BILINEAR)
            numpy.testing.assert_array_equal(image, numpy.asarray(pillow).transpose(2, 0, 1), path)

    def test_a_network_trains_on_it(self):
        self.import_folder("--out", "data.h5", "--test-part", 0.2, ranks=2)
        with open("three.ini", "w", encoding="utf-8") as file:
            file.write(runs.without_indentation(runs.SETTINGS + runs.NETWORKS["tiny"].replace("dense 4", "dense 3")))
        self.train("three", {"train.epochs": 20, "run.dir": "three"}, ranks=2)
        epochs = [line for line in runs.metrics("three") if line["event"] == "epoch"]
        self.assertGreater(epochs[-1]["test_accuracy"], 0.7)  # brightness separates the classes

    def import_any(self, folder, *words, status=0):
        outcome = runs.convoy("import", "folder", folder, "--out", "any.h5", "--size", "8x8", *words)
        self.assertEqual(outcome.status, status, outcome)
        return outcome

    def put(self, path, label=0):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(numpy.full((8, 8, 3), 40 + 60 * label, "uint8")).save(path)

    def test_splits_in_any_spelling(self):
        for number, (train, validation, test) in enumerate([("train", "val", "test"), ("Training", "Validation", "Testing"),
                                                            ("TRAIN", "valid", "Test"), ("training", "dev", "testing")]):
            for split, images in ((train, 3), (validation, 1), (test, 2)):
                for label, name in enumerate(("glioma", "none")):
                    for i in range(images):
                        self.put(f"set{number}/{split}/{name}/{i}.png", label)
            self.assertRegex(self.import_any(f"set{number}").output, r"2 classes, 6 images in train, 4 images in test, "
                             r"2 images in validation|2 classes, 6 images in train, 2 images in validation, 4 images in test")

    def test_folders_that_can_hardly_be_classes_are_refused(self):
        self.put("flat/Training/1.png"), self.put("flat/Testing/1.png")
        self.assert_message(self.import_any("flat", status=2), 2, r"no classes in flat \(Testing, Training look like splits.*--labels")
        self.put("high/data/cat/1.png"), self.put("high/data/dog/1.png")
        self.assert_message(self.import_any("high", status=2), 2, r"one class alone in high \(the folder data\).*import folder 'high/data'")
        self.put("csv/images/1.png"), self.put("csv/images/2.png")
        runs.write("csv/labels.csv", b"1.png,cat\n2.png,dog\n")
        self.assert_message(self.import_any("csv", status=2), 2, r"one class alone in csv \(the folder images\); if csv/labels\.csv .*: import folder 'csv/images' --labels 'csv/labels\.csv'")
        self.assertEqual(runs.convoy("import", "folder", "csv/images", "--labels", "csv/labels.csv", "--out", "hint.h5").status, 0)
        self.put("only/val/cat/1.png"), self.put("only/test/cat/1.png")
        self.assert_message(self.import_any("only", status=2), 2, r"no training split in only \(test, val look like splits")
        self.put("coco/train/n1/1.png"), self.put("coco/train/n2/1.png"), self.put("coco/val/images/1.png")
        runs.write("coco/val/labels.json", b"{}")
        self.assert_message(self.import_any("coco", status=2), 2, r"no class folders in coco/val \(labels\.json may say")
        for names in (("training_set", "test_set"), ("Train images", "Val images"), ("seg_train", "seg_test", "seg_val")):
            folder = "hidden-" + names[0]
            for name in names:
                self.put(f"{folder}/{name}/cat/1.png"), self.put(f"{folder}/{name}/dog/1.png")
            self.assert_message(self.import_any(folder, status=2), 2, r"look like splits, not like classes; rename them train")
        self.put("mixed/train_station/cat/1.png"), self.put("mixed/airport/dog/1.png")
        self.assertIn("2 classes", self.import_any("mixed").output)
        self.put("one/cat/1.png")
        self.assertIn("one class alone (cat)", self.import_any("one").errors)

    def test_a_table_beside_the_images_of_a_split(self):
        for name in ("n1", "n2"):
            self.put(f"tiny/train/{name}/images/{name}_0.png")
        for i in range(3):
            self.put(f"tiny/val/images/val_{i}.png")
        table = "tiny/val/val_annotations.txt"
        runs.write(table, b"val_0.png\tn2\t0\t0\t9\t9\nval_1.png\tn1\t0\t0\t9\t9\nval_2.png\tn2\t0\t0\t9\t9\n")
        outcome = self.import_any("tiny")
        self.assertIn("2 classes, 2 images in train, 3 images in validation", outcome.output)
        self.assertIn(f"the labels of tiny/val are those of {table}", outcome.errors)
        with h5py.File("any.h5") as made:
            self.assertEqual(sorted(made["validation/labels"][:].tolist()), [0, 1, 1])
        self.put("tiny/test/images/test_0.png")
        outcome = self.import_any("tiny")
        self.assertIn("2 classes, 2 images in train, 3 images in validation.", outcome.output)
        self.assertIn("tiny/test is left out: it has no class folders", outcome.errors)
        runs.write(table, b"val_0.png\tn3\n")
        self.assert_message(self.import_any("tiny", status=2), 2, r"label n3 of val_0\.png in tiny/val/val_annotations\.txt is no class")
        self.put("bare/train/n1/1.png"), self.put("bare/train/n2/1.png"), self.put("bare/test/1.png")
        self.assertIn("bare/test is left out: it has no class folders", self.import_any("bare").errors)

    def test_folders_that_may_hold_the_classes_are_named(self):
        for fold in ("fold1", "fold2"):
            self.put(f"folds/{fold}/cat/1.png"), self.put(f"folds/{fold}/dog/1.png")
        self.assertIn("fold1, fold2 all hold the folders cat, dog", self.import_any("folds").errors)
        self.put("sets/train/cat/1.png"), self.put("sets/train/dog/1.png"), self.put("sets/validation_set/cat/1.png")
        self.assertIn("sets/validation_set is left out; if it is a split, rename the folder validation", self.import_any("sets").errors)

    def test_a_table_of_labels(self):
        for i in range(6):
            self.put(f"flat2/sub/{i}.png", i % 2)
        rows = "".join(f"sub/{i}{'.png' if i % 3 else ''},{['dog', 'cat, big'][i % 2]!r}\n".replace("'", '"') for i in range(6))
        runs.write("table.csv", ("\ufefffile,label\r\n" + rows.replace("\n", "\r\n")).encode())
        outcome = self.import_any("flat2", "--labels", "table.csv", "--test-part", 0.34)
        self.assertRegex(outcome.output, r"2 classes, 4 images in train, 2 images in test")
        with h5py.File("any.h5") as file:
            self.assertEqual([name.decode() if isinstance(name, bytes) else name for name in file.attrs["class_names"]], ["cat, big", "dog"])
            for split in ("train", "test"):
                expected = [100 if label == 0 else 40 for label in file[split]["labels"]]
                self.assertEqual(list(file[split]["images"][:, 0, 0, 0]), expected)
        for content, message in (("sub/9.png,x\nsub/1.png,y\nsub/8.png,z\n", r"wrong line 3 in wrong\.csv \(there is no image sub/8\.png"),
                                 ("sub/1.png,x\nsub/1.png,y\n", r"wrong line 2 .*named before"), ("sub/1.png\n", r"wrong line 1"),
                                 ("file,label\n", r"no images in the table")):
            runs.write("wrong.csv", content.encode())
            self.assert_message(self.import_any("flat2", "--labels", "wrong.csv", status=3), 3, message)

    def class_names(self, path="any.h5"):
        with h5py.File(path) as file:
            return [name.decode() if isinstance(name, bytes) else name for name in file.attrs["class_names"]]

    def labels_by_brightness(self):
        """The name of each image's class, from the dark images to the bright ones."""
        names = self.class_names()
        with h5py.File("any.h5") as file:
            return [names[label] for _, label in sorted(zip(file["train/images"][:, 0, 0, 0].tolist(), file["train/labels"][:].tolist()))]

    def import_table(self, header, rows, *words, status=0):
        """Of the images wide/0.png to wide/3.png, the brighter the later, and a table wide.csv."""
        for i in range(4):
            self.put(f"wide/{i}.png", i)
        runs.write("wide.csv", "".join(line + "\n" for line in (header, *rows) if line is not None).encode())
        return self.import_any("wide", "--labels", "wide.csv", *words, status=status)

    def test_columns_are_chosen_by_the_header(self):
        rows = [f"{i}.png,640,{480 + i},{'dog' if i % 2 else 'cat'}" for i in range(4)]
        for header in ("filename,width,height,class", "Image_ID,w,h,Diagnosis", "File Name,a,b,LABEL", "filepaths,x0,y0,species", "img,id,x,target"):
            self.import_table(header, rows)
            self.assertEqual(self.labels_by_brightness(), ["cat", "dog", "cat", "dog"], header)
        self.import_table("class,id,image", [f"{'dog' if i % 2 else 'cat'},{9 - i},{i}" for i in range(4)])  # id names no image
        self.assertEqual(self.labels_by_brightness(), ["cat", "dog", "cat", "dog"])
        self.import_table("file,label,", [f"{i}.png,{i // 2}," for i in range(4)])  # a separator at the end of each line
        self.assertEqual(self.labels_by_brightness(), ["0", "0", "1", "1"])

    def test_a_table_that_is_no_text_is_refused(self):
        for i in range(4):
            self.put(f"wide/{i}.png", i)
        runs.write("wide.csv", b"file,label\n0.png,cat\n1.png,d\0g\n")
        outcome = self.import_any("wide", "--labels", "wide.csv", status=3)
        self.assertRegex(outcome.errors, r"wide\.csv holds zero bytes; a table of labels is text")

    def test_columns_that_no_header_tells_are_named(self):
        rows = [f"{i}.png,640,{480 + i},{'dog' if i % 2 else 'cat'}" for i in range(4)]
        for header, message in (("filename,width,height,kind", r"no column of labels .*in wide\.csv \(its columns are filename, width, height, kind\).*--label-column"),
                                ("filename,width,category,class", r"several columns of labels in wide\.csv \(category, class.*--label-column"),
                                (None, r"no header in wide\.csv.*1 \(0\.png\), 2 \(640\), 3 \(480\), 4 \(cat\).*--label-column")):
            self.assert_message(self.import_table(header, rows, status=2), 2, message)
        self.assert_message(self.import_table("a,b,class", ["0,1,x", "1,2,y", "2,3,x", "3,0,y"], status=2), 2, r"columns of files .*--file-column")
        for words in (["--label-column", "kind"], ["--label-column", "KIND", "--file-column", "filename"], ["--label-column", 4, "--file-column", 1]):
            self.import_table("filename,width,height,kind", rows, *words)
            self.assertEqual(self.labels_by_brightness(), ["cat", "dog", "cat", "dog"])
        for words in (["--label-column", 4], ["--label-column", 4, "--file-column", 1]):
            self.import_table(None, rows, *words)
            self.assertEqual(self.labels_by_brightness(), ["cat", "dog", "cat", "dog"])
        self.import_table("class,file", [f"{i // 2},{i}.png" for i in range(4)], "--label-column", "class")
        self.assertEqual(self.labels_by_brightness(), ["0", "0", "1", "1"])
        for words, message in ((["--label-column", "sort"], r"no column sort in wide\.csv \(its columns are filename, width, height, kind\); --label-column takes .*1 to 4"),
                               (["--label-column", 5], r"no column 5 in wide"), (["--label-column", 1, "--file-column", 1], r"column filename .*file and label")):
            self.assert_message(self.import_table("filename,width,height,kind", rows, *words, status=2), 2, message)
        self.assert_message(self.import_any("wide", "--label-column", "x", status=2), 2, "--label-column goes with --labels")
        swapped = self.import_table("label,file", [f"{i // 2}x,{i}.png" for i in range(4)], status=3)
        self.assert_message(swapped, 3, r"there is no image 0x in wide.*--file-column 2 --label-column 1")
        ragged = self.import_table("file,label", [f"{i}.png,cat, big" for i in range(4)], status=3)
        self.assert_message(ragged, 3, r"wrong line 2 in wide\.csv \(it has 3 columns, the first line 2\).*quotes")

    def test_a_column_a_class(self):
        rows = [f"{i}.png,{float(i % 3 == 0)},{int(i % 3 == 1)},{int(i % 3 == 2)}" for i in range(4)]
        self.import_table("image,MEL,NV,BCC", rows)
        self.assertEqual(self.labels_by_brightness(), ["MEL", "NV", "BCC", "MEL"])
        self.import_table("0,1,2,image", [",".join([*("1" if i % 3 == k else "0" for k in range(3)), f"{i}.png"]) for i in range(4)])
        self.assertEqual(self.labels_by_brightness(), ["0", "1", "2", "0"])
        outcome = self.import_table("image,MEL,NV,BCC,UNK", [row + ",0" for row in rows])
        self.assertIn("no line of wide.csv has a 1 in column UNK", outcome.errors)
        self.assertEqual(sorted(self.class_names()), ["BCC", "MEL", "NV"])
        for row, count in (("3.png,1,0,1", 2), ("3.png,0,0,0", 0)):
            outcome = self.import_table("image,MEL,NV,BCC", rows[:3] + [row], status=3)
            self.assert_message(outcome, 3, rf"wrong line 5 in wide\.csv \(it has {count} 1s in the columns MEL, NV, BCC\).*--label-column")
        self.import_table("image,MEL,NV,BCC", rows, "--label-column", "NV")
        self.assertEqual(self.labels_by_brightness(), ["0", "1", "0", "0"])
        self.assert_message(self.import_table("image,MEL,NV,BCC", rows[:3] + ["3.png,0,2,0"], status=2), 2, "no column of labels")
        self.assert_message(self.import_table(None, rows, status=2), 2, "no header in wide")

    def test_images_in_no_line_of_a_table_are_named(self):
        rows = ["0.png,x", "./1.png,y", "2,x"]
        self.assertIn("1 image of wide is in no line of wide.csv, and left out (first 3.png)", self.import_table(None, rows).errors)
        self.assertNotIn("no line", self.import_table(None, rows + ["3.png,y"]).errors)
        for i in range(30):
            self.put(f"wide/more/{i:02}.png")
        outcome = self.import_table(None, rows)
        self.assertRegex(outcome.errors, r"31 images of wide are in no line of wide\.csv, and left out \(first 3\.png, more/00\.png, .*…\)")
        self.assertNotIn("Passed over", outcome.output)
        for name in ("n1", "n2"):
            self.put(f"part/train/{name}/1.png")
        self.put("part/val/images/0.png"), self.put("part/val/images/1.png")
        runs.write("part/val/labels.txt", b"0.png n2\n")
        self.assertIn("1 image of part/val/images is in no line of part/val/labels.txt", self.import_any("part").errors)

    def test_class_folders_that_are_kinds_of_files_are_named(self):
        for i in range(4):
            self.put(f"masked/images/{i}.png"), self.put(f"masked/masks/{i}.png")
        outcome = self.import_any("masked")
        self.assertRegex(outcome.errors, r"class folders images, masks of masked .*import folder 'masked/images' --labels TABLE\.csv")
        runs.write("masked/labels.csv", b"file,label\n" + b"".join(b"%d.png,%d\n" % (i, i % 2) for i in range(4)))
        outcome = self.import_any("masked")
        self.assertRegex(outcome.errors, r"class folders images, masks .*import folder 'masked/images' --labels 'masked/labels\.csv'")
        self.assertEqual(outcome.errors.count("warning"), 1)
        self.assertIn("4 images in train", self.import_any("masked/images", "--labels", "masked/labels.csv").output)
        runs.write("masked/labels.csv", b"file,label\n" + b"".join(b"images/%d.png,%d\n" % (i, i % 2) for i in range(4)))
        self.assertIn("import folder 'masked' --labels 'masked/labels.csv'", self.import_any("masked").errors)
        self.put("beside/batch1/0.png"), self.put("beside/batch2/1.png")
        runs.write("beside/table.TSV", b"batch1/0.png\tx\nbatch2/1.png\ty\n")
        self.assertRegex(self.import_any("beside").errors, r"beside/table\.TSV .*is not read.*import folder 'beside' --labels 'beside/table\.TSV'")
        for split in ("train", "val"):
            self.put(f"segmented/{split}/img/0.png"), self.put(f"segmented/{split}/Annotations/0.png")
        self.assertIn("class folders Annotations, img of segmented/train", self.import_any("segmented").errors)
        for names in (("mask", "no_mask"), ("cat", "dog")):
            for name in names:
                self.put(f"{names[0]}-{names[1]}/{name}/0.png")
            self.assertNotIn("warning", self.import_any("-".join(names)).errors)

    def test_splits_with_a_number(self):
        for number, names in enumerate([("train2017", "val2017"), ("train_2012", "val-2012"), ("train", "Validation 1"), ("TRAIN.1", "val")]):
            for name in names:
                self.put(f"year{number}/{name}/cat/1.png"), self.put(f"year{number}/{name}/dog/1.png")
            self.assertIn("2 classes, 2 images in train, 2 images in validation", self.import_any(f"year{number}").output, names)
        self.put("one-split/train2017/cat/1.png"), self.put("one-split/train2017/dog/1.png")
        self.assertIn("2 classes, 2 images in train.", self.import_any("one-split").output)
        self.put("year0/test1/cat/1.png"), self.put("year0/test2/cat/1.png")
        self.assert_message(self.import_any("year0", status=2), 2, r"two test splits in year0 \(test1 and test2\)")
        self.put("year1/train2014/cat/1.png")
        self.assert_message(self.import_any("year1", status=2), 2, r"two training splits in year1 \(train2014 and train_2012\)")
        self.put("coco2/train2017/1.png"), self.put("coco2/val2017/1.png")
        self.assert_message(self.import_any("coco2", status=2), 2, r"no classes in coco2 \(train2017, val2017 look like splits")
        self.put("coco2/annotations/1.png")
        self.assertIn("class folders train2017, val2017 of coco2 are named like splits", self.import_any("coco2").errors)
        self.put("models/test1/1.png"), self.put("models/test2/1.png")
        self.assertIn("2 classes", self.import_any("models").output)
        self.put("vehicles/plane1/old/1.png"), self.put("vehicles/train1/old/1.png")
        self.assertIn("2 classes", self.import_any("vehicles").output)

    def test_splits_among_classes_are_named(self):
        for name in ("cat", "dog", "val"):
            self.put(f"hole/{name}/1.png")
        self.assertRegex(self.import_any("hole").errors, r"class folder val of hole is named like a split, .*train, test and validation")
        for name in ("positive", "test"):
            self.put(f"sick/{name}/1.png")
        outcome = self.import_any("sick")
        self.assertIn("2 classes", outcome.output)
        self.assertIn("class folder test of sick is named like a split", outcome.errors)
        for name in ("ape", "eval", "train"):
            self.put(f"held/{name}/1.png")
        self.assertIn("class folders eval, train of held are named like splits", self.import_any("held").errors)
        for name in ("imagesTr", "labelsTr"):
            self.put(f"organ/{name}/1.png")
        self.assertIn("class folders imagesTr, labelsTr of organ are named like kinds of files", self.import_any("organ").errors)
        for name in ("test1", "cat", "developer"):
            self.put(f"plain/{name}/1.png")
        self.assertNotIn("warning", self.import_any("plain").errors)

    def test_folders_beside_train_that_may_be_splits_are_named(self):
        for name in ("eval", "Evaluation", "holdout", "held-out", "hold_out_images"):
            self.put(f"{name}-set/train/cat/1.png"), self.put(f"{name}-set/train/dog/1.png"), self.put(f"{name}-set/{name}/x/1.png")
            self.assertIn(f"{name}-set/{name} is left out; if it is a split, rename the folder validation or test", self.import_any(f"{name}-set").errors)
        for name in ("train", "val", "query", "other"):
            self.put(f"beside2/{name}/cat/1.png"), self.put(f"beside2/{name}/dog/1.png")
        self.put("beside2/docs/figures/1.png")
        outcome = self.import_any("beside2")
        for name in ("query", "other"):
            self.assertIn(f"beside2/{name} is left out; if it is a split, rename the folder test", outcome.errors)
        self.assertNotIn("docs is left out", outcome.errors)
        self.assertIn("Passed over: 3 other folders (docs/, other/, query/)", outcome.output)
        self.put("beside2/train_more/cat/1.png"), self.put("beside2/test/cat/1.png")
        outcome = self.import_any("beside2")
        self.assertRegex(outcome.errors, r"beside2/train_more is left out; .*move .*beside2/train")
        self.assertRegex(outcome.errors, r"beside2/query is left out; .*validation and test are there already")
        for name in ("training_set", "eval_set"):
            self.put(f"hidden2/{name}/cat/1.png"), self.put(f"hidden2/{name}/dog/1.png")
        self.assert_message(self.import_any("hidden2", status=2), 2, r"look like splits, not like classes")
        self.put("flat3/train/1.png"), self.put("flat3/eval/1.png")
        self.assert_message(self.import_any("flat3", status=2), 2, r"no classes in flat3 \(eval, train look like splits")

    def test_splits_without_labels_are_left_out(self):
        for below in ("test/images/0.png", "test/0.png", "testing/imgs/0.png", "test/test/0.png", "val/unknown/0.png", "test/Images/a/0.png"):
            shutil.rmtree("unlabelled", ignore_errors=True)
            self.put("unlabelled/train/n1/images/1.png"), self.put("unlabelled/train/n2/images/1.png"), self.put("unlabelled/" + below)
            outcome = self.import_any("unlabelled")
            self.assertIn("2 classes, 2 images in train.", outcome.output, below)
            self.assertIn(f"unlabelled/{below.split('/')[0]} is left out: it has no class folders", outcome.errors)
        self.put("unlabelled/test/n3/1.png"), shutil.rmtree("unlabelled/test/Images")
        self.assert_message(self.import_any("unlabelled", status=2), 2, "class n3 of unlabelled/test is none of the training split")

    def test_images_are_turned_upright(self):
        generator = numpy.random.default_rng(7)
        os.makedirs("exif/a"), os.makedirs("exif/b")
        stored = generator.integers(0, 255, (24, 40, 3)).astype("uint8")
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            Image.fromarray(stored).save(f"exif/{'ab'[orientation % 2]}/{orientation}.jpg", quality=95, exif=exif)
        from PIL import ImageOps
        for words, turn in (([], ImageOps.exif_transpose), (["--exif", "ignore"], lambda image: image)):
            outcome = runs.convoy("import", "folder", "exif", "--out", "any.h5", "--size", "32x32", *words)
            self.assertEqual(outcome.status, 0, outcome)
            self.assertEqual("Turned upright" in outcome.output, not words)
            paths = [f"exif/{'ab'[i % 2]}/{i}.jpg" for i in (2, 4, 6, 8, 1, 3, 5, 7)]
            with h5py.File("any.h5") as file:
                for image, path in zip(file["train/images"], paths):
                    expected = numpy.asarray(turn(Image.open(path)).convert("RGB").resize((32, 32), Image.BILINEAR))
                    self.assertEqual(abs(image.transpose(1, 2, 0).astype(int) - expected.astype(int)).max(), 0, path)

    def test_other_sizes_are_named_with_a_hint(self):
        outcome = runs.convoy("import", "folder", "images", "--out", "none.h5", ranks=3)
        self.assert_message(outcome, 3, r"image sizes differ \(\d+x\d+ in images/ape/.*, \d+x\d+ in .*--size HxW")
        self.assertFalse(os.path.exists("none.h5"))

    def test_bad_images_are_named_and_left_out_where_asked(self):
        runs.write("images/bee/00-empty.png", b"")
        whole = runs.read("images/ape/03.jpg") if os.path.exists("images/ape/03.jpg") else runs.read("images/bee/04.jpg")
        runs.write("images/cat/zz-cut.jpg", whole[:len(whole) // 2])
        runs.write("images/cat/zz-gif.png", b"GIF89a")
        for ranks in (None, 3):
            outcome = self.import_folder("--out", "none.h5", status=3, ranks=ranks)
            self.assert_message(outcome, 3, r"bad image images/bee/00-empty.png \(it is empty\)")
            self.assertFalse(os.path.exists("none.h5"))
            outcome = self.import_folder("--out", f"left-{ranks}.h5", "--on-bad", "skip", ranks=ranks)
            self.assertIn("Left out: 3 bad images", outcome.output)
            for name in ("bee/00-empty.png", "cat/zz-cut.jpg", "cat/zz-gif.png"):
                self.assertRegex(outcome.errors, rf"warning: bad image images/{name} \(.*\); left out")
        self.assertEqual(runs.read("left-3.h5"), runs.read("left-None.h5"))
        for name in ("bee/00-empty.png", "cat/zz-cut.jpg", "cat/zz-gif.png"):
            os.remove("images/" + name)
        self.import_folder("--out", "clean.h5")
        self.assertEqual(runs.read("left-3.h5"), runs.read("clean.h5"))

    def test_a_pipe_is_a_bad_image_and_keeps_nobody_waiting(self):
        os.mkfifo("images/bee/pipe.png")
        outcome = self.import_folder("--out", "all.h5", status=3, ranks=2)
        self.assertRegex(outcome.errors, r"bad image \S*bee/pipe\.png \(it is no file but a pipe")
        outcome = self.import_folder("--out", "all.h5", "--on-bad", "skip", ranks=2)
        self.assertIn("bee/pipe.png", outcome.errors + outcome.output)

    def test_a_table_that_is_a_pipe_keeps_nobody_waiting(self):
        os.mkfifo("table.csv")
        outcome = self.import_folder("--out", "all.h5", "--labels", "table.csv", status=4)
        self.assertRegex(outcome.errors, r"cannot read table\.csv \(it is a pipe\); name a file")

    def test_links_to_nothing_are_bad_images(self):
        os.symlink("nowhere.png", "images/bee/gone.png")
        os.symlink("round.png", "images/bee/round.png")
        os.symlink("circle", "images/bee/circle")
        for ranks in (None, 2):
            outcome = self.import_folder("--out", "none.h5", status=3, ranks=ranks)
            self.assert_message(outcome, 3, r"bad image images/bee/gone\.png \(it is a link to nothing")
            outcome = self.import_folder("--out", "left.h5", "--on-bad", "skip", ranks=ranks)
            self.assertIn("Left out: 2 bad images", outcome.output)
        for name in ("gone.png", "round.png", "circle"):
            os.remove("images/bee/" + name)
        self.import_folder("--out", "clean.h5")
        self.assertEqual(runs.read("left.h5"), runs.read("clean.h5"))

    def test_wrong_options_are_named(self):
        for words, pattern in ((["--size", "0x3"], "--size '0x3'"), (["--on-bad", "fix"], "'fix' is not stop or skip"),
                               (["--channels", "2"], "'2' is not 1 or 3"), (["--fit", "crop"], "--fit goes with --size"),
                               (["--test-part", "1"], "--test-part '1'")):
            outcome = runs.convoy("import", "folder", "images", "--out", "none.h5", *words)
            self.assert_message(outcome, 2, pattern)
        outcome = runs.convoy("import", "mnist", "images", "--out", "none.h5", "--size", "3x3")
        self.assert_message(outcome, 2, "--size goes with import folder alone")

    def test_an_unreadable_folder_for_the_output_is_status_4(self):
        outcome = self.import_folder("--out", "nowhere/data.h5", status=4, ranks=2)
        self.assert_message(outcome, 4, "nowhere")


@unittest.skipUnless(Image, "python3-pil, python3-numpy or python3-h5py is not installed")
class Interrupted(runs.Folder):
    """One large image under many names, so that the import takes long enough to be interrupted."""

    def setUp(self):
        super().setUp()
        os.makedirs("images/a")
        Image.effect_noise((1400, 1400), 60).save("images/a/0.png", compress_level=1)
        for index in range(1, SLOW_FILES):
            os.link("images/a/0.png", f"images/a/{index}.png")
        runs.write("out.h5", b"what was there")

    def start(self, ranks=None):
        run = runs.Running("import", "folder", "images", "--size", "8x8", "--threads", 1, "--out", "out.h5", ranks=ranks)
        run.wait_until(lambda: runs.leftovers("."), "the import's temporary file")
        self.assertIsNone(run.process.poll(), "the import was over too soon")
        return run

    def assert_nothing_changed(self):
        self.assertEqual(runs.leftovers("."), [])
        self.assertEqual(runs.read("out.h5"), b"what was there")

    def test_a_signal_stops_one_rank(self):
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.start() as run:
                run.process.send_signal(number)
                self.assert_message(run.wait(), status, "stopped on request; out.h5 is as it was before")
            self.assert_nothing_changed()

    @unittest.skipUnless(runs.OPEN_MPI, "the launcher of this MPI forwards no SIGUSR2")
    def test_a_signal_that_mpirun_forwards_stops_all_ranks(self):
        with self.start(ranks=3) as run:
            run.process.send_signal(signal.SIGUSR2)
            self.assert_message(run.wait(), 143, "stopped on request")
        self.assert_nothing_changed()

    def test_one_rank_that_is_asked_to_stop_stops_all(self):
        with self.start(ranks=3) as run:
            os.kill(run.rank_pids()[2], signal.SIGTERM)
            self.assert_message(run.wait(), 143, "stopped on request")
        self.assert_nothing_changed()

    def test_an_interrupted_mpirun_leaves_nothing(self):
        with self.start(ranks=2) as run:
            run.process.send_signal(signal.SIGINT)
            outcome = run.wait()
        self.assert_nothing_changed()
        if runs.OPEN_MPI:  # MPICH's launcher sometimes returns 0
            self.assertNotEqual(outcome.status, 0, outcome)

    def test_what_a_killed_import_leaves_the_next_one_sweeps(self):
        for ranks in (None, 2):
            with self.start(ranks) as run:
                run.kill_all()
            self.assertEqual(runs.read("out.h5"), b"what was there")
            self.assertEqual(len(runs.leftovers(".")), 1)
            made = runs.convoy("synth", "--out", "out.h5", "--train", 10, "--test", 10)
            self.assertEqual(made.status, 0, made)
            self.assertEqual(runs.leftovers("."), [])
            runs.write("out.h5", b"what was there")

    def test_progress_is_redrawn_on_a_terminal_alone(self):
        here, there = pty.openpty()
        command = runs.command(["import", "folder", "images", "--size", "8x8", "--threads", "1", "--out", "out.h5"])
        with subprocess.Popen(command, env=runs.environment(), stdin=subprocess.DEVNULL, stdout=there,
                              stderr=subprocess.DEVNULL) as process:
            os.close(there)
            shown = b""
            while b"images, " not in shown:
                shown += os.read(here, 4096)
            process.send_signal(signal.SIGINT)
            process.wait()
        os.close(here)
        self.assertRegex(shown, rb"\rtrain( \(headers\))?: \d+ of 400 images")


class OneOfSeveral(runs.Folder):
    """The importers and synth that run on one rank, started on three."""

    def test_synth_is_made_once(self):
        made = runs.convoy("synth", "--out", "three.h5", *runs.options(self.samples), ranks=3)
        self.assertEqual(made.status, 0, made)
        self.assertEqual(made.output.count("Made three.h5"), 1)
        self.assertEqual(runs.read("three.h5"), runs.read("data.h5"))

    def test_cifar10_is_imported_once(self):
        os.mkdir("cifar")
        for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
            runs.write("cifar/" + name, b"".join(bytes([label]) + bytes([20 * label]) * 3072 for label in range(10)))
        for ranks in (None, 3):
            made = runs.convoy("import", "cifar10", "cifar", "--out", f"cifar-{ranks}.h5", ranks=ranks)
            self.assertEqual(made.status, 0, made)
        self.assertEqual(runs.read("cifar-3.h5"), runs.read("cifar-None.h5"))
        missing = runs.convoy("import", "mnist", "cifar", "--out", "none.h5", ranks=3)
        self.assert_message(missing, 2, "train-images-idx3-ubyte")


if __name__ == "__main__":
    runs.main()
