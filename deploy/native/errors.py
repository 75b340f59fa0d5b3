"""What keeps the native service from starting.

DigitsError
├── CannotStart     it cannot start, or did not come up
└── CannotFetch     MNIST or a jar cannot be had, or is not what it should be

Each is one sentence that says what is wrong and what to do.
"""

from digits.errors import DigitsError


class CannotStart(DigitsError):
    """The native service cannot start, or did not come up."""


class CannotFetch(DigitsError):
    """MNIST or a jar cannot be had, or the file that is there is not what it should be."""
