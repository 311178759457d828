#!/usr/bin/env python3
"""If a rank stops answering, crashes or is killed, the job ends with a message that names rank and host
(src/CONTRACT.md, "Exit status")."""

import os
import random
import re
import signal
import time

import runs

SEED = int(os.environ.get("CONVOY_TEST_SEED", random.SystemRandom().randrange(10**6)))
TIMEOUT = 8
# Long enough for a loaded machine; the watchdog takes TIMEOUT and two more seconds for its message.
PATIENCE = 60


class Stalled(runs.Folder):
    def setUp(self):
        super().setUp()
        print(f"CONVOY_TEST_SEED={SEED}")
        self.random = random.Random(SEED)

    def start(self, folder, ranks, *more):
        settings = {"run.dir": folder, "train.epochs": 10000, "checkpoint.every-steps": 5, "comm.timeout": TIMEOUT}
        return runs.Running("train", "--config", "blocks.ini", *runs.options(settings), *more, ranks=ranks)

    def under_way(self, running, folder):
        target = runs.last_step(folder) + self.random.randrange(5, 20)
        if not running.wait_until(lambda: runs.last_step(folder) >= target, f"step {target}"):
            self.fail(f"the run ended by itself: {running.wait()}")
        time.sleep(self.random.uniform(0, 0.02))

    @staticmethod
    def lives(pid):
        """Whether the process exists and is not a zombie."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    @staticmethod
    def ranks_of(running):
        """The processes of the ranks, ordered by rank."""
        found = {}
        for pid in running.rank_pids():
            with open(f"/proc/{pid}/environ", "rb") as file:
                found[int(re.search(rb"(?:^|\0)(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)", file.read())[1])] = pid
        return found

    def test_a_stopped_rank_ends_the_job_with_6_and_is_waited_for_by_name(self):
        for number, (ranks, memory) in enumerate(((2, "yes"), (3, "no"))):
            with self.subTest(ranks=ranks, memory=memory):
                folder = f"stopped-{number}"
                with self.start(folder, ranks, "--comm.shared-memory", memory) as running:
                    self.under_way(running, folder)
                    victims = self.ranks_of(running)
                    self.assertEqual(sorted(victims), list(range(ranks)))
                    victim = self.random.randrange(ranks)
                    os.kill(victims[victim], signal.SIGSTOP)
                    begin = time.monotonic()
                    outcome = running.wait()
                    self.assertLess(time.monotonic() - begin, TIMEOUT + PATIENCE)
                self.assertIn(outcome.status, runs.ended_with(6), outcome)
                said = re.findall(r"^convoy train: no progress for 8 s \(step \d+, .*\[rank (\d) on ", outcome.errors, re.M)
                self.assertTrue(said, outcome)
                self.assertNotIn(str(victim), said, "a stopped rank cannot speak")
                for pid in victims.values():
                    self.assertFalse(self.lives(pid), "a process is left")

    def test_a_crash_is_told_with_rank_and_step_and_ends_the_job(self):
        with self.start("crashed", 3) as running:
            self.under_way(running, "crashed")
            victim = self.random.randrange(3)
            os.kill(self.ranks_of(running)[victim], signal.SIGSEGV)
            outcome = running.wait()
        self.assertNotEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.errors, rf"convoy train: the program crashed \(signal 11\); .*\[step \d+\] \[rank {victim} on ")

    def test_what_is_left_goes_on_to_the_same_bits(self):
        settings = {"train.epochs": 6, "checkpoint.every-steps": 3}
        self.train("blocks", {**settings, "run.dir": "undisturbed"})
        expected = self.result_of("undisturbed")
        words = runs.options({**settings, "run.dir": "stopped", "comm.timeout": TIMEOUT})
        with runs.Running("train", "--config", "blocks.ini", *words, ranks=3) as running:
            running.wait_until(lambda: runs.last_step("stopped") >= 10, "step 10")
            victims = self.ranks_of(running)
            if running.process.poll() is None and victims:
                os.kill(self.random.choice(list(victims.values())), signal.SIGSTOP)
            running.wait()
        self.train("blocks", {**settings, "run.dir": "stopped"}, resume="auto", ranks=2)
        self.assert_same_result("stopped", expected)


if __name__ == "__main__":
    runs.main()
