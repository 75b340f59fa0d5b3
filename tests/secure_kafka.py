"""A Kafka with TLS in both directions and a login by name and password."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from digits.adapters.kafka import KafkaLog
from digits.adapters.kafka_connection import KafkaConnection
from tests.certificates import Authority, make_authority
from tests.ports import free_port
from tests.servers import kafka_server

USERNAME = "digits"
# What has to be escaped where it is written.
PASSWORD = 'se"cr\\et = ;#'  # noqa: S105
_LOGIN = "org.apache.kafka.common.security"
_SCRAM = {
    "SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256,
    "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512,
}
MECHANISMS = ("PLAIN", *_SCRAM)


@dataclass(frozen=True)
class SecureKafka:
    """Where it is, and the files of a client that it trusts."""

    port: int
    authority: Path
    certificate: Path
    key: Path

    def connection(self, mechanism: str = "SCRAM-SHA-512", password: str = PASSWORD) -> KafkaConnection:
        """A client's connection."""
        return KafkaConnection(
            (f"127.0.0.1:{self.port}",),
            security_protocol="SASL_SSL",
            sasl_mechanism=mechanism,
            sasl_username=USERNAME,
            sasl_password=password,
            ssl_ca_file=str(self.authority),
            ssl_certificate_file=str(self.certificate),
            ssl_key_file=str(self.key),
        )


def secure_log(connection: KafkaConnection) -> KafkaLog:
    """The log over a connection."""
    return KafkaLog(connection, replication_factor=1, retention_hours=1)


@contextlib.contextmanager
def secured_kafka(folder: Path) -> Iterator[SecureKafka]:
    """Runs one; its inner port, for those who set it up, is without security."""
    authority = make_authority(folder, "127.0.0.1")
    inner, port = free_port(), free_port()
    with kafka_server(folder / "kafka", inner, _properties(authority, inner, port)):
        _add_user(f"127.0.0.1:{inner}")
        yield SecureKafka(port, authority.file, authority.client.chain, authority.client.key)


def _properties(authority: Authority, inner: int, port: int) -> dict[str, str]:
    listener = "listener.name.secure"
    password = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    plain = f'{_LOGIN}.plain.PlainLoginModule required user_{USERNAME}="{password}";'
    controller = f"127.0.0.1:{free_port()}"
    addresses = f"PLAINTEXT://127.0.0.1:{inner},SECURE://127.0.0.1:{port}"
    return {
        "listeners": f"{addresses},CONTROLLER://{controller}",
        "controller.quorum.voters": f"1@{controller}",
        "advertised.listeners": addresses,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        f"{listener}.sasl.enabled.mechanisms": ",".join(MECHANISMS),
        # A properties file has escapes of its own.
        f"{listener}.plain.sasl.jaas.config": plain.replace("\\", "\\\\"),
        **{
            f"{listener}.{mechanism.lower()}.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;"
            for mechanism in _SCRAM
        },
        f"{listener}.ssl.client.auth": "required",
        f"{listener}.ssl.keystore.type": "PEM",
        f"{listener}.ssl.keystore.location": str(authority.server.both),
        f"{listener}.ssl.truststore.type": "PEM",
        f"{listener}.ssl.truststore.location": str(authority.file),
    }


def _add_user(brokers: str) -> None:
    """SCRAM's users are kept by Kafka itself, which takes one change of each in a request."""
    admin = AdminClient({"bootstrap.servers": brokers})
    for mechanism in _SCRAM.values():
        credential = ScramCredentialInfo(mechanism, 4096)
        user = UserScramCredentialUpsertion(USERNAME, credential, PASSWORD.encode())
        admin.alter_user_scram_credentials([user])[USERNAME].result(30)
