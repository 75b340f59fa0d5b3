"""How lists are cut into pages."""

from digits.errors import InvalidInput

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000


def page_size(asked: int) -> int:
    """The size of a page; raises InvalidInput for a negative one."""
    if asked < 0:
        raise InvalidInput("page_size", f"0 (for {DEFAULT_SIZE}) to {LARGEST_SIZE}")
    return min(asked or DEFAULT_SIZE, LARGEST_SIZE)
