#!/usr/bin/env python3
"""A step allocates nothing: memory is allocated at the first step of each kind, and kept."""

import os
import re

import runs

PROGRAM = os.environ["COUNTING_ALLOCATIONS"]
# An epoch has 5 steps. Step 1, and step 5 with fewer micro-batches, make plans. Before step 2 the ranks exchange
# requests for the first time. Before step 6 there is an evaluation and a checkpoint. Step 10, the last, is verified: it
# plans one more micro-batch.
STEADY = (3, 4, 7, 8, 9)


class Allocations(runs.Folder):
    def counts(self, network, ranks, threads, *words):
        outcome = runs.convoy("--config", f"{network}.ini", "--run.threads", threads, "--run.log-every", 1000,
                              "--checkpoint.async", "no", *words,  # otherwise its thread allocates during the steps
                              ranks=ranks, program=PROGRAM)
        self.assertEqual(outcome.status, 0, outcome)
        # Anywhere in a line: MPICH's launcher forwards partial lines of other ranks too.
        lines = re.findall(r"allocations:((?: \d+=\d+)+)$", outcome.output, re.MULTILINE)
        self.assertEqual(len(lines), ranks)
        return [{int(step): int(count) for step, count in (word.split("=") for word in line.split())} for line in lines]

    def test_none_in_a_step_on_any_ranks_and_threads(self):
        for network in ("lenet", "blocks"):
            for ranks, threads in ((1, 1), (1, 2), (2, 1), (3, 2)):
                with self.subTest(network, ranks=ranks, threads=threads):
                    for counts in self.counts(network, ranks, threads, "--run.dir", f"{network}-{ranks}-{threads}"):
                        self.assertEqual({step: counts[step] for step in STEADY}, dict.fromkeys(STEADY, 0))

    def test_none_with_norms_states_and_groups(self):
        words = ["--optimizer.name", "lamb", "--optimizer.momentum", "0", "--optimizer.weight-decay", "0.01",
                 "--optimizer.clip-value", "0.1", "--optimizer.lookahead-steps", "2",
                 "--optimizer.group.first.match", "conv1.*", "--optimizer.group.first.freeze-after-epochs", "1"]
        for ranks, threads in ((1, 2), (3, 2)):
            with self.subTest(ranks=ranks, threads=threads):
                for counts in self.counts("blocks", ranks, threads, "--run.dir", f"lamb-{ranks}-{threads}", *words):
                    self.assertEqual({step: counts[step] for step in STEADY}, dict.fromkeys(STEADY, 0))

    def test_they_are_counted(self):
        (counts,) = self.counts("lenet", 1, 1)
        self.assertGreater(counts[6], 0)  # an evaluation and a checkpoint precede it


if __name__ == "__main__":
    runs.main()
