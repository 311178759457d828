#!/usr/bin/env python3
"""Wrong inputs: each ends with its documented exit status and one message that names the cause, and leaves no file.

A row contains a name, a function that makes the input (and may return words for the command line), the status and a
pattern of the message. Each table is one test, so that a new fault is one line.
"""

import gzip
import os
import shutil
import struct
import subprocess
import unittest

import runs


def write(path, content):
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def read(path):
    with open(path, "rb") as file:
        return file.read()


# --- configurations -------------------------------------------------------------------------------------------------

GOOD = runs.without_indentation(runs.SETTINGS + runs.NETWORKS["tiny"])


def edited(old, new):
    """A configuration with one change."""
    def make():
        assert old in GOOD, old
        write("wrong.ini", GOOD.replace(old, new, 1))
        return ["train", "--config", "wrong.ini"]
    return make


def with_layers(*layers):
    return edited("layer = dense 4", "\n".join("layer = " + layer for layer in layers))


def with_words(*words):
    return lambda: ["train", "--config", "tiny.ini", *words]


def bench_with_words(*words):
    return lambda: ["bench", "--config", "tiny.ini", "--milliseconds", "1", *words]


def folder_as_config():
    os.mkdir("folder.ini")
    return ["train", "--config", "folder.ini"]


def binary_config():
    write("wrong.ini", bytes(range(256)))
    return ["train", "--config", "wrong.ini"]


