"""A Kafka of one node, broker and KRaft controller in one process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.native import private_files
from deploy.native.downloads import jars
from deploy.native.loopback import PROBE_SECONDS, listens
from deploy.native.servers.jvm import once, small_server
from deploy.native.servers.server import OPEN, USERNAME, Server

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
# Whoever connects logs in, and so does the node to itself.
SECURED = """\
listeners=LOGIN://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=LOGIN://127.0.0.1:{port}
listener.security.protocol.map=LOGIN:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=LOGIN
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.login.plain.sasl.jaas.config={login}
listener.name.controller.plain.sasl.jaas.config={login}
"""
LOGIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    'username="{name}" password="{secret}" user_{name}="{secret}";'
)
LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
)
# Names this one-node cluster; a fixed one lets a format that was interrupted be done again.
CLUSTER = "DigitServiceNativeKafk"
# The probe's topic.
TOPIC = "digits-usable"
# Kafka's client would write to stderr about a server that is still starting.
SILENT = {"log_level": 0, "error_cb": lambda _error: None, "log.connection.close": False}


class Kafka(Server):
    """See Server."""

    name = "kafka"
    setting = "log_url"
    ports = ("kafka", "kafka-controller")

    def settings(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> dict[str, object]:
        """See Server."""
        address: dict[str, object] = {"log_url": f"kafka://127.0.0.1:{ports['kafka']}"}
        if not secrets:
            return address
        login = {"kafka_sasl_username": USERNAME, "kafka_sasl_password": secrets[self.name]}
        return {
            **address,
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": "PLAIN",
            **login,
        }

    def command(
        self, folder: Path, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN
    ) -> tuple[str, ...]:
        """See Server. The command formats the storage when it runs for the first time."""
        options = (*small_server(384, folder), *LOGGING, "-cp", f"{jars.folder('kafka')}/*")
        configuration = folder / "server.properties"
        places = {"port": ports["kafka"], "controller_port": ports["kafka-controller"]}
        text = CONFIGURATION.format(folder=folder, **places)
        if secrets:
            # Of a property that comes twice, the last one holds.
            login = LOGIN.format(name=USERNAME, secret=secrets[self.name])
            text += SECURED.format(login=login, **places)
        private_files.write(configuration, text)
        tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "--cluster-id", CLUSTER)
        form = (*options, *tool, "--config", str(configuration))
        return once(folder / "formatted", form, (*options, "kafka.Kafka", str(configuration)))

    def answers(self, ports: Mapping[str, int], secrets: Mapping[str, str] = OPEN) -> bool:
        """Whether a topic can be made and written."""
        address = f"127.0.0.1:{ports['kafka']}"
        return listens(address) and _writes_a_topic(address, secrets.get(self.name, ""))

    def version(self) -> str:
        """See Server."""
        return jars.pinned_version("kafka", "kafka-clients")


def _writes_a_topic(address: str, secret: str) -> bool:
    # An extra: what does not start the real stack runs without it.
    from confluent_kafka import KafkaError, KafkaException, Producer  # noqa: PLC0415
    from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415

    options: dict[str, Any] = {"bootstrap.servers": address, **SILENT}
    if secret:
        login = {"sasl.mechanism": "PLAIN", "sasl.username": USERNAME, "sasl.password": secret}
        options |= {"security.protocol": "SASL_PLAINTEXT", **login}
    topic = NewTopic(TOPIC, num_partitions=1, replication_factor=1, config={"retention.ms": "60000"})
    # The answer never comes if the client is gone before it.
    admin = AdminClient(options)
    try:
        admin.create_topics([topic], request_timeout=PROBE_SECONDS)[TOPIC].result(PROBE_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            return False
    except TimeoutError:
        return False
    producer = Producer({**options, "acks": "all", "message.timeout.ms": int(PROBE_SECONDS * 1000)})
    written: list[bool] = []
    producer.produce(TOPIC, b"", on_delivery=lambda error, _message: written.append(error is None))
    producer.flush(2 * PROBE_SECONDS)
    return written == [True]
