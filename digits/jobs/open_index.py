"""Which jobs still need somebody: an index in the coordinator, so that no finished job is read to find them.

A job is open from its record's commit until it is final and nothing is left that is to be removed.
"""

from __future__ import annotations

from digits.errors import StaleWrite
from digits.ports import Coordinator, Create, Delete

_FOLDER = "/open"


class OpenIndex:
    """A node for each open job."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator

    def names(self) -> list[str]:
        """The ids of the open jobs, oldest first."""
        return self._coordinator.children(_FOLDER)

    def entry(self, job_id: str) -> Create:
        """The operation that enters a job, for the commit that records it."""
        return Create(f"{_FOLDER}/{job_id}", b"")

    def enter(self, job_id: str) -> None:
        """Enters a job; does nothing if it is there."""
        try:
            self._coordinator.commit(self.entry(job_id))
        except StaleWrite:
            return  # Somebody else did it.

    def close(self, job_id: str) -> None:
        """Takes a job out; does nothing if it is not there."""
        path = f"{_FOLDER}/{job_id}"
        node = self._coordinator.get(path)
        if node is None:
            return
        try:
            self._coordinator.commit(Delete(path, node.version))
        except StaleWrite:
            return  # Somebody else did it meanwhile.
