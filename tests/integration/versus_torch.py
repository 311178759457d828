"""Comparison with PyTorch in double precision: the same losses from the same initial weights, and checkpoints that
PyTorch reads.

PyTorch computes in float64 and Convoy in float32, so results differ by rounding, within TOLERANCE. To emulate the
micro-batch statistics of batch normalisation, each micro-batch runs separately.
"""

import os
import shutil
import subprocess
import sys
import unittest

try:
    import h5py
    import numpy
    import torch
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-torch python3-h5py)")
    raise SystemExit(77) from None

import runs

sys.path.insert(1, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../bench"))
from torch_train import Branches, Residual, make_layers

STEPS = 20
TOLERANCE = 1e-4       # relative, in the loss of each step
EVAL_TOLERANCE = 1e-5  # in the loss of `convoy eval`


def lenet():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
                         nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 24), nn.Tanh(), nn.Linear(24, 4))


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(256, 12), nn.Sigmoid(), nn.Linear(12, 4), nn.Sigmoid())


def strided():
    return nn.Sequential(nn.Conv2d(1, 5, (4, 3), stride=(2, 3), padding=(2, 1)), nn.ReLU(),
                         nn.MaxPool2d(3, stride=2, padding=1), nn.Flatten(), nn.Linear(75, 4))


def blocks():
    first = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
    second = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1, stride=2, bias=False), nn.BatchNorm2d(8))
    shortcut = nn.Sequential(nn.Conv2d(6, 8, 1, stride=2, bias=False), nn.BatchNorm2d(8))
    return nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
                         Residual(first, nn.Identity()), nn.ReLU(), Residual(second, shortcut), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


def mobile():
    lines = (line.split("=", 1)[1].strip() for line in runs.NETWORKS["mobile"].splitlines() if " layer = " in line)
    network, _ = make_layers(lines)
    network(torch.zeros(2, 1, 16, 16))  # lazy layers find out their inputs
    return network


def branches():
    below = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2))
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), Branches(nn.Identity(), below),
                         nn.Conv2d(10, 5, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))


LAYERS = {
    "perceptron": """
        layer = dense 12
        layer = sigmoid
        layer = dense 4
        layer = sigmoid
        loss = quadratic""",
    "strided": """
        layer = conv 5 4x3 stride=2x3 pad=2x1
        layer = relu
        layer = maxpool 3x3 stride=2 pad=1
        layer = dense 4
        loss = sigmoid-cross-entropy""",
    # runs.NETWORKS["blocks"] without dropout, since PyTorch cannot generate the same masks.
    "mobile": runs.NETWORKS["mobile"],
    "plain_blocks": runs.NETWORKS["blocks"].replace("        layer = dropout 0.2\n", ""),
}


def load_weights(model, path):
    """Copies Convoy's tensors into PyTorch's modules; both are in the order of the configuration."""
    counts = {"conv": 0, "dense": 0, "batchnorm": 0, "groupnorm": 0, "layernorm": 0}
    keyword = {nn.Conv2d: "conv", nn.Linear: "dense", nn.BatchNorm2d: "batchnorm", nn.GroupNorm: "groupnorm"}
    with h5py.File(path, "r") as file:
        for module in model.modules():
            kind = keyword.get(type(module))
            if kind is None:
                continue
            if kind == "groupnorm" and module.num_groups == 1:
                kind = "layernorm"
            counts[kind] += 1
            group = file[f"model/{kind}{counts[kind]}"]
            names = ["weight", "bias", "running_mean", "running_var"]
            with torch.no_grad():
                for name in names:
                    if getattr(module, name, None) is not None and name in group:  # the weight of scale=no is 1
                        getattr(module, name).copy_(torch.from_numpy(group[name][...]))
        layers = len(file["model"])
    assert layers == sum(counts.values()), "a layer of the checkpoint has no module"


def load_images(path, split, checkpoint):
    with h5py.File(path, "r") as data, h5py.File(checkpoint, "r") as header:
        pixels = data[f"{split}/images"][...].astype(numpy.float64) * header["input/scale"][()]
        mean, std = header["input/mean"][...], header["input/std"][...]
        pixels = (pixels - mean[None, :, None, None]) / std[None, :, None, None]
        return torch.from_numpy(pixels), torch.from_numpy(data[f"{split}/labels"][...])


def focal(terms, gamma):
    """Lin et al. 2017: terms = -ln p of the truth."""
    return ((1 - torch.exp(-terms)) ** gamma * terms).sum(1)


