#!/usr/bin/env python3
"""HDF5 files whose chunks others compressed: every filter, alone or with shuffle and checksum, gives the bits of plain
storage; damaged chunks and missing filters are named."""

import bz2
import ctypes
import ctypes.util
import os
import re
import shutil
import struct
import unittest
import zlib

import runs

# A plugin that this machine may have would set the values of its filter itself.
os.environ["HDF5_PLUGIN_PRELOAD"] = "::"
try:
    import h5py
    import numpy
except ImportError:
    h5py = None

CONFIGURATION = """
[data]
images = /x
labels = /y
layout = NHWC
[network]
layer = conv 4 3x3 pad=1
layer = relu
layer = dense 4
loss = softmax-cross-entropy
[schedule]
lr = 0.05
[train]
max-steps = 6
batch = 30
micro-batch = 10
[run]
dir = run
threads = 2
"""
SAMPLES = 140
SHAPE = (20, 25, 3)
OPTIONAL = 1  # H5Z_FLAG_OPTIONAL, the one way to name a filter that h5py does not have
LZF, BLOSC, LZ4, BITSHUFFLE, ZSTD, ZFP = 32000, 32001, 32004, 32008, 32015, 32013
BZIP2 = 307


def library(name):
    found = ctypes.util.find_library(name)
    return ctypes.CDLL(found) if found else None


def compressed(function, size, *arguments):
    room = ctypes.create_string_buffer(size)
    written = function(room, *arguments)
    assert 0 < written <= size, written
    return room.raw[:written]


def lz4_block(data):
    most = len(data) + len(data) // 255 + 64
    lz4 = library("lz4")
    return compressed(lambda room: lz4.LZ4_compress_default(data, room, len(data), most), most)


def zstd_frame(data):
    zstd = library("zstd")
    zstd.ZSTD_compress.restype = ctypes.c_size_t
    most = 2 * len(data) + 1000
    return compressed(
        lambda room: zstd.ZSTD_compress(room, ctypes.c_size_t(most), data, ctypes.c_size_t(len(data)), 3), most)


def zstd_frame_without_size(data):
    zstd = library("zstd")
    zstd.ZSTD_createCCtx.restype = ctypes.c_void_p
    context = ctypes.c_void_p(zstd.ZSTD_createCCtx())
    zstd.ZSTD_CCtx_setParameter(context, 200, 0)  # ZSTD_c_contentSizeFlag
    zstd.ZSTD_compress2.restype = ctypes.c_size_t
    most = 2 * len(data) + 1000
    try:
        return compressed(lambda room: zstd.ZSTD_compress2(context, room, ctypes.c_size_t(most), data,
                                                           ctypes.c_size_t(len(data))), most)
    finally:
        zstd.ZSTD_freeCCtx(context)


def lz4(data, _element, block=3000):
    """The HDF Group's: blocks that do not become smaller are plain."""
    parts = [struct.pack(">QI", len(data), block)]
    for begin in range(0, len(data), block):
        plain = data[begin:begin + block]
        packed = lz4_block(plain)
        if len(packed) >= len(plain):
            packed = plain
        parts += [struct.pack(">I", len(packed)), packed]
    return b"".join(parts)


def bit_planes(block, element):
    bits = numpy.unpackbits(numpy.frombuffer(block, "u1").reshape(-1, element), axis=1, bitorder="little")
    return numpy.packbits(bits.T, axis=1, bitorder="little").tobytes()


def bitshuffle(compress):
    def encode(data, element, elements=512):
        whole = len(data) // element // 8 * 8 * element
        parts = [struct.pack(">QI", len(data), elements * element)] if compress else []
        for begin in range(0, whole, elements * element):
            planes = bit_planes(data[begin:min(begin + elements * element, whole)], element)
            packed = compress(planes) if compress else planes
            parts += [struct.pack(">I", len(packed)), packed] if compress else [packed]
        return b"".join(parts + [data[whole:]])
    return encode


def blosc(compressor, shuffle):
    def encode(data, element):
        most = len(data) + 16
        return compressed(lambda room: library("blosc").blosc_compress_ctx(
            5, shuffle, ctypes.c_size_t(element), ctypes.c_size_t(len(data)), data, room, ctypes.c_size_t(most),
            compressor, ctypes.c_size_t(0), 1), most)
    return encode


def of_pytables(_element, _chunk_bytes):
    return 5, 11, 4  # level, ten times the version of the object's class, CArray


def of_bitshuffle(compressor):
    return lambda element, _chunk_bytes: (0, 4, element, 512, compressor)


