#!/usr/bin/env python3
"""Networks leave for other tools and come back: every configuration of configs/, trained for an epoch, gives the same
outputs in ONNX Runtime, OpenCV and PyTorch as `convoy predict`; weights come back to the bit."""

import glob
import json
import os
import shutil
import subprocess
import unittest

try:
    import h5py
    import numpy
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-h5py python3-numpy)")
    raise SystemExit(77) from None

import runs

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGS = os.path.join(HERE, "../../configs")
IMAGES = 200
TOLERANCE = 1e-5  # relative to the largest output
RUNTIME = "onnxruntime-node@1.20.1"


def imported(name):
    try:
        return __import__(name)
    except ImportError:
        print(f"not compared with {name}: it is not installed")
        return None


onnx, cv2, torch = imported("onnx"), imported("cv2"), imported("torch")
if torch:
    # The oneDNN of Debian 13's PyTorch 2.6.0 computes convolutions of 20 channels wrongly on some processors: its float32
    # differs from its own float64 by 0.6, and by NaN.
    torch.backends.mkldnn.enabled = False


def onnx_runtime():
    """The folder of ONNX Runtime for node, downloaded once; None if that is not possible here."""
    folder = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "convoy/npm")
    modules = os.path.join(folder, "node_modules")
    if shutil.which("node") and not os.path.isdir(os.path.join(modules, "onnxruntime-node")) and shutil.which("npm"):
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder, RUNTIME],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    if shutil.which("node") and os.path.isdir(os.path.join(modules, "onnxruntime-node")):
        return modules
    print("not compared with ONNX Runtime: node and npm, or the network to download it, are not here")
    return None


NODE_MODULES = onnx_runtime()


def shape_of(config):
    """Shape of the images and number of classes of a shipped configuration."""
    text = runs.read(config).decode()
    return ((3, 32, 32) if "cifar" in text else (1, 28, 28)), 10


def make_images(path, shape, classes, samples=320):
    """Images with something to learn: a bright stripe whose place is the class."""
    generator = numpy.random.default_rng(3)
    labels = generator.integers(0, classes, samples)
    images = generator.integers(0, 120, (samples, *shape))
    for image, label in zip(images, labels):
        at = label * shape[1] // classes
        image[:, at:at + 3, :] += 120
    with h5py.File(path, "w") as file:
        file["x"] = images.astype("uint8")
        file["y"] = labels
    return images.astype("float32")


