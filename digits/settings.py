"""Every setting of every process, read once from the environment (prefix DIGITS_)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from digits.limits import DEFAULT_GRPC_PORT


class Settings(BaseSettings):
    """Read by entry points alone and handed on; nothing else reads the environment."""

    model_config = SettingsConfigDict(env_prefix="DIGITS_", frozen=True, extra="ignore")

    var_dir: Path = Field(Path("var"), description="Folder for all state and logs.")
    data_dir: Path = Field(Path("data"), description="Folder that paths in requests resolve under.")

    secrets_dir: Path | None = Field(
        None,
        description="Folder with a file for each secret setting, named like its variable in small letters "
        "(digits_zookeeper_password); a variable comes first.",
    )

    grpc_host: str = Field("127.0.0.1", description="Address that the gRPC server listens on.")
    grpc_port: int = Field(DEFAULT_GRPC_PORT, ge=0, le=65535, description="Port of the gRPC server.")
    rest_host: str = Field("127.0.0.1", description="Address that the REST bridge listens on.")
    rest_port: int = Field(5000, ge=0, le=65535, description="Port of the REST bridge.")
    rest_names: str = Field(
        "",
        description="Names, with commas between them, by which callers without tokens may call the bridge, "
        "beside localhost; by any other, a web page could reach it.",
    )
    server_address: str = Field("", description="gRPC address that the bridge and the command line call.")
    health_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port on which the server answers gRPC health checks alone, without TLS and tokens, for "
        "probes that have neither; 0 for none.",
    )
    metrics_host: str = Field(
        "127.0.0.1",
        description="Address on which a server or a worker shows its metrics, in plain text and without "
        "tokens: another than loopback only where nobody else reaches it.",
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of a server's or a worker's /metrics; 0 for none. `digits up` gives the server "
        "this one, the classify worker the next and the train worker the one after; for 0 it takes free "
        "ones. The bridge shows its own beside its other paths.",
    )
    trace_endpoint: str = Field(
        "",
        description="Where spans are sent to, by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; "
        "empty for nowhere. Needs the extra `traces`.",
    )
    trace_ratio: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the traces that begin here which is kept; callers decide on theirs.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How each event is logged, on one line: for people, or as a JSON object."
    )
    access_log: bool = Field(
        False, description="Whether servers and bridge log every call that they answered."
    )
    drain_seconds: float = Field(
        10.0, ge=0, description="How long accepted calls may take once a server was told to stop."
    )
    drain_notice_seconds: float = Field(
        0.0,
        ge=0,
        description="How long a server that was told to stop still takes calls, and says that it is not "
        "ready: the time that balancers take to hear of it.",
    )

    tls_certificate_file: Path | None = Field(
        None,
        description="PEM file of the certificate chain that gRPC and REST show; with its key, TLS is on.",
    )
    tls_key_file: Path | None = Field(None, description="PEM file of that certificate's key.")
    tls_client_ca_file: Path | None = Field(
        None,
        description="PEM file of who vouches for callers; with it, gRPC and REST want their certificate "
        "(mutual TLS).",
    )
    tokens_file: Path | None = Field(
        None,
        description="File of the bearer tokens that callers need: a line each, NAME ROLE[,ROLE] SHA-256 "
        "[until=TIME].",
    )
    allow_insecure: bool = Field(
        False, description="Whether we may listen beyond loopback without TLS or without tokens."
    )
    server_tls: bool = Field(
        False, description="Whether the bridge and the command line call the server by TLS."
    )
    server_ca_file: Path | None = Field(
        None,
        description="PEM file of who vouches for the server, if not this machine's list does; turns TLS on.",
    )
    client_certificate_file: Path | None = Field(
        None, description="PEM file of the certificate chain that the bridge and the command line show."
    )
    client_key_file: Path | None = Field(None, description="PEM file of that certificate's key.")
    token: SecretStr = Field(SecretStr(""), description="Bearer token that the command line shows.")
    max_calls_per_caller: int = Field(
        512, gt=0, description="Most calls of one caller that a server answers at a time; more are refused."
    )
    max_jobs_per_caller: int = Field(
        8, gt=0, description="Most jobs of one caller that are not finished; more Train calls are refused."
    )

    batches_url: str = Field(
        "",
        description="Folder of an HDFS below which batches may be, beside the data folder: "
        "webhdfs://HOST:PORT[,HOST:PORT]/PATH or swebhdfs://…; then images_batch_path may be an address.",
    )
    executors_read_batches: bool = Field(
        False,
        description="Batches in HDFS are read by tasks of Spark, straight to Kafka, and not by the train "
        "worker, which feeds some sixty cores. Executors then have to reach HDFS, and to have the PEM files "
        "that settings name for HDFS and Kafka.",
    )
    store_url: str = Field(
        "",
        description="Artifact store: file://FOLDER or webhdfs://HOST:PORT[,HOST:PORT]/PATH, where the hosts "
        "are an HDFS's NameNodes, or swebhdfs://…, by TLS, which checks their names; by default a folder in "
        "the state folder.",
    )
    webhdfs_user: str = Field(
        "", description="Who we are to an HDFS without security; by default, ourselves."
    )
    webhdfs_token: SecretStr = Field(
        SecretStr(""), description="Delegation token of a secured HDFS, with swebhdfs://."
    )
    webhdfs_ca_file: Path | None = Field(
        None, description="PEM file of who vouches for HDFS, if not this machine's list does."
    )
    log_url: str = Field(
        "",
        description="Log of image blocks: file://FOLDER or kafka://HOST:PORT[,HOST:PORT]; by default a "
        "folder in the state folder.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How Kafka's brokers are spoken to."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How we say who we are, with a SASL protocol."
    )
    kafka_sasl_username: str = Field("", description="Who we are, with a SASL protocol.")
    kafka_sasl_password: SecretStr = Field(SecretStr(""), description="What proves it.")
    kafka_ssl_ca_file: str = Field(
        "", description="PEM file of who vouches for the brokers, with an SSL protocol."
    )
    kafka_ssl_certificate_file: str = Field("", description="PEM file of our own certificate chain, if any.")
    kafka_ssl_key_file: str = Field("", description="PEM file of its key: PKCS #8, not encrypted.")
    kafka_replication_factor: int = Field(1, gt=0, description="On how many brokers a job's log is.")
    kafka_retention_hours: int = Field(
        168,
        gt=0,
        description="How long Kafka keeps a job's log that nobody deletes; above any training's time.",
    )
    coordinator_url: str = Field(
        "zookeeper://127.0.0.1:2181/digits",
        description="ZooKeeper: zookeeper://HOST:PORT[,HOST:PORT]/CHROOT, or zookeeper+tls://…, which checks "
        "the host's name.",
    )
    zookeeper_scheme: Literal["digest", "sasl"] = Field(
        "digest",
        description="How we say who we are to ZooKeeper, with a name: sasl (DIGEST-MD5) does not send the "
        "password.",
    )
    zookeeper_username: str = Field(
        "",
        description="Who we are to ZooKeeper; with it, nobody else may read or change what we make there.",
    )
    zookeeper_password: SecretStr = Field(SecretStr(""), description="What proves it.")
    zookeeper_ca_file: Path | None = Field(
        None,
        description="PEM file of who vouches for ZooKeeper, with zookeeper+tls://, beside this machine's "
        "list.",
    )
    zookeeper_certificate_file: Path | None = Field(
        None, description="PEM file of the certificate chain that we show to ZooKeeper, if any."
    )
    zookeeper_key_file: Path | None = Field(None, description="PEM file of that certificate's key.")
    broker_url: str = Field(
        "redis://127.0.0.1:6379/0",
        description="Celery's broker: redis://… (Redis, Valkey) or amqp://… (RabbitMQ); by TLS, which checks "
        "the host's name, rediss://… and amqps://….",
    )
    broker_password: SecretStr = Field(
        SecretStr(""), description="What proves who we are to the broker, if its address does not say it."
    )
    broker_ca_file: Path | None = Field(
        None, description="PEM file of who vouches for the broker, if not this machine's list does."
    )
    broker_certificate_file: Path | None = Field(
        None, description="PEM file of the certificate chain that we show to the broker, if any."
    )
    broker_key_file: Path | None = Field(None, description="PEM file of that certificate's key.")
    spark_master: str = Field("local[*]", description="Spark's master: local[*], spark:// or k8s://.")
    spark_secret: SecretStr = Field(
        SecretStr(""),
        description="What driver, master and workers of a spark:// cluster share "
        "(spark.authenticate.secret): with it they talk to nobody else, and encrypt it.",
    )
    spark_driver_host: str = Field("127.0.0.1", description="Address by which executors reach the driver.")
    spark_cores: int = Field(
        2, gt=0, description="Cores that the train worker takes of a Spark cluster; local[*] takes them all."
    )
    spark_jars_dir: Path | None = Field(
        None, description="Folder of the jars that Spark needs for Kafka: its connector."
    )

    coordinator_session_seconds: float = Field(
        6.0, gt=0, description="How long ZooKeeper waits for a silent process before its leases end."
    )
    max_request_bytes: int = Field(
        64 << 20, gt=0, description="Largest gRPC message, in bytes (mnist.npz is 11 MB)."
    )
    max_upload_bytes: int = Field(
        64 << 20,
        gt=0,
        description="Largest batch of images that may be uploaded, in bytes; larger ones belong into the "
        "data folder.",
    )
    max_image_bytes: int = Field(10 << 20, gt=0, description="Largest picture file, in bytes.")
    picture_processes: int = Field(
        3,
        ge=0,
        description="Processes of a server that read picture files, of 60 MB each, started by the first one; "
        "with 0 its own threads read them.",
    )
    max_dataset_bytes: int = Field(
        1 << 30, gt=0, description="Largest unpacked batch of images, in bytes (MNIST is 55 MB)."
    )

    classify_queue_timeout_seconds: float = Field(
        1.0, gt=0, description="How long Classify waits for a worker before the server's local model answers."
    )
    classify_max_batch: int = Field(
        256, gt=0, description="Most pictures in one Celery task; ONNX Runtime gains nothing above."
    )
    classify_max_waiting: int = Field(
        4096, gt=0, description="Most pictures waiting in a server; more are refused."
    )
    heartbeat_seconds: float = Field(2.0, gt=0, le=5, description="Longest silence of a progress stream.")
    target_batch_seconds: float = Field(
        5.0,
        gt=0,
        description="Time that a micro-batch should take, of very many images up to 20 s: throughput against "
        "latency.",
    )
    checkpoint_micro_batches: int = Field(
        1,
        gt=0,
        description="Micro-batches from one checkpoint to the next: a kill costs as many, and a checkpoint "
        "takes 0.01 s in a folder and 0.1 s in HDFS.",
    )
    straggler_factor: float = Field(
        3.0,
        ge=1,
        description="A partition of a micro-batch that is at work for so many times "
        "DIGITS_TARGET_BATCH_SECONDS leaves the rest of its images to the next one: nobody waits for a slow "
        "machine.",
    )
    trainer_memory_bytes: int = Field(
        4 << 30,
        gt=0,
        description="Memory that the partition trainers of one job may take together, in bytes.",
    )
    network_bytes_per_second: int = Field(
        # A gigabit a second.
        125_000_000,
        gt=0,
        description="What the train worker's machine sends or takes, in bytes a second. It limits a job's "
        "partitions, unless SPARK_MASTER is local and executors are on that machine.",
    )
    reference_batch: str = Field(
        "mnist.npz",
        description="Batch below the data folder whose test images judge every model beside its own held-out "
        "ones, and are never trained on; empty for none.",
    )
    max_reference_loss_points: float = Field(
        0.5,
        ge=0,
        description="By how many points of a hundred a model that takes over may be worse on the reference "
        "set than what serves.",
    )
    min_reference_accuracy: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Share of the reference set that the first model has to read; 500 images teach 95 %.",
    )
    max_labels_per_caller: int = Field(
        10_000, gt=0, description="Most pictures that one caller may label; a picture has 1 KB."
    )
    rollback_on_live_labels: bool = Field(
        False,
        description="Whether the version before serves again once what people reported says with 99 % "
        "confidence that the one that serves is worse.",
    )
    max_attempts: int = Field(
        3, gt=0, description="How often in a row a job may take its worker down without getting further."
    )
    max_job_hours: float = Field(
        24.0,
        gt=0,
        description="Longest time of a job, in hours from when a train worker first had it; then it fails.",
    )
    keep_jobs_days: float = Field(
        30.0, gt=0, description="How long finished jobs and their request ids are kept."
    )
    keep_jobs: int = Field(
        1000, ge=0, description="Most finished jobs that are kept: the newest. A record has 25 KB at most."
    )
    keep_models_days: float = Field(
        90.0,
        gt=0,
        description="How long versions that never served are kept. What serves, did, or is pinned stays.",
    )
    keep_models: int = Field(
        100, ge=0, description="Most versions that never served that are kept: the newest. One has 1 MB."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then the environment, then the files of `secrets_dir`."""
        given = (init_settings, env_settings)
        folder = next((found for source in given if (found := source().get("secrets_dir"))), None)
        return (*given, SecretsSettingsSource(settings_cls, folder)) if folder else given

    @cached_property
    def store(self) -> str:
        """URL of the artifact store."""
        return self.store_url or f"file://{(self.var_dir / 'store').resolve()}"

    @cached_property
    def log(self) -> str:
        """URL of the log of image blocks."""
        return self.log_url or f"file://{(self.var_dir / 'log').resolve()}"

    @cached_property
    def server(self) -> str:
        """Address of the gRPC server, as clients call it."""
        return self.server_address or f"127.0.0.1:{self.grpc_port}"
