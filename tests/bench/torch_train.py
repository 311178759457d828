#!/usr/bin/python3
"""PyTorch's side of versus_pytorch: trains the network of a Convoy configuration and prints images a second as JSON.

A step is forward, backward and SGD with momentum on one batch that stays in memory: nothing is read, nothing evaluated.
The network is built from the `layer` lines themselves, so that both sides train the same one.
"""

import argparse
import json
import re
import statistics
import time
import warnings

import torch
from torch import nn

WARM_UP_STEPS = 3

warnings.filterwarnings("ignore", message="Lazy modules")


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Gate(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        factors = self.body(x)
        return x * factors.reshape(*factors.shape[:2], *([1, 1] if factors.dim() == 2 else factors.shape[2:]))


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


class LazyGroupNorm(nn.Module):
    """GroupNorm that finds out its channels at the first call; groups 0: one for each channel."""
    def __init__(self, groups, eps, affine):
        super().__init__()
        self.arguments = (groups, eps, affine)
        self.norm = None

    def forward(self, x):
        if self.norm is None:
            groups, eps, affine = self.arguments
            self.norm = nn.GroupNorm(groups or x.shape[1], x.shape[1], eps=eps, affine=affine)
        return self.norm(x)


class UnscaledBatchNorm(nn.Module):
    """BatchNorm2d whose weight stays 1; finds out its channels at the first call."""
    def __init__(self, eps):
        super().__init__()
        self.eps = eps
        self.norm = None

    def forward(self, x):
        if self.norm is None:
            self.norm = nn.BatchNorm2d(x.shape[1], eps=self.eps)
            self.norm.weight.requires_grad_(False)
        return self.norm(x)


class Branches(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, x):
        return torch.cat([self.first(x), self.second(x)], 1)


def pair(text):
    """(3, 3) of "3", (3, 5) of "3x5"."""
    numbers = [int(number) for number in text.split("x")]
    return numbers[0], numbers[-1]


def make_layer(keyword, words, options, is_first):
    """The module of one line; `words` stand between the keyword and the key=value `options`."""
    bias = options.get("bias", "yes") == "yes"
    stride = pair(options["stride"]) if "stride" in options else None
    pad = pair(options.get("pad", "0"))
    makers = {
        "conv": lambda: nn.LazyConv2d(int(words[0]), pair(words[1]), stride=stride or 1, padding=pad,
                                      dilation=pair(options.get("dilation", "1")),
                                      groups=int(options.get("groups", 1)), bias=bias),
        "dense": lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(int(words[0]), bias=bias)),
        "batchnorm": lambda: (nn.LazyBatchNorm2d if options.get("scale", "yes") == "yes" else UnscaledBatchNorm)(
            eps=float(options.get("eps", 1e-5))),
        "maxpool": lambda: nn.MaxPool2d(pair(words[0]), stride=stride, padding=pad),
        "avgpool": lambda: nn.AvgPool2d(pair(words[0]), stride=stride, padding=pad),
        "globalavgpool": lambda: nn.AdaptiveAvgPool2d(1),
        # In place is faster; a block's input is also its shortcut's, which must not change.
        "relu": lambda: nn.ReLU(inplace=not is_first),
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "leakyrelu": lambda: nn.LeakyReLU(float(options.get("slope", 0.01))),
        "relu6": nn.ReLU6,
        "elu": lambda: nn.ELU(float(options.get("alpha", 1))),
        "hardsigmoid": nn.Hardsigmoid,
        "gelu": nn.GELU,
        "swish": nn.SiLU,
        "hardswish": nn.Hardswish,
        "groupnorm": lambda: LazyGroupNorm(int(words[0]), float(options.get("eps", 1e-5)), options.get("affine", "yes") == "yes"),
        "layernorm": lambda: LazyGroupNorm(1, float(options.get("eps", 1e-5)), options.get("affine", "yes") == "yes"),
        "instancenorm": lambda: LazyGroupNorm(0, float(options.get("eps", 1e-5)), options.get("affine", "no") == "yes"),
        "adaptiveavgpool": lambda: nn.AdaptiveAvgPool2d(pair(words[0])),
        "scale": lambda: Scale(float(words[0])),
        "upsample": lambda: nn.Upsample(scale_factor=pair(words[0])),
        "dropout": lambda: nn.Dropout(float(words[0])),
        "flatten": nn.Flatten,
    }
    if keyword not in makers:
        raise SystemExit(f"torch_train.py: unknown layer '{keyword}' (known are residual, branches, {', '.join(makers)})")
    return makers[keyword]()