def losses_of_samples(kind, outputs, labels, settings):
    one_hot = nn.functional.one_hot(labels, outputs.shape[1]).double()
    gamma = settings.get("network.focal-gamma", 0)
    if kind == "quadratic":
        return 0.5 * ((outputs - one_hot) ** 2).sum(1)
    if kind == "absolute":
        return nn.L1Loss(reduction="none")(outputs, one_hot).sum(1)
    if kind == "huber":
        return nn.HuberLoss(reduction="none", delta=settings["network.huber-delta"])(outputs, one_hot).sum(1)
    if kind == "sigmoid-cross-entropy":
        return focal(nn.functional.binary_cross_entropy_with_logits(outputs, one_hot, reduction="none"), gamma)
    terms = nn.functional.cross_entropy(outputs, labels, reduction="none",
                                        label_smoothing=settings.get("network.label-smoothing", 0))
    return focal(terms[:, None], gamma)


def sum_of_losses(kind, outputs, labels, settings):
    weights = settings.get("network.class-weights", "1 1 1 1")
    if weights == "balanced":
        counts = torch.bincount(settings["labels"], minlength=outputs.shape[1]).double()
        weights = len(settings["labels"]) / (outputs.shape[1] * counts)
    else:
        weights = torch.tensor([float(word) for word in weights.split()]).double()
    return (weights[labels] * losses_of_samples(kind, outputs, labels, settings)).sum()


def torch_optimizer(groups, settings):
    kind = settings.get("optimizer.name", "sgd")
    rate, momentum = settings.get("schedule.lr", 0.05), settings.get("optimizer.momentum", 0.9)
    if kind == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=settings.get("optimizer.nesterov") == "yes")
    epsilon = settings.get("optimizer.epsilon", 1e-8)
    if kind == "rmsprop":
        return torch.optim.RMSprop(groups, lr=rate, momentum=momentum, eps=epsilon, alpha=settings.get("optimizer.alpha", 0.99),
                                   centered=settings.get("optimizer.centered") == "yes")
    betas = (settings.get("optimizer.beta1", 0.9), settings.get("optimizer.beta2", 0.999))
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind](groups, lr=rate, betas=betas, eps=epsilon)


