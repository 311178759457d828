"""Common code of the Python cluster and Slurm tests: entering a lab, and reading the files of a run."""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
LAB = os.path.join(HERE, "lab")
CONVOY = os.environ.get("CONVOY", os.path.join(REPOSITORY, "build/release/bin/convoy"))
SKIPPED = 77


def require_lab(script, hosts, slurm=False):
    """Outside a lab: starts the script again in a lab, or exits with 77 and the reason if no lab can run."""
    os.environ["CONVOY"] = CONVOY
    if "LAB" in os.environ:
        os.chdir(os.path.join(os.environ["LAB"], "out"))
        return
    check = subprocess.run([LAB, "check", *(["slurm"] if slurm else [])], check=False)
    if check.returncode != 0:
        sys.exit(check.returncode)
    os.execv(LAB, [LAB, "run", str(hosts), os.path.realpath(script)])


def run(words, seconds=120, **how):
    return subprocess.run([str(word) for word in words], timeout=seconds, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **how)


def on(host, *words):
    return run([LAB, "exec", host, *words]).stdout


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def checkpoints(folder):
    """Names of the checkpoints, oldest first."""
    try:
        return sorted(name for name in os.listdir(f"{folder}/checkpoints") if re.fullmatch(r"step-\d{8}\.h5", name))
    except OSError:
        return []


def result_of(folder):
    """The name of the newest checkpoint and the hash of its tensors."""
    newest = checkpoints(folder)[-1]
    text = run([CONVOY, "inspect", f"{folder}/checkpoints/{newest}"]).stdout
    return newest, re.search(r"hash of /model and /optimizer: ([0-9a-f]{32})", text).group(1)


def metrics(folder):
    """The complete lines of metrics.jsonl."""
    return [json.loads(line) for line in read(f"{folder}/metrics.jsonl").splitlines(True) if line.endswith("}\n")]
