"""How ZooKeeper is reached: who we are to it, whom we take for it, and who may touch what we make there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kazoo.security import CREATOR_ALL_ACL

from digits.settings import Settings

TLS_SCHEME = "zookeeper+tls"


@dataclass(frozen=True)
class ZooKeeperAccess:
    """Without a name, nobody asks who we are and everybody may do everything. Files are PEM."""

    scheme: str = "digest"
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> ZooKeeperAccess:
        """What the settings say."""
        return cls(
            scheme=settings.zookeeper_scheme,
            username=settings.zookeeper_username,
            password=settings.zookeeper_password.get_secret_value(),
            tls=urlsplit(settings.coordinator_url).scheme == TLS_SCHEME,
            ca_file=settings.zookeeper_ca_file,
            certificate_file=settings.zookeeper_certificate_file,
            key_file=settings.zookeeper_key_file,
        )

    def kazoo(self) -> dict[str, Any]:
        """The options of a KazooClient: what it creates with them is its creator's alone."""
        return {**self._login(), **self._tls()}

    def _login(self) -> dict[str, Any]:
        if not self.username:
            return {}
        if self.scheme == "sasl":
            # The password is not sent: both sides prove that they know it.
            login = {"mechanism": "DIGEST-MD5", "username": self.username, "password": self.password}
            return {"sasl_options": login, "default_acl": CREATOR_ALL_ACL}
        credential = f"{self.username}:{self.password}"
        return {"auth_data": [("digest", credential)], "default_acl": CREATOR_ALL_ACL}

    def _tls(self) -> dict[str, Any]:
        if not self.tls:
            return {}
        files = {"ca": self.ca_file, "certfile": self.certificate_file, "keyfile": self.key_file}
        given = {name: str(path) for name, path in files.items() if path}
        return {"use_ssl": True, "verify_certs": True, "check_hostname": True, **given}


OPEN = ZooKeeperAccess()