CONFIGURATIONS = [
    ("no configuration", lambda: ["train"], 2, r"missing data\.file, .*no default"),
    ("missing file", lambda: ["train", "--config", "nope.ini"], 2, r"nope\.ini.*No such file"),
    ("folder as file", folder_as_config, 2, r"folder\.ini"),
    ("binary junk", binary_config, 2, r"wrong\.ini:1"),
    ("unknown key", edited("epochs = 2", "epoch = 2"), 2, r"wrong\.ini:\d+.*epoch.*did you mean"),
    ("unknown section", edited("[train]", "[training]"), 2, r"wrong\.ini:\d+.*unknown section.*training"),
    ("key outside a section", edited("\n[data]\n", "\n"), 2, r"wrong\.ini:\d+"),
    ("no equals sign", edited("epochs = 2", "epochs 2"), 2, r"wrong\.ini:\d+"),
    ("key twice", edited("epochs = 2", "epochs = 2\nepochs = 3"), 2, r"wrong\.ini:\d+.*epochs"),
    ("word for a number", edited("epochs = 2", "epochs = two"), 2, r"train\.epochs.*two.*integer"),
    ("number with a tail", edited("lr = 0.05", "lr = 0.05x"), 2, r"schedule\.lr.*0\.05x"),
    ("NaN", edited("lr = 0.05", "lr = nan"), 2, r"schedule\.lr.*nan"),
    ("zero rate", edited("lr = 0.05", "lr = 0"), 2, r"schedule\.lr"),
    ("beyond 64 bits", edited("seed = 7", "seed = 9223372036854775808"), 2, r"train\.seed"),
    ("negative", edited("seed = 7", "seed = -1"), 2, r"train\.seed"),
    ("zero epochs", edited("epochs = 2", "epochs = 0"), 2, r"train\.epochs"),
    ("unknown precision", with_words("--train.precision", "fp16"), 2, r"train\.precision.*'fp16'.*fp32, bf16"),
    ("micro-batch above batch", edited("micro-batch = 4", "micro-batch = 31"), 2, r"micro-batch.*31"),
    ("momentum of one", edited("momentum = 0.9", "momentum = 1"), 2, r"optimizer\.momentum"),
    ("nesterov without momentum", edited("momentum = 0.9", "nesterov = yes"), 2, r"nesterov.*momentum"),
    ("unknown optimizer", edited("[optimizer]", "[optimizer]\nname = adagrad"), 2, r"optimizer\.name.*adagrad.*sgd"),
    ("a setting of another optimizer", edited("[optimizer]", "[optimizer]\nname = adam"), 2,
     r"wrong\.ini:\d+: optimizer\.momentum = '0\.9' is not read by optimizer\.name = adam \(but by sgd, rmsprop, lars\)"),
    ("epsilon of zero", with_words("--optimizer.name", "adamw", "--optimizer.momentum", "0", "--optimizer.epsilon", "0"), 2,
     r"command line: optimizer\.epsilon = '0' divides by 0"),
    ("group that matches nothing", with_words("--optimizer.group.a.match", "conv*"), 2,
     r"optimizer\.group\.a\.match: 'conv\*' matches no parameter.*dense1\.weight, dense1\.bias"),
    ("group without a pattern", with_words("--optimizer.group.a.lr-factor=2"), 2, r"missing optimizer\.group\.a\.match"),
    ("unknown key of a group", with_words("--optimizer.group.a.rate", "2"), 2, r"unknown option.*optimizer\.group\.a\.rate"),
    ("unknown key of a group in a file", edited("[schedule]", "[optimizer.group.a]\nrate = 2\n[schedule]"), 2,
     r"wrong\.ini:\d+: unknown key optimizer\.group\.a\.rate"),
    ("group of no name", edited("[schedule]", "[optimizer.group.a.b]\nmatch = *\n[schedule]"), 2,
     r"wrong\.ini:\d+: unknown section \[optimizer\.group\.a\.b\]"),
    ("unknown schedule", edited("[schedule]", "[schedule]\nname = cosinus"), 2, r"schedule\.name.*cosinus.*cosine"),
    ("steps without epochs", edited("[schedule]", "[schedule]\nname = step"), 2, r"step-epochs"),
    ("warm-up of all time", edited("[schedule]", "[schedule]\nwarmup-epochs = 1e300"), 2, r"warmup-epochs = 1e\+300"),
    ("weight decay beyond floats", edited("[optimizer]", "[optimizer]\nweight-decay = 1e300"), 2, r"weight-decay"),
    ("network beyond any memory", with_layers("conv 1048576 1x1", "conv 1048576 4096x4096 pad=2048", "dense 4"), 2,
     r"its weight would have .* elements"),
    ("warm-up beyond the end", edited("[schedule]", "[schedule]\nwarmup-epochs = 3"), 2, r"warmup-epochs"),
    ("unknown loss", edited("loss = softmax-cross-entropy", "loss = hinge"), 2, r"network\.loss.*hinge"),
    ("maybe for yes or no", edited("[data]", "[data]\nshuffle = maybe"), 2, r"data\.shuffle.*maybe.*yes or no"),
    ("a time of no form", edited("dir = run", "dir = run\nmax-time = soon"), 2, r"run\.max-time.*soon"),
    ("unknown augmentation", edited("[data]", "[data]\naugment = blur=4"), 2, r"data\.augment.*blur=4.*crop=PIXELS"),
    ("crop above the image", edited("[data]", "[data]\naugment = crop=16"), 2, r"crop=16.*16x16.*smaller side"),
    ("no such cache", edited("[data]", "[data]\ncache = disk"), 2, r"data\.cache.*disk.*auto, memory, none"),
    ("no window", edited("[data]", "[data]\nwindow = 0"), 2, r"data\.window.*'0'.*1 to"),
    ("no layer", edited("layer = dense 4\n", ""), 2, r"network\.layer"),
    ("unknown layer", with_layers("dens 4"), 2, r"wrong\.ini:\d+.*unknown keyword 'dens'.*dense"),
    ("layer without its number", with_layers("dense"), 2, r"wrong\.ini:\d+.*number of outputs is missing"),
    ("layer with a word too many", with_layers("dense 4 5"), 2, r"'5' is one word too many.*dense OUTPUTS"),
    ("unknown option of a layer", with_layers("dense 4 bais=no"), 2, r"unknown option 'bais'"),
    ("option twice", with_layers("dense 4 bias=no bias=yes"), 2, r"'bias' is given twice"),
    ("kernel of no form", with_layers("conv 4 3", "dense 4"), 2, r"the kernel '3' is wrong.*3x3"),
    ("kernel above the image", with_layers("conv 4 17x3", "dense 4"), 2, r"17x3 is larger than its padded input"),
    ("zero stride", with_layers("conv 4 3x3 stride=0", "dense 4"), 2, r"stride='0'"),
    ("padding above half the window", with_layers("maxpool 2x2 pad=2", "dense 4"), 2, r"more than half the window"),
    ("dropout of everything", with_layers("dropout 1", "dense 4"), 2, r"the rate '1' is wrong"),
    ("block that never ends", with_layers("residual {", "relu", "dense 4"), 2, r"never closed"),
    ("end without a block", with_layers("}", "dense 4"), 2, r"closes no block"),
    ("empty block", with_layers("residual {", "}", "dense 4"), 2, r"residual block is empty"),
    ("shapes that cannot be added", with_layers("residual {", "conv 4 3x3", "}", "dense 4"), 2,
     r"body gives 4x14x14 and the shortcut 1x16x16"),
    ("name twice", with_layers("dense 4 name=a", "dense 4 name=a"), 2, r"name 'a' is taken"),
    ("name with a slash", with_layers("dense 4 name=a/b"), 2, r"name 'a/b' is wrong"),
    ("wrong number of outputs", with_layers("dense 5"), 2, r"5 outputs.*wants 4 .classes.*dense 4"),
    ("softmax before its loss", with_layers("dense 4", "softmax"), 2, r"applies it itself"),
    ("softmax over an image", with_layers("softmax", "dense 4"), 2, r"softmax takes a vector"),
]

