"""How Kafka is reached: the same connection in the words of librdkafka and of Spark's connector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_LOGIN_MODULE = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


@dataclass(frozen=True)
class KafkaConnection:
    """The brokers, and what they want to see of us. Files are PEM."""

    brokers: tuple[str, ...]
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: str = field(default="", repr=False)
    ssl_ca_file: str = ""
    ssl_certificate_file: str = ""
    ssl_key_file: str = ""

    def librdkafka(self) -> dict[str, str]:
        """The options of confluent-kafka's clients."""
        options = {
            "bootstrap.servers": ",".join(self.brokers),
            "security.protocol": self.security_protocol,
        }
        if self._uses_sasl():
            options |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.sasl_username,
                "sasl.password": self.sasl_password,
            }
        if self._uses_ssl():
            options |= _given(
                {
                    "ssl.ca.location": self.ssl_ca_file,
                    "ssl.certificate.location": self.ssl_certificate_file,
                    "ssl.key.location": self.ssl_key_file,
                }
            )
        return options

    def spark(self) -> dict[str, str]:
        """The options of Spark's source: those of Kafka's Java client, with a prefix."""
        options = {
            "bootstrap.servers": ",".join(self.brokers),
            "security.protocol": self.security_protocol,
        }
        if self._uses_sasl():
            options |= {"sasl.mechanism": self.sasl_mechanism, "sasl.jaas.config": self._jaas()}
        if self._uses_ssl():
            options |= self._stores()
        return {f"kafka.{name}": value for name, value in options.items()}

    def _uses_sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    def _uses_ssl(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def _jaas(self) -> str:
        module = _LOGIN_MODULE[self.sasl_mechanism]
        username, password = _quoted(self.sasl_username), _quoted(self.sasl_password)
        return f"{module} required username={username} password={password};"

    def _stores(self) -> dict[str, str]:
        """Contents instead of files, which would have to be on each executor's machine too."""
        options: dict[str, str] = {}
        if self.ssl_ca_file:
            options |= {
                "ssl.truststore.type": "PEM",
                "ssl.truststore.certificates": _text(self.ssl_ca_file),
            }
        if self.ssl_certificate_file:
            options |= {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.certificate.chain": _text(self.ssl_certificate_file),
                "ssl.keystore.key": _text(self.ssl_key_file),
            }
        return options


def _given(options: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in options.items() if value}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(path: str) -> str:
    return Path(path).read_text(encoding="ascii")
