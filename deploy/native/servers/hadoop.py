"""The configuration that HDFS's NameNode and DataNode have in common."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from deploy.native.downloads import jars
from deploy.native.servers.jvm import small_server

HOST = "127.0.0.1"
# Everyone on this machine's loopback is the same user, so permissions would only be in the way.
# Safe mode ends with the first DataNode: waiting for every block, one lost block would keep it on for ever.
EVERYWHERE = {
    "dfs.replication": "1",
    "dfs.permissions.enabled": "false",
    "dfs.namenode.safemode.threshold-pct": "0",
    "dfs.namenode.safemode.min.datanodes": "1",
    "dfs.namenode.safemode.extension": "0",
    "dfs.namenode.datanode.registration.ip-hostname-check": "false",
    "dfs.namenode.handler.count": "8",
    # A published file outlives a power cut.
    "dfs.datanode.synconclose": "true",
    # A file is closed when the NameNode has heard of its last block. Asking again after 400 ms, the default,
    # made most publishes take that long: p50 480 ms for 1 MB instead of 76.
    "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "20",
    "dfs.client.block.write.locateFollowingBlock.retries": "10",
    "dfs.datanode.hostname": HOST,
    "dfs.heartbeat.interval": "1",
}

LOGGING = """\
log4j.rootLogger=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %-5p %c{1} %m%n
"""


def java_options(folder: Path, rpc_port: int, site: Mapping[str, str]) -> tuple[str, ...]:
    """Writes the configuration below `folder`; returns the command up to the main class.

    `rpc_port` is the NameNode's; `site` are the properties of this server alone. Raises CannotStart.
    """
    options, hadoop = small_server(256, folder), jars.folder("hdfs")
    core = {"fs.defaultFS": f"hdfs://{HOST}:{rpc_port}", "hadoop.tmp.dir": str(folder / "tmp")}
    configuration = folder / "conf"
    configuration.mkdir(exist_ok=True)
    (configuration / "core-site.xml").write_text(_xml(core), encoding="utf-8")
    (configuration / "hdfs-site.xml").write_text(_xml({**EVERYWHERE, **site}), encoding="utf-8")
    (configuration / "log4j.properties").write_text(LOGGING, encoding="utf-8")
    _unpack_web_pages(hadoop, configuration)
    return (*options, "-cp", f"{configuration}:{hadoop}/*")


def _unpack_web_pages(hadoop: Path, target: Path) -> None:
    """Left in the jar, its web server would unpack all 56 MB of it to find them: 10 s at each start."""
    with zipfile.ZipFile(next(hadoop.glob("hadoop-client-minicluster-*.jar"))) as jar:
        jar.extractall(target, [name for name in jar.namelist() if name.startswith("webapps/")])


def _xml(properties: Mapping[str, str]) -> str:
    lines = [
        f"  <property><name>{name}</name><value>{escape(value)}</value></property>"
        for name, value in properties.items()
    ]
    return "\n".join(["<configuration>", *lines, "</configuration>", ""])