# --- the command line -----------------------------------------------------------------------------------------------

COMMAND_LINES = [
    ("no command", lambda: [], 2, r"no command.*--help"),
    ("unknown command", lambda: ["trian"], 2, r"unknown command trian.*train"),
    ("shortened option", with_words("--res", "auto"), 2, r"--res"),
    ("stray word", with_words("stray"), 2, r"stray"),
    ("option without its value", with_words("--train.epochs"), 2, r"train\.epochs"),
    ("unknown option", with_words("--train.epoch", "3"), 2, r"train\.epoch"),
    ("wrong value", with_words("--train.epochs", "x"), 2, r"command line: train\.epochs = 'x' is not an integer"),
    ("the last of an option given twice", with_words("--train.epochs", "1", "--train.epochs", "x"), 2,
     r"train\.epochs = 'x' is not an integer"),
    ("resume from nowhere", with_words("--resume", "nope.h5"), 2, r"no checkpoint nope\.h5"),
    ("data set that is not there", with_words("--data.file", "nope.h5"), 2, r"nope\.h5"),
    ("eval without a checkpoint", lambda: ["eval", "--data", "data.h5"], 2, r"--checkpoint"),
    ("eval of nothing", lambda: ["eval", "--checkpoint", "nope.h5", "--data", "data.h5"], 2, r"nope\.h5"),
    ("import of an unknown kind", lambda: ["import", "svhn", ".", "--out", "new.h5"], 2, r"svhn.*mnist"),
    ("import without --out", lambda: ["import", "mnist", "."], 2, r"--out"),
    ("import from nowhere", lambda: ["import", "mnist", "nowhere", "--out", "new.h5"], 2, r"nowhere"),
    ("synth of too many classes", lambda: ["synth", "--classes", "11", "--out", "new.h5"], 2, r"classes.*11"),
    ("inspect without a file", lambda: ["inspect"], 2, r"FILE|file"),
    ("inspect of two files", lambda: ["inspect", "data.h5", "data.h5"], 2, r"data\.h5"),
    ("stray word after --help", lambda: ["--help", "train"], 2, r"stray word 'train'"),
    ("bench without a configuration", lambda: ["bench"], 2, r"missing data\.file, .*no default"),
    ("bench of images without channels", bench_with_words("--shape", "32x32"), 2,
     r"--shape '32x32' is not CHANNELSxHEIGHTxWIDTH"),
    ("bench of images of nothing", bench_with_words("--shape", "3x0x32"), 2, r"--shape '3x0x32'.*from 1"),
    ("bench of other classes", bench_with_words("--classes", "5"), 2, r"4 outputs.*wants 5 .classes.*dense 5"),
    ("bench in no time", lambda: ["bench", "--config", "tiny.ini", "--milliseconds", "0"], 2,
     r"--milliseconds '0' is not an integer from 1"),
    ("bench with a network that does not fit", bench_with_words("--shape", "1x2x2", "--network.layer", "conv 1 3x3"), 2,
     r"3x3 is larger than its padded input of 2x2"),
    ("bench into a folder that is not there", bench_with_words("--json", "nope/figures.json"), 4,
     r"nope/figures\.json.*no folder nope"),
    ("profile of a word", with_words("--run.profile", "maybe"), 2, r"run\.profile = 'maybe' is not yes or no"),
    ("explain with a kernel above the image", lambda: ["explain", "--size", "3x3", "--kernel", "4x2"], 2, r"kernel"),
]

