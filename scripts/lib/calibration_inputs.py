"""Makes the inputs of scripts/calibrate in the given folder, one folder for each model: the same for the same checkout."""

import array
import hashlib
import json
import math
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys

COUNT = 24

TYPES = {"f": ("F32", 4), "q": ("I64", 8)}

# Rows of five bits.
DIGITS = {
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14), "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
}


def write(path, tensors):
    """A safetensors file of (name, shape, array)."""
    header, data = {}, b""
    for name, shape, values in sorted(tensors, key=lambda tensor: tensor[0]):
        dtype, size = TYPES[values.typecode]
        assert math.prod(shape) == len(values) and values.itemsize == size
        raw = values.tobytes()
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def files(folder):
    """Tracked files, of every kind of name a few."""
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True).stdout.decode().split("\0")
    by_kind = {}
    for name in sorted(filter(None, listed)):
        path = pathlib.Path(name)
        if path.is_file() and path.stat().st_size > 64:
            by_kind.setdefault(path.suffix or path.name, []).append(path)
    taken = 0
    while taken < COUNT and any(by_kind.values()):
        for paths in by_kind.values():
            if paths and taken < COUNT:
                shutil.copyfile(paths.pop(0), folder / f"{taken:02}")
                taken += 1


def sound(folder, chance):
    for index in range(COUNT):
        pitch, loud, noise = chance.uniform(80, 300), chance.choice([0.0, 0.1, 0.5]), chance.choice([0.001, 0.02, 0.2])
        samples = [
            loud * sum(math.sin(2 * math.pi * pitch * k * t / 16000) / k for k in range(1, 12)) / 2
            + chance.gauss(0, noise)
            for t in range(576)
        ]
        state = [chance.gauss(0, 0.3) for _ in range(256)]
        write(folder / f"{index:02}.safetensors", [
            ("input", [1, 576], array.array("f", samples)),
            ("state", [2, 1, 128], array.array("f", state)),
            ("sr", [], array.array("q", [16000])),
        ])


def sentences(folder):
    text = " ".join(path.read_text() for path in sorted(pathlib.Path("docs").glob("*.md")))
    found = [re.findall(r"[a-z]+", sentence.lower()) for sentence in text.split(".")]
    found = [words for words in found if 6 <= len(words) <= 30][:COUNT]
    for index, words in enumerate(found):
        hashed = [int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") for word in words]
        # [CLS] words [SEP], padded to 32 tokens.
        ids = [101] + [1000 + number % 29000 for number in hashed] + [102]
        mask = [1] * len(ids) + [0] * (32 - len(ids))
        ids += [0] * (32 - len(ids))
        write(folder / f"{index:02}.safetensors", [
            ("input_ids", [1, 32], array.array("q", ids)),
            ("attention_mask", [1, 32], array.array("q", mask)),
            ("token_type_ids", [1, 32], array.array("q", [0] * 32)),
        ])


def lines(folder, chance):
    """Light lines of 3 to 5 digits on dark ground or the other way round, 48 x 160, values from -1 to 1."""
    height, width, scale = 48, 160, 4
    for index in range(COUNT):
        ink, ground, noise = chance.uniform(0.4, 1), chance.uniform(-1, -0.2), chance.choice([0.01, 0.05, 0.15])
        if index % 2:
            ink, ground = ground, ink
        picture = [[ground] * width for _ in range(height)]
        top, left = chance.randrange(4, 16), chance.randrange(2, 12)
        for place, digit in enumerate(str(chance.randrange(100, 100000))):
            for row, bits in enumerate(DIGITS[digit]):
                for column in range(5):
                    if bits >> (4 - column) & 1:
                        for y in range(scale):
                            for x in range(scale):
                                picture[top + row * scale + y][left + (place * 6 + column) * scale + x] = ink
        plane = [min(1.0, max(-1.0, value + chance.gauss(0, noise))) for row in picture for value in row]
        write(folder / f"{index:02}.safetensors", [("x", [1, 3, height, width], array.array("f", plane * 3))])


def main():
    root = pathlib.Path(sys.argv[1])
    chance = random.Random(1)
    folders = {name: root / name for name in ("magika", "silero-vad", "minilm", "pp-ocr")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    files(folders["magika"])
    sound(folders["silero-vad"], chance)
    sentences(folders["minilm"])
    lines(folders["pp-ocr"], chance)


main()
