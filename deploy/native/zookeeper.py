"""A ZooKeeper server from the jars inside pyspark's wheel."""

from __future__ import annotations

from pathlib import Path

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
LOGGING = """\
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %-5p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
"""
# All of pyspark's jars on the class path would cost a second of start-up.
JARS = ("zookeeper", "slf4j-api", "log4j", "netty", "metrics-core", "snappy-java", "commons-io")
# Serial collector and C1 only: the server holds a few thousand small nodes, and starts in half the time.
# preAllocSize is in kilobytes: a log file of 1 MB instead of 64.
JAVA_OPTIONS = (
    "-Xmx192m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dzookeeper.preAllocSize=1024",
    "-Djava.net.preferIPv4Stack=true",
)
MAIN = "org.apache.zookeeper.server.ZooKeeperServerMain"


def zookeeper_command(java: str, jars: Path, folder: Path, port: int) -> tuple[str, ...]:
    """Writes the configuration below `folder` and returns the command that serves it on 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration, logging = folder / "zoo.cfg", folder / "log4j2.properties"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port), encoding="utf-8")
    logging.write_text(LOGGING, encoding="utf-8")
    class_path = ":".join(str(jar) for name in JARS for jar in sorted(jars.glob(f"{name}*.jar")))
    log_option = f"-Dlog4j2.configurationFile={logging}"
    return (java, *JAVA_OPTIONS, log_option, "-cp", class_path, MAIN, str(configuration))
