#!/usr/bin/env python3
"""metrics.jsonl and eval (src/CONTRACT.md, "Run directory", "Command line")."""

import csv
import json
import math
import os
import re
import shutil

import runs

EVENTS = {
    "step": ["event", "epoch", "step", "loss", "lr", "images_per_second"],
    "epoch": ["event", "epoch", "step", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds",
              "images_per_second"],
    "start": ["event"],
    "end": ["event"],
}


class Metrics(runs.Folder):
    def test_events_come_in_order_with_their_fields_first(self):
        self.train("blocks", {"run.log-every": 2}, ranks=2)
        lines = runs.metrics("run")
        self.assertEqual([(line["event"], line.get("epoch"), line.get("step")) for line in lines],
                         [("start", None, 0), ("step", 1, 2), ("step", 1, 4), ("step", 1, 5), ("epoch", 1, 5),
                          ("step", 2, 6), ("step", 2, 8), ("step", 2, 10), ("epoch", 2, 10), ("end", None, 10)])
        for line in lines:
            fields = EVENTS[line["event"]]
            self.assertEqual(list(line)[:len(fields)], fields)
        self.assertEqual(lines[-1]["status"], 0)

    def test_numbers_have_17_digits_and_accuracies_are_fractions(self):
        self.train("blocks")
        with open("run/metrics.jsonl", encoding="utf-8") as file:
            text = file.read()
        for key in ("loss", "train_loss", "test_loss"):
            found = re.findall(rf'"{key}":([^,}}]+)', text)
            self.assertTrue(found)
            for number in found:
                self.assertEqual(number, f"{float(number):.17g}", key)
        self.assertTrue(any(len(number) >= 17 for number in found))
        for line in runs.metrics("run"):
            for key in ("train_accuracy", "test_accuracy"):
                self.assertTrue(0 <= line.get(key, 0) <= 1, line)
            self.assertGreater(line.get("images_per_second", 1), 0)

    def test_the_epochs_train_loss_is_the_mean_over_its_samples(self):
        self.train("lenet")
        lines = runs.metrics("run")
        sizes = [30, 30, 30, 30, 20]
        for epoch in (1, 2):
            losses = [line["loss"] for line in lines if line["event"] == "step" and line["epoch"] == epoch]
            mean = sum(loss * size for loss, size in zip(losses, sizes)) / sum(sizes)
            reported = [line["train_loss"] for line in lines if line["event"] == "epoch" and line["epoch"] == epoch]
            self.assertTrue(math.isclose(reported[0], mean, rel_tol=1e-13), (reported, mean))

    def test_a_data_set_without_a_test_split_has_null_there(self):
        try:
            import h5py  # noqa: PLC0415
        except ImportError:
            self.skipTest("no h5py")
        with h5py.File("data.h5") as source, h5py.File("no-test.h5", "w") as target:
            for name, value in source.attrs.items():
                target.attrs[name] = value
            source.copy("train", target)
        self.train("tiny", {"data.file": "no-test.h5"})
        epochs = [line for line in runs.metrics("run") if line["event"] == "epoch"]
        self.assertEqual([line["test_loss"] for line in epochs], [None, None])

    def test_where_standard_output_is_no_terminal_there_is_no_redrawn_line(self):
        for ranks in (None, 2):
            outcome = self.train("tiny", {"run.dir": f"run-{ranks}"}, ranks=ranks)
            self.assertNotRegex(outcome.output, r"\x1b|\r(?!\n)")
            self.assertEqual(len(re.findall(r"^epoch \d/2  step ", outcome.output, re.MULTILINE)), 10)

    def test_warns_of_more_threads_than_processors_once(self):
        outcome = self.train("tiny", {"run.threads": 64}, ranks=2)
        self.assertEqual(len(re.findall("warning: .* runs 128 threads", outcome.errors)), 1, outcome)


