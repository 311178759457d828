"""Reads the small data set of dataset_fixture.hpp as a user would. Exit status: 0: as expected; 77: no h5py."""

import sys

try:
    import h5py
    import numpy
except ImportError:
    sys.exit(77)

with h5py.File(sys.argv[1], "r") as file:
    assert file.userblock_size == 512
    assert file.attrs["format"] == "convoy-dataset" and file.attrs["format_version"] == 1
    assert list(file.attrs["class_names"]) == ["ant", "bee", "cicada"]
    for split, samples in (("train", 37), ("test", 5)):
        images = file[split]["images"]
        assert images.dtype == numpy.uint8 and images.shape == (samples, 2, 3, 4)
        assert images.chunks[0] <= 16 and images.shuffle and images.fletcher32 and images.compression == "gzip"
        expected = (numpy.arange(images.size) * 37 % 251).reshape(images.shape)
        assert (images[:] == expected).all()
        assert file[split]["labels"].dtype == numpy.int64
        assert (file[split]["labels"][:] == numpy.arange(samples) % 3).all()
        train = file["train/images"][:] / 255
        assert numpy.allclose(images.attrs["mean"], train.mean((0, 2, 3)), rtol=1e-12)
        assert numpy.allclose(images.attrs["std"], train.std((0, 2, 3)), rtol=1e-12)
