"""What it costs to be watched: `python -m benchmarks.scraping`.

Classify's calls a second at 16 clients, with nobody scraping and with server, workers and bridge scraped
every second; in turns, since a machine's speed wanders. Exits with 1 if the loss is 2 % or more.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import uvloop

from benchmarks.beside import beside
from benchmarks.classify import load
from benchmarks.service import running_service
from benchmarks.training import train
from deploy.native.folder import StateFolder
from digits.client.client import Client
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb

_TURNS = 8
_SECONDS = 8.0
_MAX_LOSS = 0.02


def main() -> None:
    """Prints both rates and the loss."""
    with np.load("data/mnist.npz") as data:
        pictures = [image.tobytes() for image in data["x_test"][:1000]]
    requests = [pb.ClassifyRequest(pixels=pixels).SerializeToString() for pixels in pictures]
    alone, scraped = [], []
    with running_service() as service:
        with Client(service.server) as client:
            train(client, "fast", seed=0)

        def rate() -> float:
            return uvloop.run(load(service.server, 16, _SECONDS, requests)).calls_per_second

        rate()
        for _ in range(_TURNS):
            alone.append(rate())
            with scraping(service):
                scraped.append(rate())
    # Of neighbours in time: the machine wanders more than scraping costs.
    loss = statistics.median(1 - with_it / without for without, with_it in zip(alone, scraped, strict=True))
    print(f"alone   {statistics.median(alone):,.0f} calls/s ({min(alone):,.0f} to {max(alone):,.0f})")
    print(f"scraped {statistics.median(scraped):,.0f} calls/s ({min(scraped):,.0f} to {max(scraped):,.0f})")
    print(f"loss    {loss:.1%}, median of {_TURNS} turns")
    sys.exit(loss >= _MAX_LOSS)


@contextmanager
def scraping(service: Settings) -> Iterator[None]:
    """Reads every process's metrics each second, as Prometheus would."""
    groups = json.loads(StateFolder.at(service.var_dir).metrics_targets.read_text(encoding="utf-8"))
    urls = [f"http://{target}/metrics" for group in groups for target in group["targets"]]

    def scrape(over: threading.Event) -> None:
        while not over.wait(1.0):
            for url in urls:
                with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310
                    reply.read()

    with beside(scrape):
        yield


if __name__ == "__main__":
    main()
