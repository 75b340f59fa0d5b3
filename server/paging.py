"""How lists are cut into pages."""

from digits.errors import InvalidInput
from digits.limits import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE


def page_size(asked: int) -> int:
    """The size of a page; raises InvalidInput for a negative one."""
    if asked < 0:
        raise InvalidInput("page_size", f"0 (for {DEFAULT_PAGE_SIZE}) to {MAX_PAGE_SIZE}")
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
