"""Builds the images without a Docker engine, as root: `python -m deploy.containers.build`.

With Docker it is `docker build`; docs/containers.md has the commands.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.containers.base import ensure_base
from deploy.containers.errors import CannotBuild

ROOT = Path(__file__).parents[2]
TOOLS = ("podman", "buildah", "runc", "debootstrap")
# Each image by its stage; the last stage is what is built when none is named.
IMAGES = {"serve": "digits:serve", "train": "digits:train", "embedded": "hm-predictor:dockerfile"}


def missing_tools() -> list[str]:
    """The Debian packages that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def build(stage: str) -> None:
    """Builds a stage and all that it stands on, from layers that are there already if it can.

    Raises CannotBuild.
    """
    target = [] if stage == "embedded" else [f"--target={stage}"]
    # Docker's format, since OCI's has no health checks.
    options = ("--isolation=chroot", "--format=docker", "--layers", "--pull=false", f"--tag={IMAGES[stage]}")
    log = ROOT / "build" / f"{stage}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output, mirrors() as secrets:
        command = ["buildah", "bud", *options, *target, *secrets, "."]
        done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False)
    if done.returncode:
        raise CannotBuild(
            f"{IMAGES[stage]} cannot be built; all of it is in {log}:\n{log.read_text()[-2000:]}"
        )


@contextlib.contextmanager
def mirrors() -> Iterator[list[str]]:
    """Options that tell a build of the environment's mirrors, PIP_INDEX_URL and DIGITS_MAVEN_URL.

    As secrets, since build arguments stay in an image's history.
    """
    with tempfile.TemporaryDirectory(prefix="digits-secrets-") as folder:
        options = []
        if index := os.environ.get("PIP_INDEX_URL"):
            configuration = Path(folder, "pip.conf")
            configuration.write_text(f"[global]\nindex-url = {index}\n", encoding="utf-8")
            options.append(f"--secret=id=pip,src={configuration}")
        if "DIGITS_MAVEN_URL" in os.environ:
            options.append("--secret=id=maven,env=DIGITS_MAVEN_URL")
        yield options


def size_megabytes(image: str) -> int:
    """The size of an image, its base included."""
    command = ["podman", "image", "inspect", "--format", "{{.Size}}", image]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) // 10**6


def build_all() -> None:
    """Builds every image and says how long each took and how large it is. Raises CannotBuild."""
    if missing_tools():
        raise CannotBuild(f"not installed: {', '.join(missing_tools())}; Debian has each as a package")
    began = time.monotonic()
    print(f"base image {ensure_base()}: {time.monotonic() - began:.0f} s", flush=True)
    for stage, image in IMAGES.items():
        began = time.monotonic()
        build(stage)
        print(f"{image}: {time.monotonic() - began:.0f} s, {size_megabytes(image)} MB", flush=True)


if __name__ == "__main__":
    try:
        build_all()
    except CannotBuild as failure:
        sys.exit(f"digits: {failure}")
