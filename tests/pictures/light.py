"""Colours, light, lenses and files: from what is drawn to what a camera or an app would store."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.pictures.ink import Cover, Random

Colour = tuple[float, float, float]
Photo = NDArray[np.float32]
"""(H, W, 3), red, green, blue, 0 to 255."""


def painted(cover: Cover, background: Photo | Colour, pen: Colour) -> Photo:
    """Ink of a colour on a background."""
    base = np.broadcast_to(np.array(background, np.float32), (*cover.shape, 3))
    return (base + cover[..., None] * (np.array(pen, np.float32) - base)).astype(np.float32)


def paper(random: Random) -> Colour:
    """White to cream."""
    tone = random.uniform(215, 252)
    return (tone, tone - random.uniform(0, 6), tone - random.uniform(0, 22))


def pen(random: Random) -> Colour:
    """Black, blue, red or green ink."""
    inks: list[Colour] = [(25, 25, 30), (30, 45, 150), (20, 60, 190), (170, 30, 40), (20, 95, 50)]
    return inks[int(random.integers(len(inks)))]


def graded(photo: Photo, random: Random, darkest: float = 0.55) -> Photo:
    """Light that falls off to one side."""
    height, width = photo.shape[:2]
    angle = random.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slope = (np.cos(angle) * x + np.sin(angle) * y) / 2.8 + 0.5
    return np.asarray(photo * (darkest + (1 - darkest) * slope)[..., None], np.float32)


def shadowed(photo: Photo, random: Random, depth: float = 0.5) -> Photo:
    """The soft edge of a hand's or a telephone's shadow across the picture."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    edge = x + random.uniform(-0.5, 0.5) * y - random.uniform(0.3, 0.8)
    soft = random.uniform(0.02, 0.08)
    return np.asarray(photo * (1 - depth * np.clip(edge / soft, 0, 1))[..., None], np.float32)


def grained(photo: Photo, random: Random, strength: float) -> Photo:
    """A sensor's noise, as standard deviation."""
    return np.asarray(photo + random.normal(0, strength, photo.shape), np.float32)


def blurred(photo: Photo, radius: float) -> Photo:
    """Out of focus."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), radius), np.float32)


def seen_at_an_angle(photo: Photo, random: Random, by: float = 0.12, border: Colour | None = None) -> Photo:
    """The four corners moved by up to a share of the sides; what comes in is border, or the edge repeated."""
    height, width = photo.shape[:2]
    corners = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    moved = corners + random.uniform(-by, by, (4, 2)).astype(np.float32) * np.float32([width, height])
    turn = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    mode = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
    return np.asarray(
        cv2.warpPerspective(photo, turn, (width, height), borderMode=mode, borderValue=border or (0, 0, 0)),
        np.float32,
    )


def turned(cover: Cover, degrees: float) -> Cover:
    """The ink turned about its middle, on a sheet that is large enough."""
    height, width = cover.shape
    side = int(np.hypot(height, width)) + 2
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += ((side - width) / 2, (side - height) / 2)
    return np.asarray(cv2.warpAffine(cover, turn, (side, side)), np.float32)


def as_bytes(photo: Photo) -> NDArray[np.uint8]:
    """uint8 (H, W, 3)."""
    return np.rint(np.clip(photo, 0, 255)).astype(np.uint8)


def png(photo: Photo) -> bytes:
    """A PNG file."""
    return bytes(cv2.imencode(".png", as_bytes(photo)[..., ::-1])[1])


def jpeg(photo: Photo, quality: int = 85) -> bytes:
    """A JPEG file."""
    return bytes(cv2.imencode(".jpg", as_bytes(photo)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
