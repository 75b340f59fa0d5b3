"""The base image, if no registry of images is in reach: Debian's own Python 3.11 by debootstrap.

The Dockerfile's base is Debian bookworm with a Python 3.11, and so is this stand-in. What this machine needs
to reach its package indexes (certificates, pip's settings) goes into it; nothing else gets it into a build.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.containers.errors import CannotBuild

IMAGE = "docker.io/library/python:3.11-slim-bookworm"
STAND_IN = "digits.stand-in=true"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates,netbase,tzdata"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = Path("usr/local/share/ca-certificates")
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy")
# As Debian's own container images do: packages that were installed are not kept.
APT_CLEAN = 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };\n'
PULL_SECONDS = 600


def ensure_base() -> str:
    """Puts the base image into podman's store if it is not there; returns how it came: kept, pulled or made.

    Raises CannotBuild.
    """
    if _succeeds("podman", "image", "exists", IMAGE):
        return "kept"
    if _succeeds("podman", "pull", "--quiet", IMAGE):
        return "pulled"
    with tempfile.TemporaryDirectory(prefix="digits-base-") as folder:
        root = Path(folder)
        _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root))
        complete(root)
        _import(root)
    return "made"


def complete(root: Path) -> None:
    """Makes `python` and `pip` what they are in the real base, and adds what this machine's builds need."""
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(APT_CLEAN, encoding="utf-8")
    for certificate in Path("/", CERTIFICATES).glob("*.crt"):
        (root / CERTIFICATES / certificate.name).write_bytes(certificate.read_bytes())
    (root / "etc/pip.conf").write_text(pip_configuration(_pip_config_list()), encoding="utf-8")
    _run("chroot", str(root), "update-ca-certificates")
    _run("chroot", str(root), "python3", "-m", "venv", "/usr/local")
    _run("chroot", str(root), "apt-get", "clean")
    _run("chroot", str(root), "sh", "-c", "rm -rf /var/lib/apt/lists/* /var/log/*.log")


def pip_configuration(listed: str) -> str:
    """A pip.conf with what `pip config list` says of indexes; certificates are the system's."""
    lines = ["[global]", "cert = /etc/ssl/certs/ca-certificates.crt"]
    for line in listed.splitlines():
        found = re.fullmatch(r"(?:global|install|:env:)\.([a-z-]+)=(.+)", line)
        if found and found[1] in PIP_SETTINGS:
            lines.append(f"{found[1]} = {' '.join(ast.literal_eval(found[2]).split())}")
    return "\n".join(lines) + "\n"


def _pip_config_list() -> str:
    command = [sys.executable, "-m", "pip", "config", "list"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _import(root: Path) -> None:
    changes = (f"ENV PATH={PATH}", 'CMD ["python3"]', f"LABEL {STAND_IN}")
    options = [word for change in changes for word in ("--change", change)]
    packed = root.with_suffix(".tar")
    try:
        _run("tar", "--create", "--directory", str(root), "--file", str(packed), ".")
        _run("podman", "import", "--quiet", *options, str(packed), IMAGE)
    finally:
        packed.unlink(missing_ok=True)


def _succeeds(*command: str) -> bool:
    done = subprocess.run(command, capture_output=True, check=False, timeout=PULL_SECONDS)
    return done.returncode == 0


def _run(*command: str) -> None:
    """Runs a command; raises CannotBuild with what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}")
