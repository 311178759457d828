#!/usr/bin/env python3
"""Killed with SIGKILL at any moment, resumed on other ranks and threads: the same result as an undisturbed run
(src/CONTRACT.md, "The same bits", "Checkpoint file")."""

import os
import random
import signal
import time

import runs

SEED = int(os.environ.get("CONVOY_TEST_SEED", random.SystemRandom().randrange(10**6)))
KILLS = int(os.environ.get("CONVOY_TEST_KILLS", 12))
PLACES = [(None, 1), (2, 1), (3, 1), (None, 2), (4, 1), (2, 2)]


class KillAndResume(runs.Folder):
    def setUp(self):
        super().setUp()
        print(f"CONVOY_TEST_SEED={SEED}")
        self.random = random.Random(SEED)

    def kill_until_done(self, network, settings, kills, total, kill):
        """Starts the run repeatedly and kills it some steps later each time; the last start may finish."""
        settings = {**settings, "run.dir": "killed"}
        words = ["train", "--config", network + ".ini", *runs.options(settings), "--resume", "auto"]
        deaths = 0
        for number in range(kills):
            ranks, threads = PLACES[(number + self.random.randrange(len(PLACES))) % len(PLACES)]
            target = total * (number + 1) // (kills + 1) + self.random.randrange(3)
            with runs.Running(*words, ranks=ranks, threads=threads) as running:
                running.wait_until(lambda: runs.last_step("killed") >= target, f"step {target}")  # noqa: B023
                time.sleep(self.random.uniform(0, 0.02))
                deaths += running.process.poll() is None
                kill(running)
            for path in runs.checkpoints("killed"):
                self.inspect(path)  # complete, at any time of the kill
        self.assertGreaterEqual(deaths, kills // 2, "the run was over before it was killed")
        last = self.train(network, settings, resume="auto", ranks=3)
        self.assertEqual(runs.leftovers("killed"), [], "a killed writer's file was not swept")
        return last

    def test_a_power_cut_of_all_ranks(self):
        settings = {"train.epochs": 12, "checkpoint.every-steps": 3, "checkpoint.every-epochs": 5}
        self.train("blocks", {**settings, "run.dir": "undisturbed"})
        self.kill_until_done("blocks", settings, 6, 60, lambda running: running.kill_all())
        self.assert_same_result("killed", self.result_of("undisturbed"))

    def test_the_death_of_one_rank_ends_the_job_and_loses_nothing(self):
        settings = {"train.epochs": 12, "checkpoint.every-steps": 2}
        self.train("lenet", {**settings, "run.dir": "undisturbed"})
        words = ["train", "--config", "lenet.ini", *runs.options({**settings, "run.dir": "killed"}), "--resume", "auto"]
        for ranks, target in ((3, 10), (2, 25)):
            with runs.Running(*words, ranks=ranks) as running:
                running.wait_until(lambda: runs.last_step("killed") >= target, f"step {target}")  # noqa: B023
                victim = self.random.choice(running.rank_pids())
                os.kill(victim, signal.SIGKILL)
                self.assertNotEqual(running.wait().status, 0)
        self.train("lenet", {**settings, "run.dir": "killed"}, resume="auto")
        self.assert_same_result("killed", self.result_of("undisturbed"))

    def test_kills_during_saves_never_leave_a_damaged_checkpoint(self):
        """A checkpoint after every step: most of the time is spent in saving, so most kills hit a save."""
        settings = {"train.epochs": 12, "checkpoint.every-steps": 1, "checkpoint.keep": 4}
        self.train("tiny", {**settings, "run.dir": "undisturbed"})
        self.kill_until_done("tiny", settings, 10, 60, lambda running: running.kill_all())
        self.assert_same_result("killed", self.result_of("undisturbed"))


    def life(self, words, aims_at_save):
        """Runs until one rank or the whole run is killed, at some step or right after a save has begun. Returns whether
        it was killed."""
        ranks = self.random.randint(1, 5)
        target = runs.last_step("killed") + self.random.randint(3, 20)
        with runs.Running(*words, ranks=ranks, threads=self.random.randint(1, 2)) as running:
            if not running.wait_until(lambda: runs.last_step("killed") >= target, f"step {target}"):
                return False
            if aims_at_save:
                running.wait_until(lambda: runs.leftovers("killed/checkpoints"), "the beginning of a save")
            time.sleep(self.random.uniform(0, 0.004 if aims_at_save else 0.05))
            died = running.process.poll() is None
            if self.random.random() < 0.5:
                running.kill_all()
            else:
                for victim in self.random.sample(running.rank_pids(), 1):
                    os.kill(victim, signal.SIGKILL)
                running.wait()
        return died

    def test_many_kills_half_of_them_into_saves_on_random_ranks(self):
        """CONVOY_TEST_KILLS kills (default 12)."""
        settings = {"train.epochs": 6 * KILLS, "checkpoint.every-steps": 3, "checkpoint.every-epochs": 0,
                    "checkpoint.writers": self.random.choice(["one", "one", "all"])}
        self.train("blocks", {**settings, "run.dir": "undisturbed"})
        words = ["train", "--config", "blocks.ini", *runs.options({**settings, "run.dir": "killed"}), "--resume", "auto"]
        deaths = into_saves = 0
        while deaths < KILLS:
            aims_at_save = deaths % 2 == 1
            died = self.life(words, aims_at_save)
            if not died:
                break  # finished before the kill
            deaths += 1
            into_saves += bool(runs.leftovers("killed"))
            for path in runs.checkpoints("killed"):
                loaded = runs.convoy("eval", "--checkpoint", path, "--data", "data.h5")
                self.assertEqual(loaded.status, 0, f"{path} was loaded after kill {deaths}: {loaded}")
        print(f"killed {deaths} times, {into_saves} of them left a file half written", flush=True)
        self.assertGreaterEqual(deaths, KILLS * 3 // 4, "the run was over before it was killed so often")
        self.train("blocks", {**settings, "run.dir": "killed"}, resume="auto", ranks=3)
        self.assertEqual(runs.leftovers("killed"), [])
        self.assert_same_result("killed", self.result_of("undisturbed"))


if __name__ == "__main__":
    runs.main()
