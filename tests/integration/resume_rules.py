#!/usr/bin/env python3
"""When a run resumes, and when it refuses (src/CONTRACT.md, "Command line", "Checkpoint file",
"Run directory")."""

import os
import shutil
import signal
import subprocess
import time
import unittest

import runs

try:
    import h5py
except ImportError:
    h5py = None


def without_key(path, line):
    """Removes a line from a checkpoint's stored configuration, and renews the file's checksum."""
    with h5py.File(path, "r+") as file:
        config = file.attrs["config"]
        assert line in config, config
        file.attrs.modify("config", config.replace(line, ""))
    with open(path, "rb") as file:
        content = file.read()
    shown = subprocess.run(["xxh128sum"], input=content[512:], capture_output=True, check=True).stdout.decode()
    block = f"convoy-sum 1 xxh128 {shown.split()[0]} {len(content)}\n".encode()
    with open(path, "r+b") as file:
        file.write(block.ljust(512, b"\0"))

# A run too long to end by itself during the test.
ENDLESS = {"train.epochs": 100000, "checkpoint.every-epochs": 0, "run.dir": "run"}


def steps_of(run_dir):
    return [int(os.path.basename(path)[5:13]) for path in runs.checkpoints(run_dir)]


def flip_a_byte(path, position):
    with open(path, "r+b") as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))


class Never(runs.Folder):
    def test_a_run_dir_with_checkpoints_is_refused_and_left_as_it_is(self):
        self.train("tiny", {"train.epochs": 1})
        before = {name: runs.read(os.path.join("run", name)) for name in ("metrics.jsonl", "owner", "config.ini")}
        for resume in (None, "never"):
            outcome = runs.convoy("train", "--config", "tiny.ini", *(["--resume", resume] if resume else []))
            self.assert_message(outcome, 2, r"run\.dir = run already holds checkpoints .*--resume auto")
        for name, content in before.items():
            self.assertEqual(runs.read(os.path.join("run", name)), content, name)

    def test_a_run_dir_without_checkpoints_is_taken(self):
        os.mkdir("run")
        self.train("tiny", {"train.epochs": 1})

    def test_dry_run_reports_and_writes_nothing(self):
        before = sorted(os.listdir("."))
        outcome = self.train("lenet", words=["--dry-run"], ranks=2)
        self.assertRegex(outcome.output, r"conv1 +conv 6 5x5")
        self.assertEqual(sorted(os.listdir(".")), before)

    def test_dry_run_lists_groups_of_parameters(self):
        outcome = self.train("lenet", {"optimizer.group.biases.match": "conv*.bias, dense1.bias",
                                       "optimizer.group.biases.lr-factor": 2}, words=["--dry-run"], ranks=2)
        self.assertIn("\n  biases (learning rate times 2): conv1.bias, conv2.bias, dense1.bias\n", outcome.output)

    def test_dry_run_says_that_run_dir_cannot_be_made(self):
        outcome = runs.convoy("train", "--config", "tiny.ini", "--dry-run", "--run.dir", "data.h5/run", ranks=2)
        self.assert_message(outcome, 4, r"cannot make a folder in data\.h5 \(Not a directory\)")

    def test_print_config_prints_what_config_reads_back(self):
        first = self.train("blocks", {"train.epochs": 3}, words=["--print-config"])
        with open("again.ini", "w", encoding="utf-8") as file:
            file.write(first.output)
        self.assertEqual(self.train("again", words=["--print-config"]).output, first.output)
        self.assertFalse(os.path.exists("run"))


