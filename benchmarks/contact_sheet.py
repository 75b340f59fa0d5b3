"""Draws docs/pictures.png: a picture of each kind, and what the network saw of it.

python -m benchmarks.contact_sheet --model v1.bundle
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.pictures import network
from digits.imaging import judge
from digits.imaging.candidates import candidates
from digits.models.predictor import Predictor
from tests.pictures import digits, non_digits

_COLUMNS = 6
_PICTURE, _SEEN, _LABEL = 96, 56, 24
_WIDTH, _HEIGHT = _PICTURE + _SEEN + 16, _PICTURE + _LABEL


def main() -> None:
    """Writes the sheet, in 64 colours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, metavar="FILE")
    parser.add_argument("--to", type=Path, default=Path("docs/pictures.png"))
    options = parser.parse_args()
    predictor = Predictor(network(options.model))
    with np.load("data/mnist.npz") as data:
        images = data["x_test"]
    files = {
        kind: draw(images[n], np.random.default_rng(n)) for n, (kind, draw) in enumerate(digits.KINDS.items())
    }
    files |= {kind: draw(images, np.random.default_rng(1)) for kind, draw in non_digits.KINDS.items()}
    rows = -(-len(files) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _WIDTH, rows * _HEIGHT), "white")
    for number, (kind, data) in enumerate(files.items()):
        place = (number % _COLUMNS * _WIDTH + 4, number // _COLUMNS * _HEIGHT + 4)
        _paste(sheet, place, kind, data, predictor)
    sheet.quantize(64).save(options.to, optimize=True)


def _paste(sheet: Image.Image, place: tuple[int, int], kind: str, data: bytes, predictor: Predictor) -> None:
    picture = candidates(data, len(data), kind)
    prediction = predictor.predict(np.stack([one.pixels.reshape(784) for one in picture]))
    best, none = judge.choose(prediction.probabilities, prediction.not_a_digit, picture)
    says = "no digit" if none >= 0.5 else str(prediction.probabilities[best].argmax())
    left, top = place
    small = Image.open(io.BytesIO(data)).convert("RGBA")
    small.thumbnail((_PICTURE, _PICTURE))
    sheet.paste(small, (left, top), small)
    sheet.paste(Image.fromarray(picture[best].pixels).resize((_SEEN, _SEEN)), (left + _PICTURE + 4, top))
    draw = ImageDraw.Draw(sheet)
    draw.text((left + _PICTURE + 4, top + _SEEN + 4), says, fill="black")
    draw.text((left, top + _PICTURE), kind, fill="black")


if __name__ == "__main__":
    main()
