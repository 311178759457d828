#!/usr/bin/env python3
"""Images of every format: the pixels of `import folder` and the answers of `predict` are those of Pillow, or, if Pillow
cannot write or read a kind, those that the file was made of."""

import io
import os
import struct
import unittest
import zlib

import runs

try:
    import h5py
    import numpy
    from PIL import Image, ImageOps, features
except ImportError:
    Image = None

HEIGHT, WIDTH = 21, 37


def picture(mode="RGB", seed=1):
    """Coarse noise, so that palettes are used, and lossy compressions differ from the original."""
    generator = numpy.random.default_rng(seed)
    coarse = generator.integers(0, 256, (HEIGHT // 4 + 1, WIDTH // 4 + 1, 4)).astype("uint8")
    image = Image.fromarray(coarse, "RGBA").resize((WIDTH, HEIGHT), Image.BICUBIC)
    if mode == "RGBA":
        return image
    return image.convert("RGB").quantize(50) if mode == "P" else image.convert("RGB").convert(mode)


def saved(image, kind, **how):
    content = io.BytesIO()
    image.save(content, kind, **how)
    return content.getvalue()


def pillows(content):
    """[H][W][3] of the first image of a file, turned upright as EXIF says."""
    image = Image.open(io.BytesIO(content))
    is_turned = image.format == "TIFF"  # by Pillow itself
    return numpy.asarray((image if is_turned else ImageOps.exif_transpose(image)).convert("RGB"))


def packed(samples, bits, order):
    """Rows of samples, [H][n], as a TIFF strip: below 8 bits packed from the left, each row to a whole byte."""
    if bits == 8:
        return samples.astype("uint8").tobytes()
    if bits == 16:
        return samples.astype(order + "u2").tobytes()
    every_bit = numpy.stack([samples >> (bits - 1 - bit) & 1 for bit in range(bits)], -1).reshape(len(samples), -1)
    return numpy.packbits(every_bit.astype("uint8"), axis=1).tobytes()


def tiff(samples, bits, photometric, *, order="<", tile=None, is_planar=False, is_deflated=False, colormap=None, rows=7,
         orientation=1):
    """A TIFF file of `samples`, [H][W][n], in strips of `rows` or tiles of the size `tile`."""
    height, width, count = samples.shape
    planes = [samples[..., i:i + 1] for i in range(count)] if is_planar else [samples]
    pieces = []
    for plane in planes:
        if tile:
            for top in range(0, height, tile):
                for left in range(0, width, tile):
                    piece = plane[top:top + tile, left:left + tile]
                    pieces.append(numpy.pad(piece, ((0, tile - piece.shape[0]), (0, tile - piece.shape[1]), (0, 0))))
        else:
            pieces += [plane[top:top + rows] for top in range(0, height, rows)]
    pieces = [packed(piece.reshape(len(piece), -1).astype(int), bits, order) for piece in pieces]
    pieces = [zlib.compress(piece) for piece in pieces] if is_deflated else pieces
    body, offsets = b"", []
    for piece in pieces:
        offsets.append(8 + len(body))
        body += piece + b"\0" * (len(piece) % 2)
    counts = [len(piece) for piece in pieces]
    tags = {256: [width], 257: [height], 258: [bits] * count, 259: [8 if is_deflated else 1], 262: [photometric],
            274: [orientation], 277: [count], 284: [2 if is_planar else 1]}
    tags |= {322: [tile], 323: [tile], 324: offsets, 325: counts} if tile else {273: offsets, 278: [rows], 279: counts}
    tags |= {320: colormap} if colormap else {}
    entries, extra_at = b"", 8 + len(body) + 2 + 12 * len(tags) + 4
    extra = b""
    for tag, values in sorted(tags.items()):
        letter, kind = ("I", 4) if tag in (273, 279, 324, 325) else ("H", 3)
        data = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(data) > 4:
            place = struct.pack(order + "I", extra_at + len(extra))
            extra += data
        else:
            place = data.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(body))
    return head + body + struct.pack(order + "H", len(tags)) + entries + b"\0" * 4 + extra


def bmp(width, height, bits, rows, *, compression=0, palette=(), masks=(), header=40):
    """A BMP file; `rows` are its bytes of pixels, below the headers."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
        colours = b"".join(bytes(colour[::-1]) for colour in palette)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 2835, 2835, len(palette), 0)
        info += b"".join(struct.pack("<I", mask) for mask in masks)
        colours = b"".join(bytes(colour[::-1]) + b"\0" for colour in palette)
    offset = 14 + len(info) + len(colours)
    return struct.pack("<2sIHHI", b"BM", offset + len(rows), 0, 0, offset) + info + colours + rows


COLOURS = [(0, 0, 0), (250, 10, 20), (30, 240, 50), (60, 70, 230), (255, 255, 255), (9, 8, 7), (90, 80, 70), (1, 200, 3)]


def bmps():
    generator = numpy.random.default_rng(3)
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"bmp-{mode}", saved(picture(mode), "BMP")
    upside_down = bytearray(saved(picture(), "BMP"))
    upside_down[22:26] = struct.pack("<i", -HEIGHT)
    yield "bmp-top-down", bytes(upside_down)
    words = generator.integers(0, 65536, (5, 6)).astype("<u2").tobytes()
    yield "bmp-555", bmp(6, 5, 16, words)
    yield "bmp-565", bmp(6, 5, 16, words, compression=3, masks=(0xF800, 0x7E0, 0x1F))
    longs = generator.integers(0, 2**32, (5, 6)).astype("<u4").tobytes()
    yield "bmp-masks", bmp(6, 5, 32, longs, compression=3, masks=(0xFF000000, 0xFF0000, 0xFF00))
    yield "bmp-32", bmp(6, 5, 32, longs)
    yield "bmp-4", bmp(9, 3, 4, bytes(generator.integers(0, 8, (3, 8)) * 17), palette=COLOURS)
    yield "bmp-os2", bmp(9, 3, 4, bytes(generator.integers(0, 8, (3, 8)) * 17), palette=COLOURS * 2, header=12)
    # Pillow 9.4 takes the skips of delta codes from the wrong bytes: they are in the unit tests alone.
    runs8 = bytes([5, 1, 0, 3, 2, 3, 4, 0, 0, 0, 8, 7, 0, 0, 3, 5, 5, 0, 0, 0, 8, 2, 0, 0, 0, 1])
    yield "bmp-rle8", bmp(8, 4, 8, runs8, compression=1, palette=COLOURS)
    runs4 = bytes([5, 0x12, 0, 4, 0x34, 0x56, 0, 0, 9, 0x70, 0, 0, 9, 0x45, 0, 1])
    yield "bmp-rle4", bmp(9, 3, 4, runs4, compression=2, palette=COLOURS)


def gifs():
    for mode in ("1", "L", "P"):
        for is_interlaced in (0, 1):
            yield f"gif-{mode}-{is_interlaced}", saved(picture(mode), "GIF", interlace=is_interlaced)
    yield "gif-transparent", saved(picture("P"), "GIF", transparency=3)
    yield "gif-animated", saved(picture("P"), "GIF", save_all=True, append_images=[picture("P", 2), picture("P", 3)])
    for name, how in (("gif-canvas", {}), ("gif-canvas-transparent", {"transparency": 5})):
        larger = bytearray(saved(picture("P"), "GIF", **how))
        larger[6:10] = struct.pack("<HH", WIDTH + 3, HEIGHT + 5)
        yield name, bytes(larger)


def webps():
    for mode in ("RGB", "RGBA", "L"):
        yield f"webp-lossless-{mode}", saved(picture(mode), "WEBP", lossless=True, exact=True)
        yield f"webp-lossy-{mode}", saved(picture(mode), "WEBP", quality=70)
    yield "webp-animated", saved(picture(), "WEBP", save_all=True, append_images=[picture(seed=2)], lossless=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "webp-turned", saved(picture(), "WEBP", lossless=True, exif=exif)


def turned_pngs():
    """The chunk of EXIF before the pixels and after them, in files longer than what is read of one for its header."""
    exif = Image.Exif()
    exif[0x0112] = 6
    large = numpy.random.default_rng(3).integers(0, 256, (200, 300, 3)).astype("uint8")
    for name, image in (("small", picture()), ("large", Image.fromarray(large))):
        early = saved(image, "PNG", exif=exif)
        begin = early.index(b"eXIf") - 4
        end = begin + 12 + int.from_bytes(early[begin:begin + 4], "big")
        yield f"{name}-early", early
        yield f"{name}-late", early[:begin] + early[end:-12] + early[begin:end] + early[-12:]


def tiffs():
    kinds = [(mode, how) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")
             for how in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")]
    kinds += [("1", "group3"), ("1", "group4"), ("L", "jpeg"), ("RGB", "jpeg")]
    for mode, how in kinds:
        yield f"tiff-{mode}-{how}", saved(picture(mode), "TIFF", compression=how)
    yield "tiff-pages", saved(picture(), "TIFF", save_all=True, append_images=[picture(seed=2)])
    for orientation in range(2, 9):
        yield f"tiff-turned-{orientation}", saved(picture(), "TIFF", tiffinfo={274: orientation})


def made_tiffs():
    """(name, content, [H][W][3])"""
    generator = numpy.random.default_rng(8)
    for bits in (1, 2, 4, 8, 16):
        most = 2**bits - 1
        for count in (1, 2, 3, 4):  # grey, with alpha, in colour, with alpha
            samples = generator.integers(0, most + 1, (HEIGHT, WIDTH, count))
            colours = samples[..., :3] if count >= 3 else samples[..., :1].repeat(3, -1)
            expected = numpy.floor(colours * 255 / most + 0.5).astype("uint8")
            for how in ({}, {"order": ">"}, {"tile": 16}, {"tile": 32, "is_deflated": True, "order": ">"}, {"is_planar": True},
                        {"tile": 16, "is_planar": True}, {"is_deflated": True, "rows": 1000}):
                name = f"{bits}-{count}-" + "-".join(f"{key}={value}" for key, value in how.items()).replace(">", "big")
                yield name, tiff(samples, bits, 2 if count >= 3 else 1, **how), expected
        if bits <= 8:
            samples = generator.integers(0, most + 1, (HEIGHT, WIDTH, 1))
            yield f"{bits}-white", tiff(samples, bits, 0), (255 - (samples * 255 // most)).astype("uint8").repeat(3, -1)
            colormap = generator.integers(0, 65536, (3, most + 1))
            expected = (colormap >> 8).astype("uint8").T[samples[..., 0]]
            yield f"{bits}-palette", tiff(samples, bits, 3, colormap=list(colormap.ravel())), expected
    inks = generator.integers(0, 256, (HEIGHT, WIDTH, 4))
    expected = numpy.asarray(Image.fromarray(inks.astype("uint8"), "CMYK").convert("RGB"))
    for how in ({}, {"is_planar": True}, {"tile": 16, "is_planar": True}):
        yield "cmyk-" + "-".join(how), tiff(inks, 8, 5, **how), expected


@unittest.skipUnless(Image, "python3-pil, python3-numpy or python3-h5py is not installed")
class ImageFormats(runs.Folder):
    def pixels_of(self, content, ending, *words):
        """What `import folder` stores of the file, or the test is skipped in a build without the format."""
        os.makedirs("one/class", exist_ok=True)
        for name in os.listdir("one/class"):
            os.remove("one/class/" + name)
        runs.write(f"one/class/a.{ending}", content)
        outcome = runs.convoy("import", "folder", "one", "--out", "one.h5", "--channels", 3, *words)
        if "this build has no" in outcome.errors:
            self.skipTest(outcome.errors.strip().splitlines()[-1])
        self.assertEqual(outcome.status, 0, outcome)
        with h5py.File("one.h5") as file:
            return file["train/images"][0].transpose(1, 2, 0)

    def assert_pillows(self, cases, ending):
        for name, content in cases:
            with self.subTest(name):
                numpy.testing.assert_array_equal(self.pixels_of(content, ending), pillows(content))

    def test_bmp(self):
        self.assert_pillows(bmps(), "bmp")

    def test_gif(self):
        self.assert_pillows(gifs(), "GIF")

    def test_webp(self):
        if not features.check("webp"):
            self.skipTest("this Pillow has no WebP")
        self.assert_pillows(webps(), "webp")

    def test_png_is_turned(self):
        for name, content in turned_pngs():
            with self.subTest(name):
                numpy.testing.assert_array_equal(self.pixels_of(content, "png"), pillows(content))
                self.assertIn("Turned upright", runs.convoy("import", "folder", "one", "--out", "one.h5").output)

    def test_tiff(self):
        self.assert_pillows(tiffs(), "tif")

    def test_tiff_of_other_writers(self):
        for name, content, expected in made_tiffs():
            with self.subTest(name):
                numpy.testing.assert_array_equal(self.pixels_of(content, "TIFF"), expected)

    def test_ycbcr_without_jpeg_is_close_to_pillows(self):
        # libtiff mixes colours in floating point, Pillow in integers.
        content = saved(picture("YCbCr"), "TIFF", compression="tiff_lzw")
        difference = self.pixels_of(content, "tif").astype(int) - pillows(content)
        self.assertLessEqual(abs(difference).max(), 2)

    def test_orientation_can_be_ignored(self):
        content = saved(picture(), "TIFF", tiffinfo={274: 6})
        numpy.testing.assert_array_equal(self.pixels_of(content, "tif", "--exif", "ignore"), numpy.asarray(picture()))

    def test_kinds_that_are_not_read_say_why(self):
        os.makedirs("bad/class")
        real = numpy.linspace(0, 1, 12, dtype="float32").reshape(3, 4)
        for name, content, message in (
                ("a.tif", saved(Image.fromarray(real), "TIFF"), r"samples are signed or floating-point numbers of 32 bits"),
                ("a.tif", saved(picture("LAB"), "TIFF"), r"its kind of colours, number 8"),
                ("a.bmp", bmp(4, 1, 5, b"\0" * 4), r"5 bits a pixel"),
                ("a.webp", saved(picture(), "WEBP")[:100], r"it is cut short"),
                ("a.gif", saved(picture("P"), "GIF")[:-1], r"it is cut short"),
                ("a.gif", b"RIFF    AVI ", r"it begins as no PNG, JPEG, WebP")):
            for old in os.listdir("bad/class"):
                os.remove("bad/class/" + old)
            runs.write("bad/class/" + name, content)
            outcome = runs.convoy("import", "folder", "bad", "--out", "bad.h5")
            if "this build has no" in outcome.errors:
                continue
            self.assertEqual(outcome.status, 3, outcome)
            self.assertRegex(outcome.errors, r"bad image bad/class/" + name + r" \(.*" + message)

    def test_predict_reads_them_all(self):
        self.train("tiny", {"train.epochs": 1, "run.dir": "run"})
        checkpoint = runs.checkpoints("run")[-1]
        image = picture("L").resize((16, 16))
        os.makedirs("all")
        for ending, kind in (("png", "PNG"), ("bmp", "BMP"), ("gif", "GIF"), ("tif", "TIFF"), ("webp", "WEBP")):
            how = {"lossless": True} if kind == "WEBP" else {}
            runs.write(f"all/a.{ending}", saved(image, kind, **how))
        outcome = runs.convoy("predict", "--checkpoint", checkpoint, "--fit", "stretch", "--csv", "all.csv", "all")
        if "this build has no" in outcome.errors:
            self.skipTest(outcome.errors.strip().splitlines()[-1])
        self.assertEqual(outcome.status, 0, outcome)
        lines = runs.read("all.csv").decode().splitlines()[1:]
        self.assertEqual(len(lines), 5)
        self.assertEqual(len({line.split(",", 1)[1] for line in lines}), 1, lines)


if __name__ == "__main__":
    runs.main()
