#!/usr/bin/env python3
"""convoy bench and run.profile: contents and format of their output; never durations."""

import json
import os
import re

import runs

SHARES = ["kernels", "reduction", "data", "optimizer", "other"]
PASS = ["seconds", "multiply_adds", "gflops", "share_of_peak", "bytes", "gigabytes_per_second", "roof"]
BENCH = {
    "top": ["version", "isa", "threads", "teams", "batch", "micro_batch", "images", "machine", "layers", "step"],
    "layer": ["name", "layer", "output", "forward", "diff_src", "diff_weights"],
    "step": ["steps", "seconds", "images_per_second", "multiply_adds", "gflops", "share_of_peak", "shares"],
}


class Bench(runs.Folder):
    def bench(self, network, *words, status=0, **how):
        outcome = runs.convoy("bench", "--config", network + ".ini", "--milliseconds", 1, *words, **how)
        self.assertEqual(outcome.status, status, outcome)
        return outcome

    def figures(self, network, *words, **how):
        self.bench(network, "--json", "figures.json", *words, **how)
        with open("figures.json", encoding="utf-8") as file:
            return json.loads(file.read(), parse_constant=self.fail)

    def test_json_has_the_documented_keys_on_one_and_two_threads(self):
        for threads in (1, 2):
            with self.subTest(threads=threads):
                figures = self.figures("blocks", threads=threads)
                self.assertEqual(list(figures), BENCH["top"])
                self.assertEqual([figures[key] for key in ("threads", "teams", "batch", "micro_batch")],
                                 [threads, threads, 30, 4])
                for who in ("one_core", "all_threads"):
                    self.assertEqual(list(figures["machine"][who]), ["gflops", "gigabytes_per_second"])
                    self.assertTrue(all(value > 0 for value in figures["machine"][who].values()))
                for layer in figures["layers"]:
                    self.assertEqual(list(layer), BENCH["layer"])
                    for name in ("forward", "diff_src", "diff_weights"):
                        if layer[name] is not None:
                            self.assertEqual(list(layer[name]), PASS)
                            self.assertIn(layer[name]["roof"], ("compute", "memory"))
                            self.assertGreater(layer[name]["bytes"], 0)
                    self.assertGreater(layer["forward"]["seconds"], 0)
                self.assertEqual(list(figures["step"]), BENCH["step"])
                shares = figures["step"]["shares"]
                self.assertEqual(list(shares), SHARES)
                self.assertAlmostEqual(sum(shares.values()), 1, places=12)
                self.assertGreater(shares["kernels"], 0)

    def test_the_first_convolution_has_no_diff_src_and_the_next_ones_do(self):
        layers = self.figures("lenet")["layers"]
        convolutions = [layer for layer in layers if layer["layer"].startswith("conv")]
        self.assertEqual([layer["layer"] for layer in convolutions], ["conv 6 5x5 pad=2", "conv 16 5x5"])
        self.assertIsNone(convolutions[0]["diff_src"])
        self.assertEqual(convolutions[1]["diff_src"]["multiply_adds"], convolutions[1]["forward"]["multiply_adds"])
        pool = [layer for layer in layers if layer["layer"] == "avgpool 2x2"][0]
        self.assertEqual((pool["forward"]["gflops"], pool["diff_weights"]), (0, None))

    def test_the_table_has_machine_layers_and_a_step_whose_shares_are_all_of_it(self):
        output = self.bench("lenet", threads=2).output
        self.assertRegex(output, r"\AMachine: kernels \w+\n  one core +FMA peak +[\d.]+ GFLOP/s +triad +[\d.]+ GB/s\n"
                                 r"  2 threads +FMA peak")
        self.assertRegex(output, r"\nLayers: micro-batches of 4, 2 teams at once, images 1x16x16 "
                                 r"\(random, as in data\.h5\)\n")
        self.assertRegex(output, r"\nconv1 \+ tanh1: conv 6 5x5 pad=2 -> 6x16x16\n  forward +[\d.]+ +[\d.]+ +[\d.]+ % ")
        self.assertRegex(output, r"\nStep: batch 30 on 2 threads: [\d.]+ ms ")
        shares = re.findall(r"^  (\w+) +([\d.]+) %$", output, re.MULTILINE)
        self.assertEqual([name for name, _ in shares], SHARES)
        self.assertAlmostEqual(sum(float(share) for _, share in shares), 100, delta=0.3)  # five roundings

    def test_needs_no_data_set_and_leaves_nothing(self):
        before = sorted(os.listdir("."))
        words = ("--data.file", "nope.h5")
        self.assertIn("images 3x32x32 (random, data.file nope.h5 is not there", self.bench("tiny", *words).output)
        self.assertIn("images 5x7x9 (random, as --shape says)",
                      self.bench("tiny", *words, "--shape", "5x7x9", "--classes", 4).output)
        self.assertIn("images 2x3x4 (random, as --shape says)", self.bench("tiny", "--shape", "2x3x4").output)
        self.assertEqual(sorted(os.listdir(".")), before)

    def test_measures_the_instruction_set_that_is_asked_for(self):
        figures = self.figures("tiny", extra={"CONVOY_ISA": "portable"})
        self.assertEqual(figures["isa"], "portable")

    def test_measures_one_process_alone(self):
        self.assertEqual(self.bench("tiny", ranks=1).messages(), [])
        outcome = self.bench("tiny", ranks=2, status=2)
        self.assert_message(outcome, 2, "launcher started 2 processes")


