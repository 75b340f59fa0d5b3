"""What keeps an image from being built."""

from digits.errors import DigitsError


class CannotBuild(DigitsError):
    """An image cannot be built: one sentence, and the last of what was printed."""