# Name: filter, its values, its encoder, the library that encodes.
FILTERS = {
    "zstd": (ZSTD, lambda element, chunk_bytes: (3,), lambda data, _element: zstd_frame(data), "zstd"),
    "zstd-without-size": (ZSTD, lambda element, chunk_bytes: (3,),
                          lambda data, _element: zstd_frame_without_size(data), "zstd"),
    "lz4": (LZ4, lambda element, chunk_bytes: (3000,), lz4, "lz4"),
    "bzip2": (BZIP2, of_pytables, lambda data, _element: bz2.compress(data, 5), "bz2"),
    "bitshuffle": (BITSHUFFLE, of_bitshuffle(0), bitshuffle(None), None),
    "bitshuffle-lz4": (BITSHUFFLE, of_bitshuffle(2), bitshuffle(lz4_block), "lz4"),
    "bitshuffle-zstd": (BITSHUFFLE, of_bitshuffle(3), bitshuffle(zstd_frame), "zstd"),
    **{f"blosc-{name.decode()}-{shuffle}": (
        BLOSC, lambda element, chunk_bytes, shuffle=shuffle: (2, 2, element, chunk_bytes, 5, shuffle, 0),
        blosc(name, shuffle), "blosc") for name in (b"blosclz", b"lz4", b"zlib", b"zstd") for shuffle in (0, 1, 2)},
}


def fletcher32(data):
    words = numpy.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(int)
    first = second = 0
    for word in words:
        first = (first + int(word)) % 65535 or (65535 if first + int(word) else 0)
        second = (second + first) % 65535 or (65535 if second + first else 0)
    return struct.pack("<I", second << 16 | first)


