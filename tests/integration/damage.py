#!/usr/bin/env python3
"""Damage at random places of data set and checkpoint files. For any damage of a Convoy file, every command ends by
itself, within a memory limit, and either reports an error that names the file, or reads exactly the same content.

CONVOY_TEST_DAMAGES places (default 100; the full test is 2000) with the seed CONVOY_TEST_SEED (1). Also tests
third-party files, which have no checksum, with damaged metadata.
"""

import collections
import os
import random
import re
import resource
import shutil
import subprocess
import unittest

import runs

try:
    import h5py
    import numpy
except ImportError:
    h5py = None

PLACES = int(os.environ.get("CONVOY_TEST_DAMAGES", "100"))
SEED = int(os.environ.get("CONVOY_TEST_SEED", "1"))
# These files need far less; an allocation of a damaged length could need far more.
MOST_BYTES = 2 << 30
MOST_SECONDS = 60
STEPS = 7
DIED = "died of signal 11, Segmentation fault"


def flip(generator, content, at):
    return content[:at] + bytes([content[at] ^ 1 << generator.randrange(8)]) + content[at + 1:]


def cut(_, content, at):
    return content[:at]


def zero(generator, content, at):
    size = min(generator.choice((1, 16, 512, 4096)), len(content) - at)
    return content[:at] + bytes(size) + content[at + size:]


def overwrite(generator, content, at):
    size = min(generator.choice((1, 16, 512, 4096)), len(content) - at)
    return content[:at] + generator.randbytes(size) + content[at + size:]


def append(generator, content, _):
    return content + generator.randbytes(generator.choice((1, 512, 5000)))


DAMAGES = (flip, cut, zero, overwrite, append)


def place_in(generator, content):
    """A random place; every fourth is at the front, which contains the checksum and HDF5's first structures."""
    return generator.randrange(generator.choice((60, 1200)) if generator.randrange(4) == 0 else len(content))


def bound_process():
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def convoy(*words):
    """Runs one rank without a launcher, with limits; TimeoutExpired if it does not end."""
    done = subprocess.run(runs.command(words), env=runs.environment(), text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=MOST_SECONDS, preexec_fn=bound_process, check=False)
    return runs.Outcome(done.returncode, done.stdout, done.stderr)


class Counted(runs.Folder):
    def setUp(self):
        super().setUp()
        self.seen = collections.Counter()

    def tearDown(self):
        print("\n  seed", SEED, "; what came of it:")
        for (what, status), count in sorted(self.seen.items()):
            print(f"    {what:42} status {status}: {count}")
        super().tearDown()

    def run_one(self, what, *words, statuses=(0, 1, 3)):
        outcome = convoy(*words)
        self.seen[what, outcome.status] += 1
        self.assertIn(outcome.status, statuses, outcome)
        for sign in ("terminate called", "fault of Convoy", "Segmentation", "bad_alloc", "out of memory"):
            self.assertNotIn(sign, outcome.errors.replace(DIED, ""), outcome)
        return outcome


class FilesOfOurs(Counted):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings = {"checkpoint.every-steps": 3, "checkpoint.every-epochs": 0, "run.threads": 1}
        made = runs.convoy("train", "--config", "tiny.ini", *runs.options(cls.settings), "--run.dir", "sound",
                           "--train.max-steps", STEPS)
        assert made.status == 0, made
        cls.oldest, cls.newest, _ = (os.path.abspath(path) for path in runs.checkpoints("sound"))

    def check_inspect(self, name, is_same, expected):
        outcome = self.run_one("inspect", "inspect", name)
        if is_same:
            self.assertEqual((outcome.status, outcome.output), (0, expected), outcome)
        else:
            self.assertIn(outcome.status, (1, 3), outcome)
            self.assertIn(name, outcome.output + outcome.errors, outcome)

    def check_refused(self, what, name, is_same, *words):
        outcome = self.run_one(what, *words)
        if is_same:
            self.assertEqual(outcome.status, 0, outcome)
        else:
            self.assert_message(outcome, 3, re.escape(name))

    def train_on(self, *words):
        return "train", "--config", "tiny.ini", *runs.options(self.settings), "--train.max-steps", STEPS, *words

    def check_resume(self, content, is_same, with_older):
        """Resumes from an intact checkpoint, or starts a new run: to the same bits."""
        os.makedirs("again/checkpoints")
        if with_older:
            shutil.copy(self.oldest, "again/checkpoints")
        newest = os.path.join("again/checkpoints", os.path.basename(self.newest))
        runs.write(newest, content)
        outcome = self.run_one("train --resume auto, " + ("an older one there" if with_older else "alone"),
                               *self.train_on("--run.dir", "again", "--resume", "auto"))
        self.assertEqual(outcome.status, 0, outcome)
        said = re.search(re.escape(newest) + " is no sound checkpoint .*(trying the one|there is none) before it", outcome.errors)
        self.assertEqual(said is None, is_same, outcome)
        self.assertEqual(self.hash_of("again"), self.hash_of("../sound"))
        shutil.rmtree("again")

    def test_end_in_an_error_or_with_the_same_content(self):
        generator = random.Random(SEED)
        sound = {"data.h5": runs.read("data.h5"), "checkpoint.h5": runs.read(self.newest)}
        shutil.copy(self.newest, "checkpoint.h5")
        expected = {name: self.inspect(name).replace(name, "wrong.h5") for name in sound}
        for number in range(PLACES):
            name = generator.choice(list(sound))
            damage = generator.choice(DAMAGES)
            at = place_in(generator, sound[name])
            content = damage(generator, sound[name], at)
            is_same = content == sound[name]
            with self.subTest(number=number, file=name, damage=damage.__name__, at=at):
                runs.write("wrong.h5", content)
                self.check_inspect("wrong.h5", is_same, expected[name])
                # Starting MPI takes most of the time: every second place is enough.
                how = number % 8
                if name == "data.h5" and how in (0, 2):
                    self.check_refused("train on it", "wrong.h5", is_same,
                                       *self.train_on("--run.dir", "new", "--data.file", "wrong.h5"))
                    self.assertEqual(os.path.exists("new"), is_same)
                    shutil.rmtree("new", ignore_errors=True)
                elif name == "data.h5" and how in (4, 6):
                    self.check_refused("eval on it", "wrong.h5", is_same,
                                       "eval", "--checkpoint", self.newest, "--data", "wrong.h5")
                elif how == 0:
                    self.check_refused("eval of it", "wrong.h5", is_same,
                                       "eval", "--checkpoint", "wrong.h5", "--data", "data.h5")
                elif how == 2:
                    self.check_refused("train --resume it", "wrong.h5", is_same,
                                       *self.train_on("--run.dir", "new", "--resume", "wrong.h5"))
                    shutil.rmtree("new", ignore_errors=True)
                elif how in (4, 6):
                    self.check_resume(content, is_same, with_older=how == 4)