class Auto(runs.Folder):
    def test_starts_afresh_where_nothing_is(self):
        self.train("tiny", {"run.dir": "a"})
        self.train("tiny", {"run.dir": "b"}, resume="auto")
        self.assert_same_result("b", self.result_of("a"))

    def test_goes_on_mid_epoch_on_other_ranks_to_the_same_bits(self):
        self.train("blocks", {"run.dir": "a"})
        for ranks, stop in ((2, 3), (3, 4), (None, 8), (5, 0)):
            self.train("blocks", {"run.dir": "b", "train.max-steps": stop}, resume="auto", ranks=ranks)
        self.assert_same_result("b", self.result_of("a"))
        starts = [line for line in runs.metrics("b") if line["event"] == "start"]
        self.assertEqual([line["step"] for line in starts], [0, 3, 4, 8])

    def test_goes_on_from_a_named_checkpoint_and_drops_the_lines_after_it(self):
        self.train("lenet", {"checkpoint.every-steps": 2, "checkpoint.keep": 9})
        expected = self.result_of("run")
        self.train("lenet", resume="run/checkpoints/step-00000004.h5")
        self.assert_same_result("run", expected)

    def test_a_finished_run_stays_as_it_is(self):
        self.train("lenet")
        expected = self.result_of("run")
        self.train("lenet", resume="auto")
        self.assert_same_result("run", expected)

    def test_says_that_the_newest_is_damaged_and_takes_the_one_before(self):
        self.train("lenet", {"run.dir": "a", "checkpoint.every-steps": 2})
        damages = {"flipped": lambda path: flip_a_byte(path, os.path.getsize(path) // 2),
                   "cut": lambda path: os.truncate(path, os.path.getsize(path) - 1),
                   "header": lambda path: flip_a_byte(path, 20),
                   "padded": lambda path: os.truncate(path, os.path.getsize(path) + 1),
                   "empty": lambda path: os.truncate(path, 0)}
        for name, damage in damages.items():
            with self.subTest(name):
                shutil.copytree("a", name)
                damage(runs.checkpoints(name)[-1])
                outcome = self.train("lenet", {"run.dir": name, "checkpoint.every-steps": 2}, resume="auto", ranks=2)
                self.assertRegex(outcome.errors, r"warning: .*step-00000010\.h5 .*trying the one before it")
                self.assertRegex(outcome.output, r"Going on from .*step-00000008\.h5")
                self.assert_same_result(name, self.result_of("a"))

    def test_starts_afresh_where_all_are_damaged(self):
        self.train("tiny")
        expected = self.result_of("run")
        for path in runs.checkpoints("run"):
            os.truncate(path, 100)
        outcome = self.train("tiny", resume="auto")
        self.assertEqual(outcome.errors.count("trying the one before it"), 1)
        self.assertEqual(outcome.errors.count("there is none before it, the run starts afresh"), 1)
        self.assert_same_result("run", expected)

    def test_one_that_cannot_be_read_is_not_taken_for_damaged_and_nothing_is_written_over(self):
        self.train("tiny")
        before = {path: os.stat(path).st_mtime_ns for path in runs.checkpoints("run")}
        os.symlink("step-00009999.h5", "run/checkpoints/step-00009999.h5")
        outcome = runs.convoy("train", "--config", "tiny.ini", "--resume", "auto", ranks=2)
        self.assert_message(outcome, 4, r"cannot look up .*step-00009999\.h5 \(Too many levels of symbolic links\)")
        self.assertEqual({path: os.stat(path).st_mtime_ns for path in before}, before)

    def test_damaged_ones_that_are_newer_do_not_count_as_kept(self):
        self.train("tiny", {"train.max-steps": 2})
        for name in ("step-00000777.h5", "step-00000778.h5", "step-00000779.h5"):
            shutil.copy(runs.checkpoints("run")[0], "run/checkpoints/" + name)
            os.truncate("run/checkpoints/" + name, 700)
        self.train("tiny", {"checkpoint.every-steps": 1, "checkpoint.keep": 2}, resume="auto")
        self.assertEqual(steps_of("run"), [9, 10, 777, 778, 779])

    def test_a_folder_is_no_checkpoint(self):
        self.train("tiny", {"train.max-steps": 2})
        outcome = runs.convoy("train", "--config", "tiny.ini", "--resume", "run/checkpoints")
        self.assert_message(outcome, 2, r"run/checkpoints is a folder; name a checkpoint in it")

    def test_a_branch_is_refused_where_newer_checkpoints_would_win(self):
        self.train("tiny", {"checkpoint.every-steps": 2, "checkpoint.keep": 9})
        before = steps_of("run")
        branch = ("--resume", "run/checkpoints/step-00000004.h5", "--resume-anyway", "--schedule.lr", "0.01")
        outcome = runs.convoy("train", "--config", "tiny.ini", *branch, ranks=2)
        self.assert_message(outcome, 2, r"schedule\.lr differs .* in run\.dir = run: it holds .*step-00000010\.h5 .*"
                            r"name another run\.dir")
        self.assertEqual(steps_of("run"), before)
        outcome = runs.convoy("train", "--config", "tiny.ini", *branch, "--run.dir", "branch")
        self.assertEqual(outcome.status, 0, outcome)

    def test_refuses_another_configuration_and_names_the_key(self):
        self.train("lenet", {"train.max-steps": 4})
        changes = {"train.batch": 20, "train.micro-batch": 5, "train.seed": 8, "schedule.lr": 0.06,
                   "schedule.name": "cosine", "optimizer.momentum": 0.8, "optimizer.nesterov": "yes",
                   "optimizer.weight-decay": 0.1, "network.loss": "quadratic", "data.normalize": "none",
                   "data.shuffle": "no"}
        for key, value in changes.items():
            with self.subTest(key):
                outcome = runs.convoy("train", "--config", "lenet.ini", "--resume", "auto", "--" + key, value)
                self.assert_message(outcome, 2, rf"cannot go on from .*: {key} differs \(there '.*', here '{value}")
        outcome = runs.convoy("train", "--config", "lenet.ini", "--resume", "auto", "--network.layer", "dense 4")
        self.assert_message(outcome, 2, r"network\.layer differs \(there 'conv 6 5x5.*', here 'dense 4'\)")
        self.assertEqual(steps_of("run"), [4])

    def test_more_epochs_are_refused_where_the_schedule_depends_on_them(self):
        self.train("tiny", {"train.epochs": 4, "run.dir": "longer"})
        lookahead = ["--optimizer.lookahead-steps", "5", "--optimizer.lookahead-schedule", "cubic"]
        for schedule, words in (("constant", []), ("cosine", ["--schedule.name", "cosine"]), ("cubic", lookahead)):
            with self.subTest(schedule=schedule):
                words = [*words, "--run.dir", schedule]
                self.train("tiny", {"train.epochs": 2}, words=words)
                outcome = runs.convoy("train", "--config", "tiny.ini", *words, "--resume", "auto", "--train.epochs", 4)
                if schedule != "constant":
                    self.assert_message(outcome, 2, r"train\.epochs differs \(there '2', here '4'\)")
                else:
                    self.assertEqual(outcome.status, 0, outcome)
                    self.assert_same_result("constant", self.result_of("longer"))

    def test_a_key_that_the_checkpoint_does_not_know_stands_for_its_default(self):
        """As if written by a version without this key."""
        if h5py is None or shutil.which("xxh128sum") is None:
            self.skipTest("needs h5py and xxh128sum (Debian: python3-h5py xxhash)")
        self.train("tiny", {"train.max-steps": 3})
        [path] = runs.checkpoints("run")
        without_key(path, "precision = fp32\n")
        outcome = runs.convoy("train", "--config", "tiny.ini", "--resume", "auto", "--train.precision", "bf16")
        self.assert_message(outcome, 2, r"train\.precision differs \(there 'fp32', here 'bf16'\)")
        self.train("tiny", {"train.max-steps": 5}, resume="auto")
        self.assertEqual(steps_of("run"), [3, 5])

    def test_refuses_other_data_but_not_another_place_of_the_same(self):
        self.train("tiny", {"train.max-steps": 3})
        runs.convoy("synth", "--out", "other.h5", *runs.options({**self.samples, "seed": 4}))
        outcome = runs.convoy("train", "--config", "tiny.ini", "--resume", "auto", "--data.file", "other.h5")
        self.assert_message(outcome, 2, r"the content of the data set differs")
        shutil.copy("data.h5", "moved.h5")
        self.train("tiny", {"data.file": "moved.h5"}, resume="auto")

    def test_resume_anyway_goes_on_with_what_may_differ_and_says_what(self):
        self.train("tiny", {"train.max-steps": 3})
        runs.convoy("synth", "--out", "other.h5", *runs.options({**self.samples, "seed": 4}))
        changed = {"schedule.lr": 0.01, "data.file": "other.h5", "data.augment": "crop=2"}
        outcome = runs.convoy("train", "--config", "tiny.ini", "--resume", "auto", *runs.options(changed))
        self.assert_message(outcome, 2, r"differs .*--resume-anyway goes on as another run would")
        outcome = self.train("tiny", {**changed, "train.max-steps": 6}, resume="auto", words=["--resume-anyway"], ranks=2)
        self.assertRegex(outcome.errors, r"data\.augment differs \(there 'none', here 'crop=2'\), schedule\.lr differs .*, "
                                         r"the content of the data set differs .*no continuation of that run to the bit")
        self.assertEqual(steps_of("run"), [3, 5, 6])
        for key, value in (("network.layer", "dense 4 bias=no"), ("train.batch", 20), ("optimizer.lookahead-steps", 5),
                           ("optimizer.name", "lars")):
            outcome = runs.convoy("train", "--config", "tiny.ini", "--resume", "auto", "--resume-anyway", "--" + key, value)
            self.assert_message(outcome, 2, rf"{key} differs")

    def test_resume_anyway_refuses_a_data_set_of_another_size_within_an_epoch(self):
        self.train("tiny", {"train.max-steps": 7})
        runs.convoy("synth", "--out", "other.h5", *runs.options({**self.samples, "train": 300}))
        outcome = runs.convoy("train", "--config", "tiny.ini", "--resume", "auto", "--resume-anyway", "--data.file",
                              "other.h5")
        self.assert_message(outcome, 2, r"step 7 was in epoch 2 there, and here is in epoch 1")

    def test_may_change_how_and_how_far_it_runs(self):
        self.train("tiny", {"train.max-steps": 3})
        self.train("tiny", {"run.log-every": 2, "checkpoint.keep": 1, "run.threads": 2, "train.max-steps": 5},
                   resume="auto")
        self.assertEqual(steps_of("run"), [5])


class Checkpoints(runs.Folder):
    def test_keeps_the_newest_and_writes_the_last_step(self):
        self.train("tiny", {"checkpoint.every-steps": 2, "checkpoint.every-epochs": 0, "checkpoint.keep": 2,
                            "train.max-steps": 9})
        self.assertEqual(steps_of("run"), [8, 9])

    def test_by_epochs(self):
        self.train("tiny", {"checkpoint.every-epochs": 2, "train.epochs": 5, "checkpoint.keep": 9})
        self.assertEqual(steps_of("run"), [10, 20, 25])

    def test_at_start_keeps_the_untrained_network(self):
        self.train("tiny", {"checkpoint.at-start": "yes", "train.max-steps": 1})
        self.assertEqual(steps_of("run"), [0, 1])
        shutil.copytree("run", "again")
        os.remove("again/checkpoints/step-00000001.h5")
        self.train("tiny", {"run.dir": "again", "checkpoint.at-start": "yes", "train.max-steps": 1}, resume="auto")
        self.assert_same_result("again", self.result_of("run"))

    def test_config_ini_of_a_run_starts_the_same_run(self):
        self.train("blocks", {"train.epochs": 1})
        shutil.copy("run/config.ini", "again.ini")
        self.train("again", {"run.dir": "again"})
        self.assert_same_result("again", self.result_of("run"))


class Signals(runs.Folder):
    def endless(self, settings=None, ranks=None):
        words = ["train", "--config", "lenet.ini", *runs.options({**ENDLESS, **(settings or {})})]
        return runs.Running(*words, ranks=ranks)

    def until_step(self, running, step):
        self.assertTrue(running.wait_until(lambda: runs.last_step("run") >= step, f"step {step}"), "it ended")

    def test_sigusr1_writes_a_checkpoint_and_the_run_goes_on(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks), self.endless(ranks=ranks) as running:
                self.until_step(running, 3)
                os.kill(running.rank_pids()[-1], signal.SIGUSR1)
                running.wait_until(lambda: runs.checkpoints("run"), "a checkpoint")
                written = steps_of("run")[0]
                self.until_step(running, written + 3)
                self.assertEqual(len(steps_of("run")), 1, "asked once, saved once")
                running.kill_all()
                self.inspect(runs.checkpoints("run")[0])
            shutil.rmtree("run")

    def test_sigterm_sigint_and_sigusr2_leave_with_75_and_the_same_bits_follow(self):
        settings = {"train.epochs": 60, "checkpoint.every-epochs": 0}
        self.train("lenet", {**settings, "run.dir": "undisturbed"})
        expected = self.result_of("undisturbed")
        for name, ranks in (("SIGTERM", None), ("SIGINT", None), ("SIGUSR2", None), ("SIGHUP", None), ("SIGXCPU", 2),
                            ("SIGTERM", 3)):
            with self.subTest(name, ranks=ranks):
                with self.endless(settings, ranks) as running:
                    self.until_step(running, 4)
                    os.kill(running.rank_pids()[-1], getattr(signal, name))
                    outcome = running.wait()
                self.assertEqual(outcome.status, 75, outcome)
                self.assertEqual(outcome.messages(), [])
                self.assertIn("--resume auto", outcome.output)
                self.assertEqual(runs.metrics("run")[-1], {"event": "end", "step": steps_of("run")[-1], "status": 75})
                self.train("lenet", {**settings, "run.dir": "run"}, resume="auto", ranks=2)
                self.assert_same_result("run", expected)
                shutil.rmtree("run")

    def test_max_time_leaves_with_75(self):
        outcome = self.train("lenet", {**ENDLESS, "run.max-time": "1s"}, status=75, ranks=2)
        self.assertIn("stopped early", outcome.output)
        self.assertEqual(len(steps_of("run")), 1)

    def test_a_run_taken_over_by_a_second_one_stops_and_touches_nothing(self):
        with self.endless(ranks=2) as first:
            self.until_step(first, 3)
            words = ["train", "--config", "lenet.ini", *runs.options(ENDLESS)]
            refused = runs.convoy(*words)
            self.assert_message(refused, 2, r"run\.dir run belongs to a run that is alive \(\S+ pid \d+, started .*--take-over")
            with runs.Running(*words, "--take-over") as second:  # no checkpoint yet, so the start is not refused
                outcome = first.wait()
                self.assert_message(outcome, 4, r"run belongs to another run now .*this run stops")
                before = len(runs.metrics("run"))
                second.wait_until(lambda: len(runs.metrics("run")) > before + 3, "lines of the second run")
                self.assertEqual([line["event"] for line in runs.metrics("run")].count("start"), 1)
                os.kill(second.process.pid, signal.SIGTERM)
                self.assertEqual(second.wait().status, 75)
        self.assertEqual(len(steps_of("run")), 1)

    def test_nohup_and_a_reader_that_goes_away_do_not_end_a_run(self):
        words = [runs.CONVOY, "train", "--config", "lenet.ini", *runs.options({"train.epochs": 40, "run.dir": "run"})]
        with open("errors", "w", encoding="utf-8") as errors:
            process = subprocess.Popen(["nohup", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                       env=runs.environment())
            process.stdout.readline()
            os.kill(process.pid, signal.SIGHUP)
            process.stdout.close()
            self.assertEqual(process.wait(runs.PATIENCE_SECONDS), 0, runs.read("errors"))
        said = [line for line in runs.read("errors").decode().splitlines() if "nohup" not in line]
        self.assertEqual(len(said), 1, said)
        self.assertIn("nobody reads the standard output any more", said[0])
        self.assertEqual(runs.metrics("run")[-1]["event"], "end")
        self.assertEqual(runs.metrics("run")[-1]["status"], 0)

    @unittest.skipUnless(runs.OPEN_MPI, "another launcher ends its ranks at once")
    def test_a_launcher_that_hangs_up_leaves_a_checkpoint(self):
        # Few lines a second: the launcher does not read its ranks' output while it ends them.
        runs.convoy("synth", "--out", "large.h5", *runs.options({**self.samples, "train": 6000}))
        with self.endless({"data.file": "large.h5", "run.log-every": 100}, ranks=2) as running:
            self.until_step(running, 3)
            running.process.send_signal(signal.SIGHUP)
            running.wait()
            # The launcher does not wait for its ranks.
            deadline = time.monotonic() + 20
            while runs.metrics("run")[-1]["event"] != "end" and time.monotonic() < deadline:
                time.sleep(0.05)
        self.assertEqual(runs.metrics("run")[-1]["status"], 75, os.listdir("run"))
        self.assertEqual(steps_of("run"), [runs.metrics("run")[-1]["step"]])

    def test_a_run_whose_owner_file_is_gone_stops(self):
        with self.endless() as running:
            self.until_step(running, 3)
            os.remove("run/owner")
            self.assert_message(running.wait(), 4, r"run/owner is gone")
        self.assertEqual(runs.checkpoints("run"), [])


if __name__ == "__main__":
    runs.main()
