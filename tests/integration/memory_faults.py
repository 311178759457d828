#!/usr/bin/env python3
"""Bits that change in the memory of a training run: in the images and labels that its ranks share, each is noticed
before it changes the result (src/CONTRACT.md, "The same bits")."""

import os
import random
import socket

import h5py
import numpy

import runs

SEED = int(os.environ.get("CONVOY_TEST_SEED", random.SystemRandom().randrange(10**6)))
FLIPS = int(os.environ.get("CONVOY_TEST_FLIPS", 6))


def shared_memory(pid):
    """Addresses of the writable shared mappings of a process."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        for line in file:
            addresses, access = line.split()[:2]
            if access == "rw-s":
                begin, end = (int(part, 16) for part in addresses.split("-"))
                yield begin, end


def address_of(content, pid):
    """Where the process holds these bytes in shared memory; None: nowhere."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end in shared_memory(pid):
            memory.seek(begin)
            try:
                at = memory.read(end - begin).find(content)
            except OSError:  # memory of a device
                continue
            if at >= 0:
                return begin + at
    return None


def flip(pid, address, bit):
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        byte = memory.read(1)[0]
        memory.seek(address)
        memory.write(bytes([byte ^ (1 << bit)]))


class MemoryFaults(runs.Folder):
    settings = {"train.epochs": 100000, "checkpoint.every-epochs": 20, "run.log-every": 5}

    def setUp(self):
        super().setUp()
        print(f"CONVOY_TEST_SEED={SEED}")
        self.random = random.Random(SEED)
        with h5py.File("data.h5") as file:
            self.images = file["train/images"][:]
            self.labels = file["train/labels"][:].astype(numpy.int64)

    def train_and_flip(self, name, what, ranks):
        """Trains until 20 steps are done, flips a random bit, and returns sample and outcome."""
        stored = self.images if what == "image" else self.labels
        content = stored.tobytes()
        settings = {**self.settings, "run.dir": name}
        with runs.Running("train", "--config", "lenet.ini", *runs.options(settings), ranks=ranks) as running:
            running.wait_until(lambda: runs.last_step(name) >= 20, "step 20")
            pid = self.random.choice(running.rank_pids())
            try:
                address = address_of(content, pid)
            except PermissionError as error:
                self.skipTest(f"the memory of another process cannot be read here: {error}")
            self.assertIsNotNone(address, f"no {what}s in shared memory")
            byte = self.random.randrange(len(content))
            flip(pid, address + byte, self.random.randrange(8))
            return byte * len(stored) // len(content), running.wait()

    def test_a_bit_that_flips_in_shared_images_or_labels_ends_the_run_and_is_named(self):
        for number in range(FLIPS):
            what = "image" if number % 2 == 0 else "label"
            sample, outcome = self.train_and_flip(f"run-{number}", what, ranks=2 + number % 2)
            message = rf"memory of {socket.gethostname()} changed by itself \(the {what} of sample {sample} of the train"
            self.assert_message(outcome, 7, message)

    def test_no_checkpoint_holds_the_flipped_bit(self):
        self.train_and_flip("run-flipped", "image", ranks=2)
        kept = [int(path[-11:-3]) for path in runs.checkpoints("run-flipped")]
        steps = max(kept, default=0) + 10
        settings = {**self.settings, "train.max-steps": steps}
        self.train("lenet", {**settings, "run.dir": "run-flipped"}, resume="auto")
        self.train("lenet", {**settings, "run.dir": "undisturbed"})
        self.assert_same_result("run-flipped", self.result_of("undisturbed"))


if __name__ == "__main__":
    runs.main()
