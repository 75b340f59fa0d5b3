"""What there is to say of a batch: everything that is wrong, what was found, and what was accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# An answer's details must fit into the trailers of gRPC, 8 KB; more faults than these repeat themselves.
MAX_FAULTS = 8
MAX_FAULT_CHARACTERS = 300
MAX_NOTES = 20

_NAMES_SHOWN = 4

_ARRAYS = "x (N, 28, 28), 0 for paper to 255 for ink, y (N,), the digits 0 to 9"
_SAVED = 'numpy.savez_compressed("batch.npz", x_train=x, y_train=y)'
# What would be right, in the format that was sent.
NPZ = f"{_SAVED}, {_ARRAYS}"
CSV = (
    'numpy.savetxt("batch.csv", numpy.column_stack([y, x.reshape(len(x), 784)]), "%d", ","), '
    f"x uint8 {_ARRAYS[2:]}"
)
PARQUET = (
    'pandas.DataFrame({"label": y, "image": [*x.reshape(len(x), 784)]}).to_parquet("batch.parquet", '
    f"row_group_size=10_000), x uint8 {_ARRAYS[2:]}"
)
IDX = (
    "train-images-idx3-ubyte, the bytes 0 0 8 3, N, 28 and 28 as big-endian uint32, and x as uint8; "
    f"train-labels-idx1-ubyte, 0 0 8 1, N, and y as uint8; {_ARRAYS}"
)
PICTURES = (
    'an npz of them: paths = [*pathlib.Path("FOLDER").glob("[0-9]/*")]; '
    'x = [numpy.asarray(PIL.Image.open(path).convert("L").resize((28, 28))) for path in paths]; '
    f"y = [int(path.parent.name) for path in paths]; {_SAVED}"
)


def are_pictures(names: Iterable[str]) -> bool:
    """Whether there are pictures among the files, by their names."""
    return any(name.lower().endswith((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")) for name in names)


class Findings:
    """Collects, so that one answer says all of it."""

    def __init__(self) -> None:
        self.right = NPZ
        self._faults: list[str] = []
        self._found: list[str] = []
        self._notes: dict[str, list[str]] = {}

    def fault(self, problem: str) -> None:
        """Keeps what is wrong."""
        self._faults.append(problem[:MAX_FAULT_CHARACTERS])

    def found(self, what: str) -> None:
        """Keeps what a file holds, for whoever is told what is wrong."""
        self._found.append(what)

    def note(self, what: str, said: str) -> None:
        """Keeps what was accepted of `what`, an array or a file, though it is not as described."""
        self._notes.setdefault(said, []).append(what)

    def unused(self, names: Iterable[str]) -> None:
        """Keeps the names of what is passed over."""
        for name in names:
            self.note(name, "not used")

    def are_faulty(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._faults)

    def answer(self) -> str:
        """All that is wrong, what was found, what was passed over, and the line that would be right."""
        faults = self._faults[:MAX_FAULTS]
        if len(self._faults) > MAX_FAULTS:
            faults.append(f"and {len(self._faults) - MAX_FAULTS} more")
        found = f". Found: {_listed(self._found, 2 * _NAMES_SHOWN)}" if self._found else ""
        noted = "".join(f". {note}" for note in self.notes()[:_NAMES_SHOWN])
        return f"{'; '.join(faults)}{found}{noted}. Right is: {self.right}"

    def notes(self) -> list[str]:
        """What was accepted and is said, a sentence each."""
        return [f"{_listed(names, _NAMES_SHOWN)}: {said}" for said, names in self._notes.items()][:MAX_NOTES]


def _listed(names: Sequence[str], count: int) -> str:
    shown = ", ".join(name[:100] for name in names[:count])
    return f"{shown} and {len(names) - count} more" if len(names) > count else shown
