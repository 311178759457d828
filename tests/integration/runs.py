"""Common code of the integration tests: starts convoy on one or several ranks, and reads the files of a run.

Each script is a unittest program started by ctest with CONVOY (the program), MPIEXEC and MPIEXEC_FLAGS in its
environment. Each test has its own folder. If all tests of a script are skipped, it exits with 77, which
ctest counts as skipped.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

CONVOY = os.environ["CONVOY"]
MPIEXEC = os.environ.get("MPIEXEC", "mpirun")
DATA = os.environ.get("CONVOY_DATA", os.path.join(os.path.dirname(__file__), "../../../shared/data"))
SKIPPED = 77

# Long enough for a loaded machine, short enough to end before ctest's own limit.
PATIENCE_SECONDS = 120

# MPICH's launcher differs: an unknown signal ends it; see also ended_with().
OPEN_MPI = "\nMPI: Open MPI" in subprocess.run([CONVOY, "--version"], capture_output=True, text=True, check=False).stdout
PMI = "pmix" if OPEN_MPI else "pmi2"

LAUNCHER = [MPIEXEC] + os.environ.get("MPIEXEC_FLAGS", "").split()

NETWORKS = {
    # The layers of lenet5-mnist, with fewer outputs of the dense layers.
    "lenet": """
        layer = conv 6 5x5 pad=2
        layer = tanh
        layer = avgpool 2x2
        layer = conv 16 5x5
        layer = tanh
        layer = avgpool 2x2
        layer = dense 24
        layer = tanh
        layer = dense 4
        loss = softmax-cross-entropy""",
    # All features whose result could depend on the number of ranks.
    "blocks": """
        layer = conv 6 3x3 pad=1 bias=no
        layer = batchnorm
        layer = relu
        layer = residual {
        layer =   conv 6 3x3 pad=1 bias=no
        layer =   batchnorm
        layer = }
        layer = relu
        layer = residual {
        layer =   conv 8 3x3 pad=1 stride=2 bias=no
        layer =   batchnorm
        layer = } shortcut {
        layer =   conv 8 1x1 stride=2 bias=no
        layer =   batchnorm
        layer = }
        layer = relu
        layer = dropout 0.2
        layer = globalavgpool
        layer = dense 4
        loss = softmax-cross-entropy""",
    "branches": """
        layer = conv 4 3x3 pad=1
        layer = batchnorm
        layer = relu
        layer = branches {
        layer = } and {
        layer =   maxpool 2x2
        layer =   conv 6 3x3 pad=1
        layer =   relu
        layer =   upsample 2x2
        layer = }
        layer = conv 5 3x3 pad=1
        layer = relu
        layer = globalavgpool
        layer = dense 4
        loss = softmax-cross-entropy""",
    # Depthwise, grouped and dilated convolutions, norms, a gate, and activations with and without a derivative from the output.
    "mobile": """
        layer = conv 8 3x3 pad=1 stride=2 bias=no
        layer = batchnorm
        layer = gelu
        layer = residual {
        layer =   conv 8 3x3 pad=1 groups=8 bias=no
        layer =   batchnorm
        layer =   leakyrelu slope=0.1
        layer =   conv 8 1x1
        layer = }
        layer = hardswish
        layer = conv 12 3x3 pad=2 dilation=2 groups=4
        layer = groupnorm 3
        layer = relu6
        layer = gate {
        layer =   globalavgpool
        layer =   dense 5
        layer =   relu
        layer =   dense 12
        layer =   sigmoid
        layer = }
        layer = conv 12 5x5 pad=2 stride=2 groups=12
        layer = elu alpha=0.5
        layer = conv 6 1x1
        layer = layernorm
        layer = swish
        layer = batchnorm scale=no
        layer = adaptiveavgpool 2x1
        layer = hardsigmoid
        layer = dense 4
        layer = scale 0.5
        loss = softmax-cross-entropy""",
    "tiny": """
        layer = dense 4
        loss = softmax-cross-entropy""",
}

# 140 samples in batches of 30: 8 micro-batches of 4, the last of 2; the last batch of an epoch has 20 samples, 5
# micro-batches. 5 steps an epoch.
SETTINGS = """
[data]
file = data.h5
[optimizer]
momentum = 0.9
[schedule]
lr = 0.05
[train]
epochs = 2
batch = 30
micro-batch = 4
seed = 7
[run]
dir = run
log-every = 1
[network]"""


def ended_with(status):
    """The possible statuses of a job whose ranks ended with `status`, except one killed rank: MPICH's launcher
    sometimes returns the status of the killed rank."""
    return (status,) if OPEN_MPI else (status, int(signal.SIGKILL))


def without_indentation(text):
    return "\n".join(line.strip() for line in text.splitlines()) + "\n"


def options(settings):
    """["--run.dir", "x"] of {"run.dir": "x"}."""
    return [word for key, value in settings.items() for word in ("--" + key, str(value))]


class Outcome:
    def __init__(self, status, output, errors):
        self.status, self.output, self.errors = status, output, errors

    def __str__(self):
        return f"exit status {self.status}\n--- output\n{self.output}\n--- errors\n{self.errors}"

    def messages(self):
        """Convoy's lines on standard error, without warnings; mpirun adds other lines."""
        return [line for line in self.errors.splitlines()
                if line.startswith("convoy") and ": warning: " not in line]


