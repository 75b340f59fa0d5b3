"""The systems' images, under the names that docker-compose.yml gives them: pulled, or made in their place."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy.containers.base import PULL_SECONDS, STAND_IN
from deploy.containers.errors import CannotBuild
from deploy.native.downloads import jars
from deploy.native.servers import java

FOLDER = Path(__file__).parent


def ensure(image: str) -> str:
    """Puts a public image into podman's store; returns how it came: kept, pulled or made.

    A stand-in that is there is made again, of its old layers if nothing changed. Raises CannotBuild.
    """
    name = f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"
    found = _podman("image", "inspect", "--format={{.Labels}}", name)
    if found.returncode == 0 and STAND_IN.partition("=")[0] not in found.stdout:
        return "kept"
    if found.returncode and _podman("pull", "--quiet", name).returncode == 0:
        return "pulled"
    _make(name)
    return "made"


def _make(name: str) -> None:
    """Builds the stage that is called as the image is, without its registry and version."""
    stage = name.rpartition("/")[2].partition(":")[0]
    contexts = {
        "pyspark-jars": java.spark_jars(),
        "kafka-jars": jars.folder("kafka"),
        "hdfs-jars": jars.folder("hdfs"),
    }
    options = ("--isolation=chroot", "--format=docker", "--layers", "--pull=false")
    given = [f"--build-context={context}={folder}" for context, folder in contexts.items()]
    file = f"--file={FOLDER / 'Containerfile'}"
    command = ["buildah", "bud", *options, *given, file, f"--target={stage}", f"--tag={name}", str(FOLDER)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"the stand-in for {name} cannot be built:\n{done.stdout[-2000:]}")


def _podman(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["podman", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PULL_SECONDS)