class Communication(runs.Folder):
    """bench comm and scaling, which measure several ranks."""

    WAYS = ["MPI_Allreduce", "tree", "tree, optimizer not sharded", "tree, bf16", "tree, bf16, not sharded",
            "mpi (MPI_Iallreduce)"]

    def figures(self, *words, **how):
        outcome = runs.convoy(*words, "--config", "blocks.ini", "--milliseconds", 1, "--json", "figures.json", **how)
        self.assertEqual(outcome.status, 0, outcome)
        with open("figures.json", encoding="utf-8") as file:
            return json.loads(file.read(), parse_constant=self.fail), outcome.output

    def test_comm_measures_every_way_on_its_ranks(self):
        for ranks in (2, 3):
            figures, output = self.figures("bench", "comm", ranks=ranks)
            self.assertEqual((figures["ranks"], figures["hosts"]), (ranks, 1))
            self.assertEqual([way["name"] for way in figures["ways"]], self.WAYS)
            for way in figures["ways"]:
                self.assertGreater(way["seconds"], 0)
                self.assertIsNone(way["share_of_bound"])  # no network within a host
                self.assertIn(way["name"], output)
            self.assertGreater(figures["bytes_per_second"], 0)
            self.assertGreaterEqual(figures["most_partial_sums"], figures["partial_sums"])

    def test_scaling_predicts_up_to_the_micro_batches_and_checks_itself(self):
        figures, output = self.figures("scaling", ranks=2)
        self.assertEqual([row["ranks"] for row in figures["strong"]], [1, 2, 4, 8])
        self.assertEqual([row["ranks"] for row in figures["weak"]], [2**i for i in range(13)])
        self.assertEqual([check["overlap"] for check in figures["checks"]], [True, False])
        for row in figures["strong"] + figures["weak"]:
            self.assertGreaterEqual(row["seconds"] * 1.000001, row["compute_seconds"])
        self.assertRegex(output, r"\nRecommended for this batch: \d ranks? x 1 thread on ")
        self.assertRegex(output, r"\nChecked on 2 ranks on 1 node")

    def test_scaling_checks_whole_steps_of_one_rank_and_of_all(self):
        figures, output = self.figures("scaling", "--kernels", ranks=2)
        checks = [(check["ranks"], check["computed"], check["overlap"]) for check in figures["checks"]]
        self.assertEqual(checks, [(2, False, True), (2, False, False), (1, True, True), (2, True, True)])
        for check in figures["checks"]:
            self.assertGreater(check["measured_seconds"], 0)
        self.assertRegex(output, r"\nChecked with computation, 1 thread a rank:\n")
        figures, output = self.figures("scaling", "--kernels", "--latency-us", 2, "--gbit", 100, ranks=2)
        self.assertEqual([check["ranks"] for check in figures["checks"]], [1])  # the described network is not available

    def test_scaling_of_a_network_that_is_not_here_takes_one_rank(self):
        figures, output = self.figures("scaling", "--latency-us", 2, "--gbit", 100)
        self.assertAlmostEqual(figures["bytes_per_second"], 12.5e9)
        self.assertEqual(figures["checks"], [])
        self.assertIn("(as given)", output)

    def test_say_what_they_need(self):
        for words, message in ((("bench", "comm"), "one rank has nobody to send to"),
                               (("bench", "com"), "stray word 'com'; bench takes none, or comm"),
                               (("bench", "--gbit", 1), "--gbit is for bench comm"),
                               (("bench", "comm", "--gbit", "fast"), "--gbit 'fast' is not a number from"),
                               (("scaling",), "one rank sees no network to measure"),
                               (("scaling", "--gbit", 10), "one rank sees no network to measure"),
                               (("scaling", "--ranks-per-host", 0), "--ranks-per-host '0' is not")):
            with self.subTest(words):
                self.assert_message(runs.convoy(*words, "--config", "blocks.ini"), 2, re.escape(message))