def environment(threads=None, extra=None):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", LC_ALL="C.UTF-8",
               MPIEXEC_TIMEOUT=str(PATIENCE_SECONDS))
    env.pop("SLURM_CPUS_PER_TASK", None)
    env["OMP_NUM_THREADS"] = str(threads or 1)
    env.update(extra or {})
    return env


def command(words, ranks=None, program=None):
    """With `ranks` None: without a launcher."""
    launch = [] if ranks is None else LAUNCHER + ["-n", str(ranks)]
    return launch + [program or CONVOY] + [str(word) for word in words]


def unbound(words):
    """The launcher's `words`, without its binding of the ranks to processors."""
    return [*LAUNCHER, "--bind-to", "none", *words[len(LAUNCHER):]]


def unlike_ranks(*commands):
    """The launcher's arguments for one rank per command. A shell in each rank selects its command: the mpirun of Debian
    13 (Open MPI 5.0.7) crashes if it gets several programs separated by colons."""
    cases = " ".join(f"{rank}) exec {shlex.join(words)};;" for rank, words in enumerate(commands))
    return LAUNCHER + ["-n", str(len(commands)), "sh", "-c", f"case ${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}} in {cases} esac"]


def convoy(*words, ranks=None, threads=None, extra=None, program=None, cwd=None):
    """Runs the command to its end, with standard input closed."""
    done = subprocess.run(command(words, ranks, program), env=environment(threads, extra), cwd=cwd, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=2 * PATIENCE_SECONDS, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def checkpoints(run_dir):
    """Paths of the checkpoints, oldest first."""
    folder = os.path.join(run_dir, "checkpoints")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if re.fullmatch(r"step-\d{8}\.h5", name)]


def leftovers(folder):
    """Temporary files that a writer left in and below `folder`."""
    return [name for _, _, names in os.walk(folder) for name in names if name.endswith(".tmp")]


