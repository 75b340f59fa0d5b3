"""A ZooKeeper server from the jars inside pyspark's wheel."""

from __future__ import annotations

from pathlib import Path

from deploy.native.jvm import log4j2_to_console, small_server

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
# All of pyspark's jars on the class path would cost a second of start-up.
JARS = ("zookeeper", "slf4j-api", "log4j", "netty", "metrics-core", "snappy-java", "commons-io")
# In kilobytes: a log file of 1 MB instead of 64.
SMALL_LOG_FILES = "-Dzookeeper.preAllocSize=1024"
# The main of ensembles and of single servers; the one for single servers alone would never purge.
MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"


def zookeeper_command(java: str, jars: Path, folder: Path, port: int) -> tuple[str, ...]:
    """Writes the configuration below `folder` and returns the command that serves it on 127.0.0.1."""
    options = (*small_server(java, 192, folder), log4j2_to_console(folder), SMALL_LOG_FILES)
    configuration = folder / "zoo.cfg"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port), encoding="utf-8")
    class_path = ":".join(str(jar) for name in JARS for jar in sorted(jars.glob(f"{name}*.jar")))
    return (*options, "-cp", class_path, MAIN, str(configuration))
