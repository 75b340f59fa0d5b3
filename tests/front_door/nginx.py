"""The real nginx with the configuration of deploy/nginx; only ports and addresses are replaced."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests
import trustme

from tests.conftest import ROOT, missing
from tests.ports import free_port
from tests.waiting import wait_until

SOURCE = ROOT / "deploy" / "nginx"
GRPC, REST = "listen 50443 ", "listen 8443 "
SERVERS = ("127.0.0.1:50051", "127.0.0.1:50052")
BRIDGES = ("127.0.0.1:5000", "127.0.0.1:5001")


class Nginx:
    """One nginx in a folder of its own, as somebody without rights."""

    def __init__(self, folder: Path, servers: Sequence[str], bridges: Sequence[str]) -> None:
        self.folder = folder
        self.grpc_port, self.rest_port = free_port(), free_port()
        self.replace("grpc.conf", GRPC, f"listen 127.0.0.1:{self.grpc_port} ")
        self.replace("rest.conf", REST, f"listen 127.0.0.1:{self.rest_port} ")
        for documented, given in zip((*SERVERS, *BRIDGES), (*servers, *bridges), strict=True):
            self.replace("upstreams.conf", f"server {documented} ", f"server {given} ")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def grpc_address(self) -> str:
        """Where gRPC is."""
        return f"localhost:{self.grpc_port}"

    @property
    def rest_url(self) -> str:
        """Where REST is."""
        return f"https://localhost:{self.rest_port}"

    @property
    def ca_file(self) -> Path:
        """Who vouches for its certificate."""
        return self.folder / "ca.pem"

    def replace(self, name: str, documented: str, given: str) -> None:
        """Replaces a piece of a file that is in it once."""
        text = (self.folder / name).read_text()
        assert text.count(documented) == 1, f"{name} has {documented!r} {text.count(documented)} times"
        (self.folder / name).write_text(text.replace(documented, given))

    def start(self) -> None:
        """Starts it as it is documented and waits until it listens."""
        command = [nginx_binary(), "-p", str(self.folder), "-c", "nginx.conf", "-g", "daemon off;"]
        nobody = pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(command, user=nobody, stdout=output, stderr=output)
        wait_until(self._listens, what="nginx")

    def reload(self) -> None:
        """Has the files read again and waits until new workers have taken over."""
        assert self._process
        before = {worker.pid for worker in self.processes()[1:]}
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: bool({worker.pid for worker in self.processes()[1:]} - before), what="new workers")

    def stop(self) -> None:
        """Ends it at once."""
        if self._process:
            self._process.terminate()
            self._process.wait()

    def processes(self) -> list[psutil.Process]:
        """The master and its workers."""
        assert self._process
        master = psutil.Process(self._process.pid)
        return [master, *master.children()]

    def calls(self) -> list[dict[str, Any]]:
        """The access log."""
        return [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]

    def errors(self) -> str:
        """The error log."""
        return (self.folder / "error.log").read_text()

    def _listens(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "output").read_text()
        listening = {c.laddr.port for c in self.processes()[0].net_connections("tcp") if not c.raddr}
        return {self.grpc_port, self.rest_port} <= listening and len(self.processes()) > 1


def nginx_binary() -> str:
    """The path of nginx, which Debian puts where a user's PATH does not look."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or missing("nginx on PATH")


def nobody_answers() -> list[str]:
    """Two addresses at which nothing listens."""
    return [f"127.0.0.1:{free_port()}" for _ in range(2)]


@contextmanager
def configured(
    authority: trustme.CA,
    servers: Sequence[str] = (),
    bridges: Sequence[str] = (),
    **certificate: Any,
) -> Iterator[Nginx]:
    """An nginx that is not started yet, with a certificate by `authority` for this machine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in SOURCE.glob("*.conf"):
            shutil.copy(source, folder)
        (folder / "tls").mkdir()
        issued = authority.issue_cert("localhost", "127.0.0.1", **certificate)
        issued.private_key_pem.write_to_path(folder / "tls" / "key.pem")
        for part in issued.cert_chain_pems:
            part.write_to_path(folder / "tls" / "certificate.pem", append=True)
        authority.cert_pem.write_to_path(folder / "ca.pem")
        nginx = Nginx(folder, servers or nobody_answers(), bridges or nobody_answers())
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for path in (folder, *folder.rglob("*")):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        try:
            yield nginx
        finally:
            nginx.stop()


@contextmanager
def running(
    authority: trustme.CA, servers: Sequence[str] = (), bridges: Sequence[str] = ()
) -> Iterator[Nginx]:
    """The same, started."""
    with configured(authority, servers, bridges) as nginx:
        nginx.start()
        yield nginx


def session(nginx: Nginx, token: str = "") -> requests.Session:
    """An HTTP client that knows who vouches for it."""
    made = requests.Session()
    # Else a REQUESTS_CA_BUNDLE of the environment is preferred.
    made.trust_env = False
    made.verify = str(nginx.ca_file)
    if token:
        made.headers["Authorization"] = f"Bearer {token}"
    return made