def metrics(run_dir):
    """The lines of metrics.jsonl as dictionaries, without an incomplete last line."""
    path = os.path.join(run_dir, "metrics.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file.read().split("\n")[:-1]]


TIMES = ("seconds", "images_per_second", "resident_bytes", "data_wait")


def trajectory(run_dir):
    """Step and epoch lines without fields that depend on time."""
    return [{key: value for key, value in line.items() if key not in TIMES}
            for line in metrics(run_dir) if line["event"] in ("step", "epoch")]


def last_step(run_dir):
    steps = [line["step"] for line in metrics(run_dir) if line["event"] == "step"]
    return steps[-1] if steps else 0


def descendants(pid):
    """Visible descendants of process `pid`."""
    children = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


class Running:
    """A run in progress, killed at the end of the block if it still runs."""

    def __init__(self, *words, ranks=None, threads=None, extra=None, program=None):
        self.ranks = ranks
        self._output = tempfile.TemporaryFile("w+")
        self._errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command(words, ranks, program), env=environment(threads, extra),
                                        stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill_all()
        self._output.close()
        self._errors.close()

    def rank_pids(self):
        """The processes of convoy, in the order of their start."""
        if self.ranks is None:
            return [self.process.pid]
        name = os.path.basename(CONVOY)
        return sorted(pid for pid in descendants(self.process.pid) if self._runs(pid, name))

    @staticmethod
    def _runs(pid, name):
        try:
            return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == name
        except OSError:
            return False

    def kill_all(self):
        """Sends SIGKILL to launcher and ranks, like a power cut."""
        if self.process.poll() is not None:
            return
        for pid in [self.process.pid] + descendants(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def wait(self):
        status = self.process.wait(timeout=PATIENCE_SECONDS)
        for file in (self._output, self._errors):
            file.seek(0)
        return Outcome(status, self._output.read(), self._errors.read())

    def has_said(self, words):
        """Whether its standard error contains them so far."""
        with open(f"/proc/self/fd/{self._errors.fileno()}", encoding="utf-8") as file:
            return words in file.read()

    def wait_until(self, condition, what):
        """False if the run ended first."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if self.process.poll() is not None:
                return condition()
            if time.monotonic() > deadline:
                raise AssertionError(f"after {PATIENCE_SECONDS} s: {what} has not happened")
            time.sleep(0.002)
        return True


class Folder(unittest.TestCase):
    """A test case in a new folder, with data.h5 and one INI file per network."""

    maxDiff = None
    samples = {"train": 140, "test": 50, "classes": 4, "size": "16x16", "seed": 3}

    @classmethod
    def setUpClass(cls):
        cls._home = os.getcwd()
        cls._base = tempfile.mkdtemp(prefix="convoy-integration-")
        os.chdir(cls._base)
        made = convoy("synth", "--out", "data.h5", *options(cls.samples))
        if made.status != 0:
            raise AssertionError(f"synth failed: {made}")
        for name, lines in NETWORKS.items():
            with open(name + ".ini", "w", encoding="utf-8") as file:
                file.write(without_indentation(SETTINGS + lines))

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls._home)
        shutil.rmtree(cls._base, ignore_errors=True)

    def setUp(self):
        """Each test has its own folder next to the shared files."""
        self.folder = os.path.join(self._base, self._testMethodName)
        os.mkdir(self.folder)
        for name in os.listdir(self._base):
            if name.endswith((".ini", ".h5")):
                os.link(os.path.join(self._base, name), os.path.join(self.folder, name))
        os.chdir(self.folder)

    def tearDown(self):
        os.chdir(self._base)
        shutil.rmtree(self.folder, ignore_errors=True)

    def train(self, network, settings=None, resume=None, status=0, words=(), **how):
        """Runs `train` with <network>.ini and expects `status`."""
        resumption = [] if resume is None else ["--resume", resume]
        outcome = convoy("train", "--config", network + ".ini", *options(settings or {}), *resumption, *words, **how)
        self.assertEqual(outcome.status, status, outcome)
        return outcome

    def inspect(self, path):
        outcome = convoy("inspect", path)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome.output

    def hash_of(self, run_dir):
        """Hash of /model and /optimizer in the newest checkpoint."""
        found = re.search(r"hash of /model and /optimizer: ([0-9a-f]{32})\n", self.inspect(checkpoints(run_dir)[-1]))
        self.assertIsNotNone(found, "inspect printed no hash")
        return found.group(1)

    def result_of(self, run_dir):
        """The trained bits and all metrics, which must not differ."""
        return self.hash_of(run_dir), trajectory(run_dir)

    def assert_same_result(self, run_dir, expected):
        got_hash, got_lines = self.result_of(run_dir)
        self.assertEqual(got_lines, expected[1], run_dir)
        self.assertEqual(got_hash, expected[0], run_dir)

    def assert_message(self, outcome, status, pattern):
        """The run ended with `status` and exactly one message, which matches."""
        self.assertEqual(outcome.status, status, outcome)
        self.assertEqual(len(outcome.messages()), 1, outcome)
        self.assertRegex(outcome.messages()[0], pattern)


def mnist_file(folder):
    """The real MNIST as a data set in `folder`; SkipTest if its files are missing."""
    source = os.path.join(DATA, "mnist")
    if not any(os.path.exists(os.path.join(source, "train-images-idx3-ubyte" + end)) for end in ("", ".gz")):
        raise unittest.SkipTest(f"no MNIST files in {source} (CONVOY_DATA names their parent folder)")
    path = os.path.join(folder, "mnist.h5")
    made = convoy("import", "mnist", source, "--out", path)
    if made.status != 0:
        raise AssertionError(f"import failed: {made}")
    return path


def main():
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if result.wasSuccessful() and result.testsRun > 0 and len(result.skipped) == result.testsRun:
        print("skipped: " + "; ".join(sorted({reason for _, reason in result.skipped})))
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