class Eval(runs.Folder):
    def evaluate(self, *words, **how):
        outcome = runs.convoy("eval", "--checkpoint", runs.checkpoints("run")[-1], "--data", "data.h5", *words, **how)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome.output

    def test_prints_the_same_on_any_ranks_and_threads_and_the_last_epochs_numbers(self):
        for network in ("lenet", "blocks"):
            with self.subTest(network):
                self.train(network)
                one = self.evaluate("--confusion")
                for ranks, threads in ((1, 2), (2, 1), (3, 1), (5, 1)):
                    self.assertEqual(self.evaluate("--confusion", ranks=ranks, threads=threads), one)
                last = [line for line in runs.metrics("run") if line["event"] == "epoch"][-1]
                self.assertEqual(float(re.search(r"^loss (\S+)$", one, re.MULTILINE).group(1)), last["test_loss"])
                correct = int(re.search(r"\((\d+) correct\)", one).group(1))
                self.assertEqual(correct / 50, last["test_accuracy"])
                rows = [line.split()[1:] for line in one.splitlines()[-4:]]
                self.assertEqual(sum(int(cell) for row in rows for cell in row), 50)  # each sample once
                self.assertEqual(sum(int(rows[k][k]) for k in range(4)), correct)
                shutil.rmtree("run")

    def test_files_and_json_say_what_the_text_says(self):
        self.train("lenet")
        tables = self.evaluate("--by-class", "--confusion")
        words = ["--json", "--predictions", "answers.csv", "--confusion-csv", "confusion.csv"]
        seen = []
        for ranks, threads in ((None, 2), (3, 1)):
            told = json.loads(self.evaluate(*words, ranks=ranks, threads=threads))
            with open("answers.csv", newline="", encoding="utf-8") as file:
                answers = list(csv.DictReader(file))
            with open("confusion.csv", newline="", encoding="utf-8") as file:
                confusion = [[int(cell) for cell in row[1:]] for row in list(csv.reader(file))[1:]]
            seen.append((told, answers, confusion))
        self.assertEqual(seen[0], seen[1])
        told, answers, confusion = seen[0]

        self.assertEqual([int(line["sample"]) for line in answers], list(range(50)))
        names = [each["name"] for each in told["classes"]]
        pairs = [(names.index(line["label"]), names.index(line["prediction"])) for line in answers]
        counted = [[pairs.count((label, answer)) for answer in range(4)] for label in range(4)]
        self.assertEqual(counted, confusion)
        self.assertEqual(told["confusion"], confusion)
        self.assertEqual(told["correct"], sum(confusion[k][k] for k in range(4)))
        self.assertEqual(told["accuracy"], told["correct"] / 50)
        for k, each in enumerate(told["classes"]):
            support, answered = sum(confusion[k]), sum(row[k] for row in confusion)
            precision = confusion[k][k] / answered if answered else 0
            recall = confusion[k][k] / support
            self.assertEqual(each["support"], support)
            self.assertAlmostEqual(each["precision"], precision)
            self.assertAlmostEqual(each["recall"], recall)
            self.assertAlmostEqual(each["f1"], 2 * confusion[k][k] / (answered + support))
            self.assertRegex(tables, rf"(?m)^ *{each['name']} +{each['precision']:.4f} +{each['recall']:.4f} "
                                     rf"+{each['f1']:.4f} +{support}$")
        for line in answers:
            self.assertTrue(0.25 <= float(line["probability"]) <= 1, line)

    def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(self):
        self.train("tiny")
        outcome = runs.convoy("eval", "--checkpoint", runs.checkpoints("run")[-1], "--data", "data.h5", "--predictions",
                              "nowhere/answers.csv", ranks=2)
        self.assert_message(outcome, 4, r"nowhere/.*no folder nowhere")
        self.assertFalse(os.path.exists("nowhere"))

    def test_a_split_is_named(self):
        self.train("lenet")
        train = self.evaluate("--split", "train")
        self.assertIn("split train, 140 samples", train)
        self.assertNotEqual(train, self.evaluate("--split", "test"))

    def test_top5_is_shown_for_more_than_five_classes_alone(self):
        self.train("tiny")
        self.assertNotIn("top-5", self.evaluate())
        runs.convoy("synth", "--out", "data8.h5", *runs.options({**self.samples, "classes": 8}))
        self.train("tiny", {"run.dir": "run8", "data.file": "data8.h5"}, words=["--network.layer", "dense 8"])
        outcome = runs.convoy("eval", "--checkpoint", runs.checkpoints("run8")[-1], "--data", "data8.h5")
        self.assertRegex(outcome.output, r"top-5 accuracy [\d.]+ %")


class Json(runs.Folder):
    def test_every_line_is_an_object_of_plain_json(self):
        self.train("tiny", {"run.dir": 'odd "name"'})
        with open('odd "name"/metrics.jsonl', encoding="utf-8") as file:
            for line in file:
                self.assertIsInstance(json.loads(line, parse_constant=self.fail), dict)


if __name__ == "__main__":
    runs.main()