OTHERS_INI = """
[data]
images = /x
labels = /deep/y
layout = NHWC
[network]
layer = dense 4
loss = softmax-cross-entropy
[schedule]
lr = 0.05
[train]
epochs = 1
batch = 30
micro-batch = 4
[run]
threads = 1
"""


@unittest.skipUnless(h5py, "python3-h5py is not installed")
class FilesOfOthers(Counted):
    """Without a checksum, damage can give other content; libhdf5 may crash only in the child process, not in Convoy."""

    def setUp(self):
        super().setUp()
        generator = numpy.random.default_rng(SEED)
        with h5py.File("other.h5", "w") as file:
            file.create_dataset("x", data=generator.integers(0, 500, (140, 8, 10, 3)).astype("uint16"),
                                chunks=(7, 8, 10, 3), compression="gzip", shuffle=True, fletcher32=True)
            file["deep/y"] = generator.integers(0, 4, 140)
            file["x"].attrs["names"] = ["one", "two"]
            file["deep"].attrs["numbers"] = numpy.arange(5)
        with h5py.File("other.h5") as file:
            images, labels = file["x"].id, file["deep/y"].id
            chunks = [images.get_chunk_info(index) for index in range(images.get_num_chunks())]
            content = [range(chunk.byte_offset, chunk.byte_offset + chunk.size) for chunk in chunks]
            content.append(range(labels.get_offset(), labels.get_offset() + labels.get_storage_size()))
        self.sound = runs.read("other.h5")
        # Used metadata: neither images and labels nor empty space.
        self.places = [at for at, byte in enumerate(self.sound) if not any(at in span for span in content)
                       and any(self.sound[max(0, at - 4):at + 4])]
        runs.write("any.ini", OTHERS_INI.encode())

    def test_never_crash_the_program(self):
        generator = random.Random(SEED)
        trained = self.run_one("train", "train", "--config", "any.ini", "--data.file", "other.h5", "--run.dir", "base")
        self.assertEqual(trained.status, 0, trained)
        checkpoint = runs.checkpoints("base")[-1]
        for number in range(max(50, PLACES // 4)):
            content = bytearray(self.sound)
            for _ in range(generator.choice((1, 1, 2, 4))):
                content[generator.choice(self.places)] ^= 1 << generator.randrange(8)
            runs.write("wrong.h5", content)
            train = ("train", "--config", "any.ini", "--data.file", "wrong.h5", "--run.dir", "new")
            evaluate = ("eval", "--checkpoint", checkpoint, "--data", "wrong.h5", "--split", "train")
            for words in (("inspect", "wrong.h5"), evaluate if number % 2 else train):
                with self.subTest(number=number, command=words[0]):
                    outcome = self.run_one(words[0], *words, statuses=(0, 2, 3))
                    if outcome.status == 2:  # libhdf5 reads different labels: the network does not fit them
                        self.assert_message(outcome, 2, r"the data set wants \d+ \(classes")
                    elif outcome.status != 0:
                        self.assert_message(outcome, 3, r"wrong\.h5")
                    if DIED in outcome.errors:
                        self.seen["of these told of a child's death", outcome.status] += 1
            shutil.rmtree("new", ignore_errors=True)


if __name__ == "__main__":
    runs.main()