def make_layers(lines):
    """Takes lines from the iterator up to a closing brace or its end: (module, the line with the brace)."""
    layers = []
    for line in lines:
        if line.startswith("}"):
            return nn.Sequential(*layers), line
        keyword, *rest = line.split()
        if keyword == "residual":
            body, end = make_layers(lines)
            shortcut = make_layers(lines)[0] if "shortcut" in end else nn.Identity()
            layers.append(Residual(body, shortcut))
        elif keyword == "gate":
            layers.append(Gate(make_layers(lines)[0]))
        elif keyword == "branches":
            first, _ = make_layers(lines)
            layers.append(Branches(first, make_layers(lines)[0]))
        else:
            words = [word for word in rest if "=" not in word]
            options = dict(word.split("=", 1) for word in rest if "=" in word)
            layers.append(make_layer(keyword, words, options, is_first=not layers))
    return nn.Sequential(*layers), ""


def make_network(config, shape):
    """The network of the INI file `config` (-: standard input) for images of `shape` (C, H, W)."""
    with open(0 if config == "-" else config, encoding="utf-8") as file:
        text = re.sub("#.*", "", file.read())
    loss = re.search(r"^\s*loss\s*=\s*(\S+)", text, re.MULTILINE)
    if loss is None or loss.group(1) != "softmax-cross-entropy":
        raise SystemExit(f"torch_train.py: another loss in {config} (only softmax-cross-entropy is compared)")
    lines = re.findall(r"^\s*layer\s*=\s*(.+?)\s*$", text, re.MULTILINE)
    network, _ = make_layers(iter(lines))
    with torch.no_grad():
        network(torch.zeros(2, *shape))  # lazy layers find out their inputs
    return network


def network_size(network, shape):
    """(parameters, multiplications a sample forward), as `convoy train --dry-run` counts them."""
    products = []

    def of_convolution(layer, inputs, _):
        """Taps that fall on the image: what a window of ones sums over an image of ones within zeros."""
        image, window = torch.ones(1, 1, *inputs[0].shape[2:]), torch.ones(1, 1, *layer.kernel_size)
        taps = nn.functional.conv2d(image, window, stride=layer.stride, padding=layer.padding,
                                    dilation=layer.dilation).sum()
        products.append(int(taps) * layer.in_channels // layer.groups * layer.out_channels)

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(of_convolution)
        elif isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda it, *_: products.append(it.weight.numel()))
    with torch.no_grad():
        network.eval()(torch.zeros(1, *shape))
    return sum(parameter.numel() for parameter in network.parameters()), sum(products)


def step_seconds(network, shape, batch, seconds, bf16, channels_last):
    """How long each step took, for `seconds` and one step at least."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = network.train().to(memory_format=layout)
    images = torch.randn(batch, *shape).to(memory_format=layout)
    labels = torch.randint(0, 10, (batch,))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            outputs = network(images)
        nn.functional.cross_entropy(outputs.float(), labels).backward()
        optimizer.step()

    for _ in range(WARM_UP_STEPS):
        step()
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, metavar="FILE", help="INI file with the network's layer lines")
    parser.add_argument("--input", required=True, metavar="CxHxW", help="an image's channels, height and width")
    parser.add_argument("--batch", required=True, type=int, metavar="N")
    parser.add_argument("--threads", required=True, type=int, metavar="N")
    parser.add_argument("--seconds", required=True, type=float, metavar="S", help="how long to take times")
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--channels-last", action="store_true", help="memory layout NHWC instead of NCHW")
    options = parser.parse_args()

    torch.set_flush_denormal(True)  # as Convoy does
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    shape = [int(extent) for extent in options.input.split("x")]
    network = make_network(options.config, shape)
    times = step_seconds(network, shape, options.batch, options.seconds, options.bf16, options.channels_last)
    onednn = re.search(r"(?:MKL-DNN|oneDNN) v([\d.]+)", torch.__config__.show())
    print(json.dumps({
        "images_per_second": options.batch / statistics.median(times),
        "steps": len(times),
        "version": f"PyTorch {torch.__version__}, oneDNN {onednn.group(1) if onednn else 'unknown'}",
    }))


if __name__ == "__main__":
    main()