def torch_losses(model, kind, images, labels, settings):
    """STEPS steps of SGD in file order, batch and micro-batch as in runs.SETTINGS."""
    decaying = [m.weight for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    others = [p for p in model.parameters() if all(p is not q for q in decaying)]
    groups = [{"params": decaying, "weight_decay": settings.get("optimizer.weight-decay", 0)},
              {"params": others, "weight_decay": 0}]
    optimizer = torch_optimizer(groups, settings)
    batch, micro_batch, losses, clipped = 30, 4, [], 0
    settings = dict(settings, labels=labels)
    starts = list(range(0, len(labels), batch))
    for step in range(STEPS):
        first = starts[step % len(starts)]
        last = min(first + batch, len(labels))
        optimizer.zero_grad()
        total = 0.0
        for begin in range(first, last, micro_batch):
            part = slice(begin, min(begin + micro_batch, last))
            loss = sum_of_losses(kind, model(images[part]), labels[part], settings) / (last - first)
            loss.backward()
            total += loss.item()
        if "optimizer.clip-norm" in settings:
            norm = nn.utils.clip_grad_norm_(model.parameters(), settings["optimizer.clip-norm"])
            clipped += norm > settings["optimizer.clip-norm"]
        if "optimizer.clip-value" in settings:
            nn.utils.clip_grad_value_(model.parameters(), settings["optimizer.clip-value"])
        optimizer.step()
        losses.append(total)
    assert "optimizer.clip-norm" not in settings or 0 < clipped, "no gradient was clipped"
    return losses


class VersusTorch(runs.Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, lines in LAYERS.items():
            with open(name + ".ini", "w", encoding="utf-8") as file:
                file.write(runs.without_indentation(runs.SETTINGS + lines))

    def compare(self, network, model, kind, **changes):
        settings = {key.replace("_", ".", 1).replace("_", "-"): value for key, value in changes.items()}
        run = dict(settings, **{"data.shuffle": "no", "train.max-steps": STEPS, "train.epochs": 4,
                                "checkpoint.at-start": "yes", "checkpoint.keep": 9})
        shutil.rmtree("run", ignore_errors=True)
        self.train(network, run)
        start = runs.checkpoints("run")[0]
        model = model().double()
        load_weights(model, start)
        model.train()
        images, labels = load_images(settings.get("data.file", "data.h5"), "train", start)
        theirs = torch_losses(model, kind, images, labels, settings)
        ours = [line["loss"] for line in runs.metrics("run") if line["event"] == "step"]
        self.assertEqual(len(ours), STEPS)
        for step, (a, b) in enumerate(zip(ours, theirs), 1):
            self.assertLess(abs(a - b) / abs(b), TOLERANCE, f"{network}, step {step}: {a} against PyTorch's {b}")
        self.assertLess(min(theirs), 0.97 * theirs[0], "nothing was learned, so nothing was compared")

    def test_lenet_with_momentum(self):
        self.compare("lenet", lenet, "softmax-cross-entropy")

    def test_lenet_with_nesterov_and_weight_decay(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", optimizer_nesterov="yes", optimizer_weight_decay=0.01)

    # A large epsilon: where a gradient is near 0, its sign decides the direction of these optimizers, and rounding the sign.
    def test_adam(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", optimizer_name="adam", optimizer_momentum=0,
                     optimizer_weight_decay=0.01, optimizer_epsilon=1e-4, schedule_lr=0.003)

    def test_adamw_with_other_moments(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", optimizer_name="adamw", optimizer_momentum=0,
                     optimizer_weight_decay=0.1, optimizer_epsilon=1e-4, optimizer_beta1=0.8, optimizer_beta2=0.99,
                     schedule_lr=0.003)

    def test_rmsprop(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", optimizer_name="rmsprop", optimizer_momentum=0.5,
                     optimizer_weight_decay=0.01, optimizer_epsilon=1e-3, schedule_lr=0.0005)

    def test_centered_rmsprop_without_momentum(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", optimizer_name="rmsprop", optimizer_momentum=0,
                     optimizer_centered="yes", optimizer_alpha=0.9, optimizer_epsilon=1e-3, schedule_lr=0.001)

    def test_clipping_by_norm(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", optimizer_clip_norm=0.4)

    def test_clipping_by_norm_and_value(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", optimizer_clip_norm=0.4, optimizer_clip_value=0.03)

    def test_perceptron_without_momentum(self):
        self.compare("perceptron", perceptron, "quadratic", optimizer_momentum=0.0, schedule_lr=3.0)

    def test_strides_padding_and_even_kernels(self):
        # At 0.05 this network amplifies rounding a hundredfold within 20 steps.
        self.compare("strided", strided, "sigmoid-cross-entropy", schedule_lr=0.01)

    def test_batchnorm_and_residual_blocks(self):
        self.compare("plain_blocks", blocks, "softmax-cross-entropy", optimizer_weight_decay=0.001)

    def test_depthwise_grouped_and_dilated_convolutions_norms_gates_and_activations(self):
        self.compare("mobile", mobile, "softmax-cross-entropy", optimizer_weight_decay=0.001, schedule_lr=0.4)

    def test_branches_and_upsampling(self):
        self.compare("branches", branches, "softmax-cross-entropy")

    def compare_loss(self, network, model, kind, **changes):
        self.compare(network, model, kind, network_loss=kind, **changes)

    def test_absolute_and_huber_losses(self):
        self.compare_loss("perceptron", perceptron, "absolute", schedule_lr=0.1)
        self.compare_loss("perceptron", perceptron, "huber", network_huber_delta=0.4, schedule_lr=0.3)

    def test_label_smoothing(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", network_label_smoothing=0.1)

    def test_focal_losses(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", network_focal_gamma=2.0)
        self.compare_loss("lenet", lenet, "sigmoid-cross-entropy", network_focal_gamma=0.5)

    def test_class_weights(self):
        self.compare("lenet", lenet, "softmax-cross-entropy", network_class_weights="1 0.25 3 0.5")
        with h5py.File("data.h5", "r") as file:  # the classes have 35, 78, 17 and 8 samples
            labels = file["train/labels"][...]
            order = numpy.concatenate([numpy.flatnonzero(labels == k)[:35 - 9 * k] for k in range(4)])
            order = numpy.concatenate([order, order[35:61], order[35:61]])
            images, labels = file["train/images"][...][order], labels[order]
        with h5py.File("uneven.h5", "w") as file:
            file["train/images"], file["train/labels"] = images, labels
        self.compare("lenet", lenet, "softmax-cross-entropy", network_class_weights="balanced", data_file="uneven.h5",
                     data_images="/train/images", data_labels="/train/labels")

    def compare_rates(self, scheduler, settings, epochs=4):
        """`scheduler` makes PyTorch's from an optimizer with lr = 0.5 and the steps in all and an epoch."""
        run = {"schedule.warmup-epochs": 0, "schedule.lr": 0.5, "train.epochs": epochs, **settings}
        shutil.rmtree("run", ignore_errors=True)
        self.train("perceptron", run)
        ours = [line["lr"] for line in runs.metrics("run") if line["event"] == "step"]
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)
        their = scheduler(optimizer, len(ours), len(ours) // epochs)
        for step, rate in enumerate(ours):
            self.assertAlmostEqual(rate, optimizer.param_groups[0]["lr"], delta=1e-12, msg=f"{settings}, step {step}")
            optimizer.step()
            their.step()
        self.assertGreater(len(set(ours)), 2, "the rate never changed, so nothing was compared")

    def test_rates_are_those_of_the_schedulers(self):
        schedulers = torch.optim.lr_scheduler
        self.compare_rates(lambda o, total, epoch: schedulers.MultiStepLR(o, [epoch, 3 * epoch], 0.3),
                           {"schedule.name": "step", "schedule.step-epochs": "1 3", "schedule.step-factor": 0.3})
        self.compare_rates(lambda o, total, epoch: schedulers.StepLR(o, 7, 0.5),
                           {"schedule.name": "step", "schedule.unit": "steps", "schedule.step-every": 7,
                            "schedule.step-factor": 0.5})
        self.compare_rates(lambda o, total, epoch: schedulers.CosineAnnealingLR(o, total, 0.01),
                           {"schedule.name": "cosine", "schedule.final-lr": 0.01})
        self.compare_rates(lambda o, total, epoch: schedulers.CosineAnnealingWarmRestarts(o, 4, 2, 0.01),
                           {"schedule.name": "cosine", "schedule.final-lr": 0.01, "schedule.unit": "steps",
                            "schedule.restart-epochs": 4, "schedule.restart-factor": 2})
        self.compare_rates(lambda o, total, epoch: schedulers.LinearLR(o, 1, 0.1, total),
                           {"schedule.name": "linear", "schedule.final-lr": 0.05})
        for curve, theirs in (("cosine", "cos"), ("linear", "linear")):
            self.compare_rates(lambda o, total, epoch, anneal=theirs: schedulers.OneCycleLR(
                o, 0.5, total, pct_start=0.25, anneal_strategy=anneal, cycle_momentum=False, div_factor=10,
                final_div_factor=100), {"schedule.name": "one-cycle", "schedule.peak": 0.25, "schedule.start-factor": 0.1,
                                        "schedule.end-factor": 0.001, "schedule.anneal": curve})
        if hasattr(schedulers, "PolynomialLR"):
            self.compare_rates(lambda o, total, epoch: schedulers.PolynomialLR(o, total, 1.5),
                               {"schedule.name": "polynomial", "schedule.power": 1.5})

    def test_plateau_reduces_the_rate_when_the_scheduler_does(self):
        for metric, mode in (("loss", "min"), ("accuracy", "max")):
            shutil.rmtree("run", ignore_errors=True)
            self.train("perceptron", {"schedule.name": "plateau", "schedule.metric": metric, "schedule.patience": 1,
                                      "schedule.threshold": 0.02, "schedule.step-factor": 0.5, "schedule.lr": 2,
                                      "schedule.final-lr": 0.1, "train.epochs": 25})
            optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2)
            their = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode, 0.5, 1, 0.02, min_lr=0.1)
            rates = set()
            for line in runs.metrics("run"):
                if line["event"] == "step":
                    self.assertEqual(line["lr"], optimizer.param_groups[0]["lr"], f"{metric}, step {line['step']}")
                    rates.add(line["lr"])
                elif line["event"] == "epoch":
                    their.step(line["test_" + metric])
            self.assertGreater(len(rates), 2, "the rate was hardly reduced, so nothing was compared")

    def test_a_trained_batchnorm_network_evaluates_alike(self):
        self.train("plain_blocks")
        path = runs.checkpoints("run")[-1]
        model = blocks().double()
        load_weights(model, path)
        model.eval()
        images, labels = load_images("data.h5", "test", path)
        with torch.no_grad():
            outputs = model(images)
        theirs = sum_of_losses("softmax-cross-entropy", outputs, labels, {}).item() / len(labels)
        outcome = runs.convoy("eval", "--checkpoint", path, "--data", "data.h5")
        self.assertEqual(outcome.status, 0, outcome)
        ours = float(outcome.output.split("\nloss ")[1].split("\n")[0])
        self.assertLess(abs(ours - theirs), EVAL_TOLERANCE)

    def test_h5py_and_h5dump_read_everything(self):
        self.train("blocks")
        for path in ["data.h5", runs.checkpoints("run")[-1]]:
            with h5py.File(path, "r") as file:
                self.assertIn(file.attrs["format"], ("convoy-dataset", "convoy-checkpoint"))
                seen = []
                file.visititems(lambda name, item: seen.append((name, item[()])) if isinstance(item, h5py.Dataset) else None)
                self.assertGreater(len(seen), 3)
            if shutil.which("h5dump") is None:
                self.skipTest("no h5dump (Debian: hdf5-tools)")
            dump = subprocess.run(["h5dump", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual((dump.returncode, dump.stderr), (0, ""), path)
            self.assertGreater(dump.stdout.count("DATASET"), 3)


if __name__ == "__main__":
    torch.set_num_threads(1)
    runs.main()
