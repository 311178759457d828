#!/usr/bin/env python3
"""One hash and one trajectory for any number of ranks and threads (src/CONTRACT.md, "The same bits")."""

import os
import random
import shutil

import runs

# Ranks and threads. 8 ranks equal the number of micro-batches; 3 of them have none in the short last batch.
PLACES = [(1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (5, 1), (5, 2), (8, 1), (8, 2)]


class SameBits(runs.Folder):
    def check(self, network, settings, places):
        self.train(network, {**settings, "run.dir": "one"})
        expected = self.result_of("one")
        self.assertTrue(expected[1])
        for ranks, threads in places:
            with self.subTest(ranks=ranks, threads=threads):
                name = f"run-{ranks}-{threads}"
                self.train(network, {**settings, "run.dir": name}, ranks=ranks, threads=threads)
                start = runs.metrics(name)[0]
                self.assertEqual((start["ranks"], start["threads"]), (ranks, threads))
                self.assert_same_result(name, expected)
                shutil.rmtree(name)
        return expected

    def test_lenet_on_any_ranks_and_threads(self):
        self.check("lenet", {}, [(1, 3), (2, 2), (3, 1), (5, 2), (8, 1)])

    def test_batchnorm_residual_and_dropout_on_any_ranks_and_threads(self):
        self.check("blocks", {}, PLACES)

    def test_branches_on_any_ranks_and_threads(self):
        self.check("branches", {}, [(1, 3), (2, 2), (3, 1), (8, 1)])

    def test_depthwise_convolutions_norms_and_gates_on_any_ranks_and_threads(self):
        self.check("mobile", {}, [(1, 3), (2, 2), (3, 1), (5, 2), (8, 1)])

    def test_the_same_in_bfloat16(self):
        self.check("mobile", {"train.precision": "bf16"}, [(1, 3), (3, 1)])

    def test_quadratic_loss_with_nesterov_decay_and_warm_up(self):
        settings = {"network.loss": "quadratic", "optimizer.nesterov": "yes", "optimizer.weight-decay": 0.01,
                    "schedule.name": "cosine", "schedule.warmup-epochs": 1}
        self.check("lenet", settings, [(1, 2), (3, 1), (4, 2)])

    def test_weighted_classes_with_one_cycle(self):
        settings = {"network.class-weights": "1 0.25 3 0.5", "network.label-smoothing": 0.1, "schedule.name": "one-cycle",
                    "schedule.scale-lr": "sqrt"}
        self.check("lenet", settings, [(1, 2), (3, 1), (4, 2)])
        self.check_plain_evaluation()

    def check_plain_evaluation(self):
        """The losses of an evaluation have neither smoothing nor weights: eval of the checkpoint without them agrees."""
        settings = {"run.dir": "plain", "train.epochs": 1, "network.label-smoothing": 0.5, "network.class-weights": "9 9 9 9"}
        self.train("lenet", settings)
        epoch = [line for line in runs.metrics("plain") if line["event"] == "epoch"][-1]
        self.assertGreater(epoch["train_loss"], 5 * epoch["test_loss"])

    plateau = {"schedule.name": "plateau", "schedule.patience": 0, "schedule.threshold": 0.1, "schedule.step-factor": 0.5,
               "train.epochs": 9, "schedule.lr": 0.1}

    def test_plateau_on_any_ranks_and_from_any_step(self):
        expected = self.check("lenet", self.plateau, [(1, 2), (3, 1)])
        rates = {line["lr"] for line in expected[1] if line["event"] == "step"}
        self.assertGreater(len(rates), 2, "the rate was hardly reduced, so nothing was compared")
        for stop in (7, 20, 33):  # 5 steps an epoch
            run = {**self.plateau, "run.dir": f"stopped-{stop}"}
            self.train("lenet", {**run, "train.max-steps": stop}, ranks=2)
            self.train("lenet", run, resume="auto", ranks=3)
            self.assert_same_result(run["run.dir"], expected)

    def test_plateau_without_a_split_to_evaluate_follows_the_training_loss(self):
        training_alone = {"data.images": "/train/images", "data.labels": "/train/labels"}
        expected = self.check("lenet", {**self.plateau, **training_alone}, [(3, 1)])
        losses, rate, best = [line for line in expected[1] if line["event"] == "epoch"], 0.1, None
        steps = [line for line in expected[1] if line["event"] == "step"]
        for epoch in losses:
            self.assertIsNone(epoch["test_loss"])
            self.assertEqual({line["lr"] for line in steps if line["epoch"] == epoch["epoch"]}, {rate})
            if best is None or epoch["train_loss"] < 0.9 * best:
                best = epoch["train_loss"]
            else:
                rate *= 0.5

    # Every feature of the optimizer at once: norms, states, groups, freezing in the middle of an epoch. The file's momentum
    # is not adamw's. The second group takes the bias of the dense layer from the first.
    OPTIMIZER = {"optimizer.name": "adamw", "optimizer.momentum": 0, "optimizer.weight-decay": 0.05,
                 "optimizer.clip-norm": 0.5, "optimizer.clip-value": 0.05, "schedule.lr": 0.01,
                 "optimizer.lookahead-steps": 3, "optimizer.lookahead-schedule": "cubic",
                 "optimizer.lookahead-alpha": 0.3,
                 "optimizer.group.biases.match": "*.bias", "optimizer.group.biases.lr-factor": 4,
                 "optimizer.group.head.match": "dense*, batchnorm2.weight",
                 "optimizer.group.head.weight-decay-factor": 0.5, "optimizer.group.head.freeze-after-epochs": 1.4,
                 "optimizer.group.first.match": "conv1.*", "optimizer.group.first.freeze": "yes"}

    def test_adamw_with_clipping_lookahead_and_groups_on_any_ranks_threads_buckets_and_shards(self):
        expected = self.check("blocks", self.OPTIMIZER, [(1, 2), (2, 2), (3, 1), (5, 2)])
        for ranks, bucket_bytes, shard, overlap in [(2, 4096, "yes", "no"), (3, 8192, "no", "yes"), (5, 4096, "no", "no")]:
            with self.subTest(ranks=ranks, bucket_bytes=bucket_bytes, shard=shard):
                name = f"comm-{ranks}"
                self.train("blocks", {**self.OPTIMIZER, "run.dir": name, "comm.bucket-bytes": bucket_bytes,
                                      "comm.shard-optimizer": shard, "comm.overlap": overlap}, ranks=ranks)
                self.assert_same_result(name, expected)
        for ranks, stop in ((2, 3), (None, 4), (5, 8), (3, 0)):
            self.train("blocks", {**self.OPTIMIZER, "run.dir": "resumed", "train.max-steps": stop}, resume="auto",
                       ranks=ranks)
        self.assert_same_result("resumed", expected)
        # Without one of the features, other bits.
        for key, value in (("clip-norm", 0), ("clip-value", 0), ("lookahead-steps", 4), ("group.biases.lr-factor", 1),
                           ("group.head.weight-decay-factor", 1), ("group.head.freeze-after-epochs", 1.6),
                           ("group.first.freeze", "no")):
            self.train("blocks", {**self.OPTIMIZER, "run.dir": key, "optimizer." + key: value})
            self.assertNotEqual(self.hash_of(key), expected[0], key)

    def test_every_optimizer_on_several_ranks_and_through_resume(self):
        for name in ("adam", "rmsprop", "lars", "lamb"):
            own = {"optimizer.momentum": 0.9 if name in ("rmsprop", "lars") else 0}
            if name == "rmsprop":
                own["optimizer.centered"] = "yes"
            settings = {"optimizer.name": name, "optimizer.weight-decay": 0.01, "schedule.lr": 0.005, **own}
            self.train("blocks", {**settings, "run.dir": name})
            expected = self.result_of(name)
            for ranks, stop in ((3, 4), (2, 0)):
                self.train("blocks", {**settings, "run.dir": name + "-resumed", "train.max-steps": stop,
                                      "comm.bucket-bytes": 4096}, resume="auto", ranks=ranks, threads=2)
            self.assert_same_result(name + "-resumed", expected)

    def test_bfloat16_on_any_ranks_and_threads_and_not_the_bits_of_float32(self):
        rounded = self.check("blocks", {"train.precision": "bf16"}, [(1, 3), (2, 2), (3, 1), (8, 1)])
        self.train("blocks", {"run.dir": "exact"})
        self.assertNotEqual(self.result_of("exact"), rounded)

    def test_another_seed_gives_other_bits(self):
        """Otherwise the comparisons above would prove little."""
        self.train("lenet", {"run.dir": "a", "train.max-steps": 2})
        self.train("lenet", {"run.dir": "b", "train.max-steps": 2, "train.seed": 8})
        self.assertNotEqual(self.hash_of("a"), self.hash_of("b"))

    def test_settings_from_two_files_or_the_command_line_are_the_same_run(self):
        with open("lenet.ini", encoding="utf-8") as file:
            sections = file.read()
        with open("more.ini", "w", encoding="utf-8") as file:
            file.write("[train]\nepochs = 1\n")
        self.train("lenet", {"run.dir": "a", "train.epochs": 1})
        self.train("lenet", {"run.dir": "b"}, words=["--config", "more.ini"])
        self.assertIn("epochs = 2", sections)
        self.assert_same_result("b", self.result_of("a"))


class SameBitsOnMnist(runs.Folder):
    """configs/lenet5-mnist.ini, 200 steps."""

    PLACES = [(1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2), (5, 1), (5, 2), (8, 1), (8, 2)]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mnist = runs.mnist_file(cls._base)
        config = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../configs/lenet5-mnist.ini")
        shutil.copy(config, "lenet5-mnist.ini")

    def test_lenet5_for_200_steps_on_any_ranks_and_threads_also_when_killed(self):
        settings = {"data.file": self.mnist, "train.max-steps": 200}
        expected = SameBits.check(self, "lenet5-mnist", settings, self.PLACES)

        settings.update({"run.dir": "killed", "run.log-every": 1, "checkpoint.every-steps": 15})
        target = random.SystemRandom().randrange(20, 160)
        words = ["train", "--config", "lenet5-mnist.ini", *runs.options(settings)]
        with runs.Running(*words, ranks=2) as running:
            running.wait_until(lambda: runs.last_step("killed") >= target, f"step {target}")
            self.assertIsNone(running.process.poll(), "the run was over before it was killed")
            running.kill_all()
        self.train("lenet5-mnist", settings, resume="auto", ranks=3)
        self.assertEqual(self.hash_of("killed"), expected[0], f"killed at step {target}")


if __name__ == "__main__":
    runs.main()
