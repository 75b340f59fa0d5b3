"""A ZooKeeper server from the jars inside pyspark's wheel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.native import private_files
from deploy.native.loopback import ask
from deploy.native.servers import java
from deploy.native.servers.jvm import log4j2_to_console, small_server
from deploy.native.servers.server import OPEN, USERNAME, Server
from deploy.native.versions import first_version

# Sessions live 2 to 20 ticks. One node, so nothing here is about ensembles.
CONFIGURATION = """\
dataDir={folder}/data
clientPort={port}
clientPortAddress=127.0.0.1
tickTime=2000
maxClientCnxns=1000
admin.enableServer=false
4lw.commands.whitelist=srvr
autopurge.snapRetainCount=3
autopurge.purgeInterval=1
"""
# Without a login by SASL, a client is told nothing.
SECURED = """\
authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider
enforce.auth.enabled=true
enforce.auth.schemes=sasl
"""
LOGIN = """\
Server {{
  org.apache.zookeeper.server.auth.DigestLoginModule required user_{name}="{secret}";
}};
"""
# All of pyspark's jars on the class path would cost a second of start-up.
JARS = ("zookeeper", "slf4j-api", "log4j", "netty", "metrics-core", "snappy-java", "commons-io")
# In kilobytes: a log file of 1 MB instead of 64.
SMALL_LOG_FILES = "-Dzookeeper.preAllocSize=1024"
# The main of ensembles and of single servers; the one for single servers alone would never purge.
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"


class ZooKeeper(Server):
    """See Server."""

    name = "zookeeper"
    setting = "coordinator_url"
    ports = ("zookeeper",)

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """See Server."""
        address: dict[str, object] = {"coordinator_url": f"zookeeper://127.0.0.1:{ports['zookeeper']}/digits"}
        if not secrets:
            return address
        login = {"zookeeper_username": USERNAME, "zookeeper_password": secrets[self.name]}
        return {**address, "zookeeper_scheme": "sasl", **login}

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server."""
        options = (*small_server(192, folder), log4j2_to_console(folder), SMALL_LOG_FILES)
        text, configuration = CONFIGURATION.format(folder=folder, port=ports["zookeeper"]), folder / "zoo.cfg"
        if secrets:
            text, login = text + SECURED, folder / "login.conf"
            private_files.write(login, LOGIN.format(name=USERNAME, secret=secrets[self.name]))
            options = (*options, f"-Djava.security.auth.login.config={login}")
        configuration.write_text(text, encoding="utf-8")
        found = java.spark_jars()
        class_path = ":".join(str(jar) for name in JARS for jar in sorted(found.glob(f"{name}*.jar")))
        return (*options, "-cp", class_path, MAIN, str(configuration))

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether it serves clients: before that, `srvr` gets another answer."""
        return b"Mode:" in ask(ports["zookeeper"], b"srvr")

    def version(self) -> str:
        """See Server."""
        return first_version(next(java.spark_jars().glob("zookeeper-[0-9]*.jar"), Path()).name)