class Exchange(runs.Folder):
    def run_ok(self, *words):
        outcome = runs.convoy(*words)
        self.assertEqual(outcome.status, 0, outcome)
        return outcome

    def predictions(self, checkpoint):
        lines = self.run_ok("predict", "--checkpoint", checkpoint, f"images.h5:/x[0:{IMAGES}]", "--json").output.splitlines()
        return numpy.array([json.loads(line)["outputs"] for line in lines], dtype="float64")

    def assert_close(self, what, found, expected):
        difference = numpy.abs(numpy.asarray(found, dtype="float64").reshape(expected.shape) - expected).max()
        self.assertLessEqual(difference, TOLERANCE * max(1, numpy.abs(expected).max()), what)

    def train(self, config, *words):
        self.run_ok("train", "--config", config, "--data.file", "images.h5", "--data.images", "/x", "--data.labels", "/y",
                    "--run.dir", "run", "--train.batch", 32, "--train.micro-batch", 16, "--train.epochs", 1,
                    "--schedule.name", "constant", "--schedule.lr", 0.01, "--schedule.warmup-epochs", 0, "--run.threads", 2,
                    *words)
        return runs.checkpoints("run")[-1]

    def in_onnx_runtime(self, model, images):
        images.tofile("images.bin")
        subprocess.run(["node", os.path.join(HERE, "../tools/onnx_runtime.mjs"), model, "images.bin", "outputs.bin",
                        *map(str, images.shape)], env=dict(os.environ, NODE_PATH=NODE_MODULES), check=True, timeout=120)
        return numpy.fromfile("outputs.bin", dtype="float32")

    def in_torch(self, images, folded):
        with open("module.py", encoding="utf-8") as file:
            namespace = {"__name__": "module"}
            exec(compile(file.read(), "module.py", "exec"), namespace)  # what a user imports
        network = namespace["Network"]()
        network.load_state_dict({name: torch.from_numpy(values) for name, values in read_safetensors("net.safetensors").items()})
        network.eval()
        self.assertEqual(any("running_mean" in name for name in network.state_dict()), not folded and self.has_batchnorm)
        with torch.no_grad():
            return network(torch.from_numpy(images)).numpy()

    def check_tools(self, checkpoint, images, expected, folded):
        fold = ["--fold-batchnorm"] if folded else []
        self.run_ok("export", "--checkpoint", checkpoint, "--onnx", "net.onnx", "--safetensors", "net.safetensors", "--torch",
                    "module.py", *fold)
        if onnx:
            model = onnx.load("net.onnx")
            onnx.checker.check_model(model, full_check=True)
            kinds = {node.op_type for node in model.graph.node}
            self.assertEqual("BatchNormalization" in kinds, self.has_batchnorm and not folded)
            self.assertEqual(model.opset_import[0].version, 13)
        if NODE_MODULES:
            self.assert_close("ONNX Runtime", self.in_onnx_runtime("net.onnx", images), expected)
        if cv2:
            network = cv2.dnn.readNetFromONNX("net.onnx")
            network.setInput(images)
            self.assert_close("OpenCV", network.forward(), expected)
        if torch:
            self.assert_close("PyTorch", self.in_torch(images, folded), expected)

    def test_every_shipped_configuration_agrees_with_other_tools(self):
        for config in sorted(glob.glob(os.path.join(CONFIGS, "*.ini"))):
            with self.subTest(config=os.path.basename(config)):
                shutil.rmtree("run", ignore_errors=True)
                shape, classes = shape_of(config)
                images = make_images("images.h5", shape, classes)[:IMAGES]
                checkpoint = self.train(config)
                self.has_batchnorm = b"batchnorm" in runs.read(config)
                expected = self.predictions(checkpoint)
                self.assertGreater(numpy.ptp(expected, axis=0).max(), 0.01)  # it does look at the images
                for folded in (False, True):
                    self.check_tools(checkpoint, images, expected, folded)

    def test_every_layer_agrees_with_other_tools(self):
        """Windows that are not square, padding in averages, a block with a shortcut, branches, batch normalisation of vectors,
        names that are none in Python, and softmax at the end."""
        layers = ["conv 5 3x2 stride=2x1 pad=1 name=in-1", "avgpool 3x2 stride=2x1 pad=1x0", "residual {", "conv 5 3x3 pad=1",
                  "batchnorm eps=0.01", "} shortcut {", "conv 5 1x1 bias=no name=lambda", "batchnorm", "}", "sigmoid",
                  "branches {", "conv 3 1x1", "} and {", "upsample 3x2", "maxpool 3x3 stride=3x2 pad=1", "}",
                  "maxpool 2x2 stride=1 pad=1", "conv 6 3x2 groups=2 dilation=1x2 pad=1", "gelu", "groupnorm 3", "gate {", "globalavgpool", "dense 6",
                  "sigmoid", "}", "conv 6 3x3 groups=6 pad=1", "batchnorm scale=no", "instancenorm", "scale 0.7", "leakyrelu slope=0.3", "relu6",
                  "elu alpha=0.5", "conv 6 1x1", "swish", "hardswish", "hardsigmoid", "dropout 0.3", "flatten", "dense 12 bias=no", "layernorm", "batchnorm", "tanh", "dropout 0.1",
                  "dense 10", "softmax"]
        with open("layers.ini", "w", encoding="utf-8") as file:
            file.write("[network]\nloss = quadratic\n" + "".join(f"layer = {line}\n" for line in layers))
            file.write("[optimizer]\nmomentum = 0.9\n")
        images = make_images("images.h5", (2, 9, 11), 10)[:IMAGES]
        checkpoint = self.train("layers.ini")
        self.has_batchnorm = True
        expected = self.predictions(checkpoint)
        self.run_ok("export", "--checkpoint", checkpoint, "--onnx", "net.onnx", "--safetensors", "net.safetensors", "--torch",
                    "module.py")
        if NODE_MODULES:
            self.assert_close("ONNX Runtime", self.in_onnx_runtime("net.onnx", images), expected)
        if torch:
            self.assert_close("PyTorch", self.in_torch(images, folded=False), expected)
        self.run_ok("export", "--checkpoint", checkpoint, "--onnx", "net.onnx", "--fold-batchnorm", "--without-normalization")
        if NODE_MODULES:
            with h5py.File(checkpoint) as file:
                scale = file["input/scale"][()]
                mean, std = (file[f"input/{name}"][:].reshape(1, -1, 1, 1) for name in ("mean", "std"))
            normalized = ((images.astype("float64") * scale - mean) / std).astype("float32")
            self.assert_close("normalized", self.in_onnx_runtime("net.onnx", normalized), expected)

    def test_weights_come_back_to_the_bit_from_every_format(self):
        make_images("images.h5", (3, 32, 32), 10)
        config = os.path.join(CONFIGS, "resnet20-cifar10.ini")
        trained = self.train(config)
        self.run_ok("export", "--checkpoint", trained, "--onnx", "net.onnx", "--safetensors", "net.safetensors")
        tensors = read_safetensors("net.safetensors")
        numpy.savez_compressed("net.npz", **{name: values for name, values in tensors.items()})
        os.rename("run", "trained")
        trained = trained.replace("run/", "trained/", 1)
        fresh = self.train(config, "--train.seed", 9, "--train.max-steps", 1)
        self.assertNotEqual(self.predictions(fresh).tolist(), self.predictions(trained).tolist())
        for file in ("net.onnx", "net.safetensors", "net.npz"):
            with self.subTest(file=file):
                outcome = self.run_ok("import-weights", file, "--checkpoint", fresh, "--out", "back.h5")
                self.assertRegex(outcome.output, r"conv1\.weight +16x3x3x3 +from conv1\.weight")
                self.assertEqual(self.predictions("back.h5").tolist(), self.predictions(trained).tolist())
        self.run_ok("eval", "--checkpoint", "back.h5", "--data", "images.h5", "--split", "train", "--images", "/x", "--labels", "/y")

    @unittest.skipUnless(torch, "python3-torch is not installed")
    def test_a_network_that_pytorch_trained_has_the_accuracy_that_pytorch_says(self):
        images = make_images("images.h5", (3, 32, 32), 10)
        with h5py.File("images.h5") as file:
            labels = torch.from_numpy(file["y"][:].astype("int64"))
        fresh = self.train(os.path.join(CONFIGS, "resnet20-cifar10.ini"), "--train.max-steps", 1)
        self.run_ok("export", "--checkpoint", fresh, "--torch", "module.py")
        namespace = {"__name__": "module"}
        exec(compile(runs.read("module.py"), "module.py", "exec"), namespace)
        torch.manual_seed(1)
        network = namespace["Network"]()
        optimizer = torch.optim.Adam(network.parameters(), 0.003)
        inputs = torch.from_numpy(images)
        for step in range(30):
            rows = slice(step % 10 * 32, step % 10 * 32 + 32)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(inputs[rows]), labels[rows]).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            accuracy = (network(inputs).argmax(1) == labels).float().mean().item()
        self.assertGreater(accuracy, 0.15)  # it learned something
        numpy.savez("torch.npz", **{name: values.numpy() for name, values in network.state_dict().items()})
        self.run_ok("import-weights", "torch.npz", "--checkpoint", fresh, "--out", "torch.h5")
        outcome = self.run_ok("eval", "--checkpoint", "torch.h5", "--data", "images.h5", "--split", "train", "--images", "/x",
                              "--labels", "/y", "--json")
        self.assertAlmostEqual(json.loads(outcome.output)["accuracy"], accuracy, places=5)

    def test_weights_under_other_names_and_wrong_ones(self):
        make_images("images.h5", (1, 28, 28), 10)
        trained = self.train(os.path.join(CONFIGS, "lenet5-mnist.ini"), "--train.max-steps", 1)
        self.run_ok("export", "--checkpoint", trained, "--safetensors", "net.safetensors")
        tensors = read_safetensors("net.safetensors")
        numpy.savez("prefixed.npz", **{"module." + name: values.astype("float64") for name, values in tensors.items()})
        self.run_ok("import-weights", "prefixed.npz", "--checkpoint", trained, "--out", "back.h5")
        self.assertEqual(values_of("back.h5"), values_of(trained))
        names = {name: f"layer{index}" for index, name in enumerate(tensors)}
        numpy.savez("renamed.npz", **{names[name]: values for name, values in tensors.items()}, extra=numpy.zeros(3))
        with open("names.txt", "w", encoding="utf-8") as file:
            file.write("# ours theirs\n" + "".join(f"{ours} {theirs}\n" for ours, theirs in names.items()))
        outcome = self.run_ok("import-weights", "renamed.npz", "--checkpoint", trained, "--out", "back.h5", "--names", "names.txt")
        self.assertIn("not used: extra", outcome.output)

        lacking = dict(tensors)
        lacking.pop("dense1.bias")
        numpy.savez("lacking.npz", **lacking)
        numpy.savez("wrong.npz", **{**tensors, "dense1.bias": numpy.zeros(7, "float32")})
        numpy.savez("nan.npz", **{**tensors, "dense1.bias": tensors["dense1.bias"] * numpy.nan})
        numpy.savez("strings.npz", **{**tensors, "dense1.bias": numpy.array(["a"])})
        runs.write("none.npz", b"no archive")
        runs.write("none.onnx", b"\x08\x01no model")
        runs.write("none.safetensors", b"\xff" * 40)
        runs.write("cut.safetensors", runs.read("net.safetensors")[:-4])
        for file, status, message in (("lacking.npz", 3, r"lacks dense1\.bias of the network"),
                                      ("wrong.npz", 3, r"another network: dense1\.bias is 7, not \d+"),
                                      ("nan.npz", 3, "not finite"), ("strings.npz", 3, "has the type <U1"),
                                      ("none.npz", 3, "no archive of numpy arrays"), ("none.onnx", 3, "no ONNX model"),
                                      ("none.safetensors", 3, "no safetensors file"),
                                      ("cut.safetensors", 3, "lies outside the file"),
                                      ("missing.npz", 2, "there is no file missing.npz"), ("images.h5", 2, "another ending")):
            with self.subTest(file=file):
                outcome = runs.convoy("import-weights", file, "--checkpoint", trained, "--out", "never.h5")
                self.assert_message(outcome, status, message)
                self.assertFalse(os.path.exists("never.h5"))
        self.assert_message(runs.convoy("export", "--checkpoint", trained), 2, "nothing is to be written")
        self.assert_message(runs.convoy("export", "--checkpoint", trained, "--onnx", "no/such.onnx"), 4, r"no/\.?such\.onnx")
        self.assert_message(runs.convoy("export", "--checkpoint", "images.h5", "--onnx", "x.onnx"), 3, "images.h5")


def values_of(checkpoint):
    """Bytes of all tensors under /model."""
    values = {}
    with h5py.File(checkpoint) as file:
        file["model"].visititems(lambda name, item: values.update({name: item[()].tobytes()})
                                 if isinstance(item, h5py.Dataset) else None)
    return values


def read_safetensors(path):
    content = runs.read(path)
    length = int.from_bytes(content[:8], "little")
    table = json.loads(content[8:8 + length])
    tensors = {}
    for name, entry in table.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        kind = {"F32": "<f4", "I64": "<i8"}[entry["dtype"]]
        tensors[name] = numpy.frombuffer(content[8 + length + begin:8 + length + end], kind).reshape(entry["shape"]).copy()
    return tensors


if __name__ == "__main__":
    runs.main()
