"""A RabbitMQ of one node, from the machine's own installation."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.native import private_files
from deploy.native.errors import CannotStart
from deploy.native.loopback import PROBE_SECONDS, listens
from deploy.native.servers.server import OPEN, USERNAME, Server
from deploy.native.supervision import parent_death_signal
from deploy.native.versions import first_version

# Debian's /usr/sbin/rabbitmq-server runs as the user rabbitmq alone; this one as whoever asks.
DEBIANS_OWN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# A message that is not acknowledged for that long comes again: longer than the longest training, a week.
CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
consumer_timeout = 604800000
log.console = true
log.console.level = warning
log.file = false
"""
# Erlang would start its port mapper as a daemon for the whole machine, and leave it there. This one has its
# own port and dies with the server; -start_epmd keeps Erlang from starting the daemon.
SCRIPT = """\
"$1" -I -S "$2" $$ epmd -address 127.0.0.1 &
until epmd -names >/dev/null 2>&1; do sleep 0.05; done
exec "$3"
"""
# The probe's queue.
QUEUE = "digits-usable"


class RabbitMq(Server):
    """See Server."""

    name = "rabbitmq"
    setting = "broker_url"
    ports = ("rabbitmq", "rabbitmq-epmd", "rabbitmq-inner")

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """See Server."""
        address = f"127.0.0.1:{ports['rabbitmq']}//"
        if not secrets:
            return {"broker_url": f"amqp://guest:guest@{address}"}
        return {"broker_url": f"amqp://{USERNAME}@{address}", "broker_password": secrets[self.name]}

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server. Two of the ports are Erlang's."""
        binary = rabbitmq_binary()
        if binary is None:
            raise CannotStart("RabbitMQ is not installed (Debian, Ubuntu: apt-get install rabbitmq-server)")
        folder.mkdir(parents=True, exist_ok=True)
        configuration = CONFIGURATION.format(port=ports["rabbitmq"])
        if secrets:
            definitions = folder / "users.json"
            private_files.write(definitions, _users(secrets[self.name]))
            configuration += f"load_definitions = {definitions}\n"
        (folder / "rabbitmq.conf").write_text(configuration, encoding="utf-8")
        (folder / "plugins").write_text("[].\n", encoding="utf-8")
        given = _environment(folder, ports["rabbitmq-epmd"], ports["rabbitmq-inner"])
        variables = (f"{name}={value}" for name, value in given.items())
        script = (SCRIPT, "sh", sys.executable, parent_death_signal.__file__, str(binary))
        return ("env", *variables, "sh", "-c", *script)

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether it takes a connection, and a queue can be declared."""
        address = f"127.0.0.1:{ports['rabbitmq']}"
        login = (USERNAME, secrets[self.name]) if secrets else ("guest", "guest")
        return listens(address) and _declares_a_queue(address, login)

    def version(self) -> str:
        """See Server."""
        return first_version(str((rabbitmq_binary() or Path()).resolve()))


def rabbitmq_binary() -> Path | None:
    """The server's script; None if RabbitMQ is not installed."""
    found = str(DEBIANS_OWN) if DEBIANS_OWN.exists() else shutil.which("rabbitmq-server")
    return Path(found) if found and shutil.which("epmd") else None


def _environment(folder: Path, epmd_port: int, inner_port: int) -> dict[str, str]:
    """Everything it keeps goes below the folder, and what the machine's own RabbitMQ is told is not read."""
    return {
        "HOME": str(folder),
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": "digits@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
        "RABBITMQ_DIST_PORT": str(inner_port),
        # Idle schedulers sleep instead of spinning: the cores are for the training.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-noinput +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
        ),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_ZFLAGS": "-start_epmd false",
        "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
    }


def _users(password: str) -> str:
    """RabbitMQ's definitions of the one user that may log in, read at each start.

    A folder of an earlier version has the user guest with the password that everybody knows.
    """
    users = [_user(USERNAME, password), _user("guest", secrets.token_urlsafe(32))]
    everything = {"vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    permissions = [{"user": USERNAME, **everything}]
    return json.dumps({"vhosts": [{"name": "/"}], "users": users, "permissions": permissions})


def _user(name: str, password: str) -> dict[str, str]:
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "",
    }


def _declares_a_queue(address: str, login: tuple[str, str]) -> bool:
    import amqp  # noqa: PLC0415

    try:
        with amqp.Connection(
            address, *login, connect_timeout=PROBE_SECONDS, read_timeout=PROBE_SECONDS
        ) as connection:
            connection.channel().queue_declare(QUEUE, exclusive=True)
    except (amqp.AMQPError, OSError):
        return False
    return True
