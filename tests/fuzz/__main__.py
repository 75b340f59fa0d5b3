"""Goes on at each target for some seconds: `python -m tests.fuzz SECONDS [TARGET ...]`."""

from __future__ import annotations

import sys
import time

from tests.fuzz.targets import TARGETS, feed_all

_AT_A_TIME = 200


def main() -> None:
    """Prints how many files each target read; ends with 1 if one of them was a fault."""
    seconds, names = float(sys.argv[1]), sys.argv[2:] or list(TARGETS)
    faults = 0
    for name in names:
        end, count = time.monotonic() + seconds, 0
        try:
            while time.monotonic() < end:
                feed_all(TARGETS[name], _AT_A_TIME, repeatable=False)
                count += _AT_A_TIME
        except Exception as error:
            # Hypothesis has written the file, which is shown with the error's notes.
            faults += 1
            print(
                f"{name}: after {count:,} files: {error!r}",
                *getattr(error, "__notes__", ()),
                sep="\n",
                flush=True,
            )
        else:
            print(f"{name}: {count:,} files, no fault", flush=True)
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