def write_filtered(file, name, values, chunk, number, settings, encode, shuffle=False, checksum=False):
    """Writes the chunks as the filter's own library would. `checksum`: the last filter, or the first if "first"."""
    values = numpy.ascontiguousarray(values)
    element = values.dtype.itemsize
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk(chunk)
    if checksum == "first":
        creation.set_fletcher32()
    if shuffle:
        creation.set_shuffle()
    creation.set_filter(number, OPTIONAL, settings(element, int(numpy.prod(chunk)) * element))
    if checksum and checksum != "first":
        creation.set_fletcher32()
    dataset = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(values.dtype),
                              h5py.h5s.create_simple(values.shape), creation)
    for at in numpy.ndindex(*(-(-extent // part) for extent, part in zip(values.shape, chunk))):
        begin = tuple(index * part for index, part in zip(at, chunk))
        piece = values[tuple(slice(first, first + part) for first, part in zip(begin, chunk))]
        whole = numpy.zeros(chunk, values.dtype)
        whole[tuple(slice(0, extent) for extent in piece.shape)] = piece
        data = whole.tobytes()
        if checksum == "first":
            data += fletcher32(data)
        if shuffle:
            data = numpy.frombuffer(data, "u1").reshape(-1, element).T.tobytes()
        data = encode(data, element)
        if checksum and checksum != "first":
            data += fletcher32(data)
        dataset.write_direct_chunk(begin, data)


@unittest.skipUnless(h5py, "python3-h5py is not installed")
class Hdf5Filters(runs.Folder):
    def setUp(self):
        super().setUp()
        generator = numpy.random.default_rng(5)
        self.labels = generator.integers(0, 4, SAMPLES)
        self.images = generator.integers(0, 40, (SAMPLES, *SHAPE)).astype("u1")
        self.images[:, :, :, 0] += (50 * self.labels[:, None, None]).astype("u1")
        with open("any.ini", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION)

    def train(self, file, *words):
        outcome = runs.convoy("train", "--config", "any.ini", "--data.file", file, *words)
        result = self.hash_of("run") if outcome.status == 0 else None
        shutil.rmtree("run", ignore_errors=True)
        return outcome, result

    def bits(self, file):
        outcome, result = self.train(file)
        self.assertEqual(outcome.status, 0, outcome)
        return result

    def plain(self, kind):
        with h5py.File("plain.h5", "w") as file:
            file["x"] = self.images.astype(kind)
            file["y"] = self.labels
        return self.bits("plain.h5")

    def filtered(self, name, kind="u1", chunk=(16, *SHAPE), **more):
        number, settings, encode, needs = FILTERS[name]
        if needs and not library(needs):
            self.skipTest(f"there is no lib{needs}")
        with h5py.File("filtered.h5", "w") as file:
            write_filtered(file, "x", self.images.astype(kind), chunk, number, settings, encode, **more)
            write_filtered(file, "y", self.labels, (50,), number, settings, encode, **more)
        return "filtered.h5"

    def test_every_filter_gives_the_bits_of_plain_storage(self):
        expected = self.plain("u1")
        for name in FILTERS:
            with self.subTest(name=name):
                self.assertEqual(self.bits(self.filtered(name)), expected)

    def test_floats_with_shuffle_checksum_and_chunks_of_any_shape(self):
        expected = self.plain("f4")
        for name in ("zstd", "lz4", "blosc-lz4-1", "bitshuffle-lz4"):
            for more in ({}, {"shuffle": True, "checksum": True}, {"chunk": (9, 7, 25, 2)}):
                with self.subTest(name=name, more=more):
                    self.assertEqual(self.bits(self.filtered(name, "f4", **more)), expected)
        # Types that libhdf5 converts.
        self.assertEqual(self.bits(self.filtered("zstd", "f8")), expected)

    def test_streams_that_state_no_size(self):
        expected = self.plain("f4")
        for name in ("bzip2", "zstd-without-size"):
            for more in ({}, {"shuffle": True, "checksum": True}, {"checksum": "first"}):
                for kind in ("f4", "f8"):  # decoded by all threads, and in libhdf5
                    with self.subTest(name=name, more=more, kind=kind):
                        self.assertEqual(self.bits(self.filtered(name, kind, **more)), expected)

    def test_h5pys_own_storage(self):
        expected = self.plain("f4")
        for storage in ({"compression": "lzf"}, {"compression": "lzf", "shuffle": True, "fletcher32": True},
                        {"compression": "gzip"}, {"compression": "gzip", "shuffle": True, "chunks": (9, 7, 25, 2)},
                        {"scaleoffset": 3}, {"chunks": (9, 7, 25, 2)}):
            with self.subTest(storage=storage):
                with h5py.File("other.h5", "w") as file:
                    file.create_dataset("x", data=self.images.astype("f4"), **storage)
                    file.create_dataset("y", data=self.labels, compression=storage.get("compression"))
                self.assertEqual(self.bits("other.h5"), expected)

    def test_damaged_chunks_are_named(self):
        for name in ("zstd", "lz4", "blosc-lz4-1", "bitshuffle-lz4", "bzip2"):
            with self.subTest(name=name):
                file = self.filtered(name)
                with h5py.File(file, "r+") as opened:
                    dataset = opened["x"].id
                    _, chunk = dataset.read_direct_chunk((32, 0, 0, 0))
                    dataset.write_direct_chunk((32, 0, 0, 0), chunk[:len(chunk) // 2])
                outcome, _ = self.train(file)
                self.assertEqual(outcome.status, 3, outcome)
                self.assertRegex(outcome.errors, rf"damaged chunk in filtered\.h5, object /x \(the one that begins at "
                                 rf"element \[32x0x0x0\]: its {name.split('-')[0]} data are damaged\)")
                with h5py.File(self.filtered(name), "r+") as opened:
                    dataset = opened["y"].id
                    _, chunk = dataset.read_direct_chunk((50,))
                    # The size that it decodes to.
                    dataset.write_direct_chunk((50,), b"\x7f" * 16 + chunk[16:])
                outcome, _ = self.train(file)
                self.assertEqual(outcome.status, 3, outcome)
                self.assertRegex(outcome.errors, r"damaged chunk in filtered\.h5, object /y \(the one that begins at "
                                 r"element \[50\]: its")

    def test_missing_filters_are_named(self):
        with h5py.File("zfp.h5", "w") as file:
            write_filtered(file, "x", self.images, (16, *SHAPE), ZFP, lambda *_: (1,), lambda data, _: data)
            file["y"] = self.labels
        message = (r"cannot decode zfp\.h5, object /x \(it is stored with filter 32013, zfp, and Convoy does not decode "
                   r"it\); set HDF5_PLUGIN_PATH .* h5repack -f GZIP=6 zfp\.h5 NEW\.h5")
        outcome, _ = self.train("zfp.h5")
        self.assertEqual(outcome.status, 3, outcome)
        self.assertRegex(outcome.errors, message)
        # The filter's flags in the data set's header: no longer optional.
        with open("zfp.h5", "r+b") as file:
            content = file.read()
            at = content.index(struct.pack("<H", ZFP))
            self.assertEqual(content[at + 4], OPTIONAL)
            file.seek(at + 4)
            file.write(b"\0")
        outcome, _ = self.train("zfp.h5", "--dry-run")
        self.assertEqual(outcome.status, 3, outcome)
        self.assertRegex(outcome.errors, message)
        outcome = runs.convoy("inspect", "zfp.h5")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.output, r"/x  uint8 .* zfp, .* stored\n +cannot be read: it is stored with filter 32013, "
                         r"zfp, and Convoy does not decode it")

    def test_inspect_shows_filters(self):
        outcome = runs.convoy("inspect", self.filtered("bitshuffle-lz4", shuffle=True, checksum=True))
        self.assertRegex(outcome.output, r"/x  uint8 140x20x25x3, chunks 16x20x25x3, shuffle \+ bitshuffle \+ fletcher32, ")
        self.assertFalse(re.search("cannot be read", outcome.output), outcome)


if __name__ == "__main__":
    unittest.main(verbosity=2)