class Profile(runs.Folder):
    def profile_of(self, run_dir):
        """The single profile line, before the end line."""
        lines = runs.metrics(run_dir)
        self.assertEqual([line["event"] for line in lines[-2:]], ["profile", "end"])
        self.assertEqual(sum(line["event"] == "profile" for line in lines), 1)
        line = lines[-2]
        self.assertEqual(list(line), ["event", "step", "steps", "ranks", "seconds", "shares", "worst"])
        self.assertEqual(list(line["shares"]), SHARES)
        self.assertEqual(list(line["worst"]), SHARES)
        self.assertAlmostEqual(sum(line["shares"].values()), 1, places=12)
        for name in SHARES:
            self.assertEqual(list(line["worst"][name]), ["rank", "share"])
            self.assertIn(line["worst"][name]["rank"], range(line["ranks"]))
            self.assertGreaterEqual(line["worst"][name]["share"] + 1e-12, line["shares"][name])
        for name in ("kernels", "reduction", "data", "optimizer"):
            self.assertGreater(line["shares"][name], 0, name)
        return line

    def test_changes_no_bit_and_tells_the_shares_on_any_ranks(self):
        self.train("blocks", {"run.dir": "plain"})
        expected = self.result_of("plain")
        for ranks, threads in ((None, 1), (None, 3), (2, 1), (3, 2)):
            with self.subTest(ranks=ranks, threads=threads):
                run_dir = f"run-{ranks}-{threads}"
                outcome = self.train("blocks", {"run.dir": run_dir, "run.profile": "yes"}, ranks=ranks, threads=threads)
                self.assert_same_result(run_dir, expected)
                line = self.profile_of(run_dir)
                self.assertEqual((line["step"], line["steps"], line["ranks"]), (10, 10, ranks or 1))
                several = "" if (ranks or 1) == 1 else r" +at most +[\d.]+ % \(rank \d\)"
                told = re.findall(rf"^  (\w+) +[\d.]+ %{several}$", outcome.output, re.MULTILINE)
                self.assertEqual(told, SHARES, outcome)
                self.assertEqual(outcome.output.count("Where the time of 10 steps went"), 1)

    def test_is_silent_unless_asked(self):
        outcome = self.train("tiny")
        self.assertNotIn("Where the time", outcome.output)
        self.assertNotIn("profile", [line["event"] for line in runs.metrics("run")])

    def test_is_about_the_steps_since_the_run_was_resumed(self):
        settings = {"run.profile": "yes"}
        self.train("tiny", {**settings, "train.max-steps": 4})
        self.assertEqual(self.profile_of("run")["steps"], 4)
        self.train("tiny", settings, resume="auto")
        profiles = [line for line in runs.metrics("run") if line["event"] == "profile"]
        self.assertEqual([(line["step"], line["steps"]) for line in profiles], [(4, 4), (10, 6)])
        outcome = self.train("tiny", settings, resume="auto")  # no steps are left
        self.assertNotIn("Where the time", outcome.output)


if __name__ == "__main__":
    runs.main()