# --- data sets ------------------------------------------------------------------------------------------------------

def idx_files(**changes):
    """Four IDX files of 20 and 10 images of 4x4, one of them changed; `import mnist` of them."""
    def images(count):
        return struct.pack(">iiii", 2051, count, 4, 4) + bytes(range(16)) * count

    def labels(count):
        return struct.pack(">ii", 2049, count) + bytes(i % 10 for i in range(count))

    def make():
        files = {"train-images-idx3-ubyte": images(20), "train-labels-idx1-ubyte": labels(20),
                 "t10k-images-idx3-ubyte": images(10), "t10k-labels-idx1-ubyte": labels(10)}
        os.mkdir("idx")
        for name, content in files.items():
            change = changes.get(name.replace("-", "_"))
            if change is not None:
                content = change(content)
            if content is not None:
                write(os.path.join("idx", name + (".gz" if content[:2] == b"\x1f\x8b" else "")), content)
        return ["import", "mnist", "idx", "--out", "new.h5"]
    return make


def cifar_files(change):
    record = bytes([3]) + bytes(3072)

    def make():
        os.mkdir("cifar")
        for name in [f"data_batch_{k}.bin" for k in range(1, 6)] + ["test_batch.bin"]:
            content = record * 2
            write(os.path.join("cifar", name), change(content) if name == "data_batch_3.bin" else content)
        return ["import", "cifar10", "cifar", "--out", "new.h5"]
    return make


def changed_data(change, command="train"):
    """Training on a copy of data.h5 after `change`."""
    def make():
        write("wrong.h5", change(read("data.h5")))
        return [command, "--config", "tiny.ini", "--data.file", "wrong.h5"]
    return make


def flipped(position):
    return lambda content: content[:position] + bytes([content[position] ^ 0x10]) + content[position + 1:]


