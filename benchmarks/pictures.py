"""How pictures of each kind are read: right, refused, wrong above 0.9, taken for no digit.

python -m benchmarks.pictures --server 127.0.0.1:50051     the model that serves there
python -m benchmarks.pictures --model v1.bundle            a bundle, or an ONNX file, in this process

Tune on --images train; the test images are for reporting.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np

from digits import envelope
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.models.predictor import Predictor
from digits.v1 import artifacts_pb2
from tests.pictures import digits, non_digits
from tests.pictures.reading import Answer, Reader, Tally, reader, tally
from tests.pictures.sample import of_digits, of_none


def main() -> None:
    """Prints a line for each kind, then their mean."""
    options = _options()
    with np.load(options.data) as data:
        images, labels = data[f"x_{options.images}"], data[f"y_{options.images}"]
    with _reader(options) as read:
        _print_all(
            digits.KINDS,
            lambda kind: tally(read, of_digits(kind, images, labels, options.count, options.seed)),
        )
        print()
        _print_all(
            non_digits.KINDS, lambda kind: tally(read, of_none(kind, images, options.count, options.seed))
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--server", metavar="HOST:PORT")
    what.add_argument("--model", type=Path, metavar="FILE")
    parser.add_argument("--images", choices=["train", "test"], default="train")
    parser.add_argument("--count", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="data/mnist.npz")
    return parser.parse_args()


@contextmanager
def _reader(options: argparse.Namespace) -> Iterator[Reader]:
    if options.model:
        yield reader(Predictor(network(options.model)))
        return
    with Client(options.server) as client:
        yield _served(client)


def network(path: Path) -> bytes:
    """The ONNX graph in a bundle, or in a file of its own."""
    data = path.read_bytes()
    return data if path.suffix == ".onnx" else envelope.unseal(data, artifacts_pb2.ModelBundle).onnx


def _served(client: Client) -> Reader:
    def read(data: bytes) -> Answer | None:
        try:
            answer = client.classify(image=data)
        except RemoteError as error:
            if error.code is not grpc.StatusCode.INVALID_ARGUMENT:
                raise
            return None
        return Answer(answer.digit, answer.confidence, answer.not_a_digit)

    return read


def _print_all(kinds: dict[str, object], read: Callable[[str], Tally]) -> None:
    shares = []
    for kind in kinds:
        found = read(kind)
        shares.append(_shares(found))
        _print(kind, shares[-1])
    _print("mean", np.mean(shares, axis=0))


def _shares(found: Tally) -> np.ndarray:
    return np.array([found.right, found.refused, found.sure_and_wrong, found.no_digit]) / found.count


def _print(kind: str, shares: np.ndarray) -> None:
    right, refused, sure, none = shares
    print(
        f"{kind:24} right {right:6.1%}  refused {refused:5.1%}  "
        f"wrong above 0.9 {sure:5.1%}  not a digit {none:6.1%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
