"""What keeps the embedded service from starting or stopping.

DigitsError
└── CannotStart     one sentence that says what is wrong and what to do
"""

from digits.errors import DigitsError


class CannotStart(DigitsError):
    """The embedded service cannot start, or did not come up."""