DATA_FILES = [
    ("IDX of a wrong kind", idx_files(train_images_idx3_ubyte=lambda c: struct.pack(">i", 2052) + c[4:]), 3,
     r"train-images-idx3-ubyte.*magic|train-images-idx3-ubyte.*2052"),
    ("IDX too short for a header", idx_files(train_images_idx3_ubyte=lambda c: c[:9]), 3, r"train-images-idx3-ubyte"),
    ("IDX cut short", idx_files(train_images_idx3_ubyte=lambda c: c[:-1]), 3, r"train-images-idx3-ubyte"),
    ("IDX with bytes too many", idx_files(t10k_images_idx3_ubyte=lambda c: c + b"x"), 3, r"t10k-images-idx3-ubyte"),
    ("IDX that promises too much", idx_files(
        train_images_idx3_ubyte=lambda c: struct.pack(">iiii", 2051, 2**31 - 1, 4, 4) + c[16:]), 3,
     r"train-images-idx3-ubyte"),
    ("IDX of no images", idx_files(train_images_idx3_ubyte=lambda c: struct.pack(">iiii", 2051, 20, 0, 4)), 3,
     r"train-images-idx3-ubyte"),
    ("more labels than images", idx_files(
        train_labels_idx1_ubyte=lambda c: struct.pack(">ii", 2049, 21) + bytes(21)), 3, r"labels.*2[01]|2[01].*labels"),
    ("label above 9", idx_files(train_labels_idx1_ubyte=lambda c: c[:-1] + b"\x0a"), 3, r"train-labels.*10"),
    ("gzip cut short", idx_files(train_images_idx3_ubyte=lambda c: gzip.compress(c)[:-9]), 3,
     r"train-images-idx3-ubyte\.gz"),
    ("gzip that is none", idx_files(train_images_idx3_ubyte=lambda c: b"\x1f\x8b" + bytes(40)), 3,
     r"train-images-idx3-ubyte\.gz"),
    ("IDX file missing", idx_files(t10k_labels_idx1_ubyte=lambda c: None), 2, r"t10k-labels-idx1-ubyte"),
    ("CIFAR record cut short", cifar_files(lambda c: c[:-1]), 3, r"data_batch_3\.bin.*3,?073"),
    ("CIFAR file of nothing", cifar_files(lambda c: b""), 3, r"data_batch_3\.bin"),
    ("CIFAR label above 9", cifar_files(lambda c: b"\x0b" + c[1:]), 3, r"data_batch_3\.bin.*11"),
    ("text as a data set", changed_data(lambda c: b"no HDF5 at all\n"), 3, r"wrong\.h5"),
    ("nothing as a data set", changed_data(lambda c: b""), 3, r"wrong\.h5"),
    ("data set cut short", changed_data(lambda c: c[:len(c) // 2]), 3, r"wrong\.h5.*truncated"),
    ("data set with a flipped bit", changed_data(lambda c: flipped(len(c) // 2)(c)), 3, r"wrong\.h5.*sum"),
    ("data set with bytes too many", changed_data(lambda c: c + b"x"), 3, r"wrong\.h5"),
    ("data set with a damaged checksum", changed_data(flipped(15)), 3, r"wrong\.h5"),
    ("bench of a data set with a flipped bit", changed_data(flipped(3000), "bench"), 3, r"wrong\.h5.*sum"),
    ("folder as a data set", with_words("--data.file", "."), 2, r"\. |'\.'|folder|data\.file"),
]

# --- checkpoints ----------------------------------------------------------------------------------------------------


def changed_checkpoint(change, *words):
    """`words`, in which FILE stands for a copy of a good checkpoint after `change`."""
    def make():
        write("wrong-checkpoint.h5", change(read("good.h5")))
        return ["wrong-checkpoint.h5" if word == "FILE" else word for word in words]
    return make


EVAL = ["eval", "--checkpoint", "FILE", "--data", "data.h5"]
RESUME = ["train", "--config", "tiny.ini", "--resume", "FILE"]

CHECKPOINTS = [
    ("eval of one cut short", changed_checkpoint(lambda c: c[:-100], *EVAL), 3, r"wrong-checkpoint\.h5.*truncated"),
    ("eval of one with a flipped bit", changed_checkpoint(lambda c: flipped(len(c) - 60)(c), *EVAL), 3,
     r"wrong-checkpoint\.h5.*sum"),
    ("eval of one without its checksum", changed_checkpoint(lambda c: bytes(512) + c[512:], *EVAL), 3,
     r"wrong-checkpoint\.h5"),
    ("eval of text", changed_checkpoint(lambda c: b"text", *EVAL), 3, r"wrong-checkpoint\.h5"),
    ("resume from one with a flipped bit", changed_checkpoint(lambda c: flipped(3000)(c), *RESUME), 3,
     r"wrong-checkpoint\.h5.*sum"),
    ("resume from a data set", lambda: ["train", "--config", "tiny.ini", "--resume", "data.h5"], 3,
     r"data\.h5 is not a checkpoint"),
    ("eval of a data set", lambda: ["eval", "--checkpoint", "data.h5", "--data", "data.h5"], 3,
     r"data\.h5 is not a checkpoint"),
    ("eval on a checkpoint", lambda: ["eval", "--checkpoint", "good.h5", "--data", "good.h5"], 3, r"good\.h5"),
    ("eval on a split that is not there", lambda: ["eval", "--checkpoint", "good.h5", "--data", "data.h5", "--split",
                                                   "validation"], 3, r"validation"),
    ("inspect of one with a flipped bit", changed_checkpoint(lambda c: flipped(3000)(c), "inspect", "FILE"), 1, None),
    ("resume with another network", lambda: ["train", "--config", "tiny.ini", "--resume", "good.h5", "--network.layer",
                                             "dense 4 bias=no"], 2, r"network\.layer differs"),
    ("resume with another batch", with_words("--resume", "good.h5", "--train.batch", "28"), 2, r"train\.batch differs"),
    ("resume with another seed", with_words("--resume", "good.h5", "--train.seed", "8"), 2, r"train\.seed differs"),
    ("resume with another rate", with_words("--resume", "good.h5", "--schedule.lr", "1"), 2, r"schedule\.lr differs"),
    ("resume with other data", with_words("--resume", "good.h5", "--data.file", "other.h5"), 2,
     r"content of the data set differs"),
]

# The same under mpirun: one message, the same status.
ON_TWO_RANKS = {"unknown key", "wrong number of outputs", "data set with a flipped bit", "data set cut short",
                "resume with another seed", "eval of one cut short", "data set that is not there"}


class WrongInputs(runs.Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = runs.convoy("train", "--config", "tiny.ini", "--run.dir", "first", "--train.max-steps", 3)
        assert made.status == 0, made
        shutil.copy(runs.checkpoints("first")[-1], "good.h5")
        made = runs.convoy("synth", "--out", "other.h5", *runs.options(dict(cls.samples, seed=4)))
        assert made.status == 0, made

    def check(self, table):
        for name, make, status, pattern in table:
            for ranks in (None, 2) if name in ON_TWO_RANKS else (None,):
                with self.subTest(name, ranks=ranks):
                    os.mkdir("case")
                    for file in os.listdir("."):
                        if file.endswith((".ini", ".h5")):
                            os.link(file, os.path.join("case", file))
                    os.chdir("case")
                    try:
                        self.check_one(make, status, pattern, ranks)
                    finally:
                        os.chdir(self.folder)
                        shutil.rmtree("case")

    def check_one(self, make, status, pattern, ranks):
        words = make()
        before = sorted(os.listdir("."))
        outcome = runs.convoy(*words, ranks=ranks)
        if pattern is None:
            self.assertEqual(outcome.status, status, outcome)
        else:
            self.assert_message(outcome, status, pattern)
        self.assertEqual(sorted(os.listdir(".")), before, "something was left behind")

    def test_configurations(self):
        self.check(CONFIGURATIONS)

    def test_command_lines(self):
        self.check(COMMAND_LINES)

    def test_data_files(self):
        self.check(DATA_FILES)

    def test_checkpoints(self):
        self.check(CHECKPOINTS)

    def test_wrong_environment(self):
        for variable, value in (("CONVOY_ISA", "avx1024"), ("OMP_NUM_THREADS", "many")):
            with self.subTest(variable):
                outcome = runs.convoy("train", "--config", "tiny.ini", extra={variable: value})
                self.assert_message(outcome, 2, f"{variable}.*{value}")
                self.assertFalse(os.path.exists("run"))


class NoRoom(runs.Folder):
    """A full disk: a file system of 1 MB, filled completely."""

    def setUp(self):
        super().setUp()
        os.mkdir("full")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "full"], stderr=subprocess.DEVNULL,
                              check=False)
        if done.returncode != 0:
            raise unittest.SkipTest("no right to mount a small file system (root has it)")

    def tearDown(self):
        subprocess.run(["umount", "full"], check=False, stderr=subprocess.DEVNULL)
        super().tearDown()

    def fill(self, leave):
        free = os.statvfs("full")
        write("full/ballast", bytes(max(0, free.f_bavail * free.f_bsize - leave)))

    def test_a_checkpoint_that_does_not_fit_ends_with_4_and_the_last_good_one_stays(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                self.train("lenet", {"run.dir": "full/run", "train.max-steps": 2}, ranks=ranks)
                good = self.hash_of("full/run")
                self.fill(leave=24 * 1024)
                outcome = runs.convoy("train", "--config", "lenet.ini", "--run.dir", "full/run", "--resume", "auto",
                                      ranks=ranks)
                self.assert_message(outcome, 4, r"full/run.*(No space|full|room)")
                self.assertEqual([os.path.basename(path) for path in runs.checkpoints("full/run")], ["step-00000002.h5"])
                self.assertEqual(self.hash_of("full/run"), good)
                self.assertEqual(runs.leftovers("full"), [])
                shutil.rmtree("full/run")
                os.remove("full/ballast")

    def test_a_data_set_that_does_not_fit_ends_with_4_and_leaves_nothing(self):
        self.fill(leave=16 * 1024)
        outcome = runs.convoy("synth", "--out", "full/new.h5", "--train", 200, "--test", 20)
        self.assert_message(outcome, 4, r"full/new\.h5|full/\.new")
        self.assertEqual(sorted(os.listdir("full")), ["ballast"])


if __name__ == "__main__":
    runs.main()
