#!/usr/bin/env python3
"""One flipped bit on one rank ends the run with 7 (src/CONTRACT.md, "The same bits", "Checks").

The tested program is convoy_with_hooks. CONVOY is the normal program, which must ignore the variable.
"""

import os
import shutil

import runs

PROGRAM = os.environ["CONVOY_WITH_HOOKS"]


class Disagreement(runs.Folder):
    def flipped(self, flip, ranks, *more, program=PROGRAM):
        words = ["--config", "blocks.ini"] if program == PROGRAM else ["train", "--config", "blocks.ini"]
        words += more
        return runs.convoy(*words, ranks=ranks, program=program, extra={"CONVOY_TEST_FLIP": flip})

    def test_at_start_names_what_and_which_ranks_and_writes_nothing(self):
        for what in ("build", "configuration", "data"):
            for ranks, rank in ((2, 1), (3, 2)):
                with self.subTest(what, ranks=ranks):
                    outcome = self.flipped(f"{what}:{rank}:0", ranks)
                    self.assert_message(outcome, 7, rf"ranks disagree on the {what} \(rank 0 on \S+ has [0-9a-f]{{32}}, "
                                                    rf"rank {rank} on \S+ has [0-9a-f]{{32}}\); ")
                    self.assertFalse(os.path.exists("run"))

    def test_of_parameters_is_found_where_they_are_compared_and_nothing_is_saved(self):
        for ranks, rank, step, memory in ((2, 1, 2, "no"), (2, 0, 5, "no"), (3, 1, 4, "yes")):
            with self.subTest(ranks=ranks, rank=rank, step=step, memory=memory):
                outcome = self.flipped(f"parameters:{rank}:{step}", ranks, "--comm.verify-every", step,
                                       "--comm.shared-memory", memory)
                holder = rank if memory == "no" else r"\d"  # shared values: all ranks of the host see the flip
                self.assert_message(outcome, 7, r"ranks disagree on the parameters \(rank \d on \S+ computed "
                                                rf"[0-9a-f]{{32}}, rank {holder} on \S+ holds [0-9a-f]{{32}}\); ")
                self.assertEqual(runs.checkpoints("run"), [])
                shutil.rmtree("run")

    def test_of_parameters_in_the_second_epoch_leaves_the_first_ones_checkpoint(self):
        outcome = self.flipped("parameters:1:8", 2, "--comm.verify-every", 4)
        self.assertEqual(outcome.status, 7, outcome)
        self.assertEqual([os.path.basename(path) for path in runs.checkpoints("run")], ["step-00000005.h5"])

    def test_of_a_gradient_is_found_by_the_rank_that_computes_it_again(self):
        for ranks, rank, step, memory in ((2, 1, 2, "no"), (2, 0, 5, "yes"), (3, 1, 3, "yes"), (3, 2, 4, "no")):
            with self.subTest(ranks=ranks, rank=rank, step=step, memory=memory):
                outcome = self.flipped(f"gradient:{rank}:{step}", ranks, "--comm.verify-every", step,
                                       "--comm.shared-memory", memory)
                again = (rank + ranks - 1) % ranks
                self.assert_message(outcome, 7, rf"ranks disagree on the gradient of micro-batch \d of the batch "
                                                rf"\(rank {rank} on \S+ computed [0-9a-f]{{32}}, rank {again} on "
                                                r"\S+ computed it again, [0-9a-f]{32}\); ")
                self.assertEqual(runs.checkpoints("run"), [])
                shutil.rmtree("run")

    def test_without_a_flip_it_is_the_program(self):
        outcome = self.flipped("nothing:9:9", 2)
        self.assertEqual(outcome.status, 0, outcome)
        hooked = self.result_of("run")
        self.train("blocks", {"run.dir": "plain"})
        self.assert_same_result("plain", hooked)

    def test_the_product_knows_no_hooks(self):
        outcome = self.flipped("parameters:1:2", 2, program=runs.CONVOY)
        self.assertEqual(outcome.status, 0, outcome)
        with open(runs.CONVOY, "rb") as file:
            self.assertNotIn(b"CONVOY_TEST_FLIP", file.read())


if __name__ == "__main__":
    runs.main()
