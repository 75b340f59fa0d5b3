"""A Kafka of one node, broker and KRaft controller in one process."""

from __future__ import annotations

from pathlib import Path

from deploy.native.jvm import once, small_server

# One node, so that everything Kafka keeps for itself has one replica too, and few partitions.
# The cleaner's buffer is 128 MB by default, more than everything else on the heap.
CONFIGURATION = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.voters=1@127.0.0.1:{controller_port}
log.dirs={folder}/data
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
log.segment.bytes=33554432
log.index.size.max.bytes=1048576
log.retention.hours=24
log.retention.check.interval.ms=60000
log.segment.delete.delay.ms=1000
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=4
background.threads=2
"""
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
)
# Names this one-node cluster; a fixed one lets a format that was interrupted be done again.
CLUSTER = "DigitServiceNativeKafk"


def kafka_command(java: str, jars: Path, folder: Path, port: int, controller_port: int) -> tuple[str, ...]:
    """Writes the configuration below `folder` and returns the command that serves it on 127.0.0.1:`port`.

    The command formats the storage when it runs for the first time.
    """
    options = (*small_server(java, 384, folder), *LOGGING, "-cp", f"{jars}/*")
    configuration = folder / "server.properties"
    configuration.write_text(
        CONFIGURATION.format(folder=folder, port=port, controller_port=controller_port), encoding="utf-8"
    )
    tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "--cluster-id", CLUSTER)
    form = (*options, *tool, "--config", str(configuration))
    return once(folder / "formatted", form, (*options, "kafka.Kafka", str(configuration)))
