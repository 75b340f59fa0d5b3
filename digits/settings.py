"""Every setting of every process, read once from the environment (prefix DIGITS_)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read by entry points alone and handed on; nothing else reads the environment."""

    model_config = SettingsConfigDict(env_prefix="DIGITS_", frozen=True, extra="ignore")

    var_dir: Path = Field(Path("var"), description="Folder for all state and logs.")
    data_dir: Path = Field(Path("data"), description="Folder that paths in requests resolve under.")

    grpc_host: str = Field("127.0.0.1", description="Address that the gRPC server listens on.")
    grpc_port: int = Field(50051, ge=0, le=65535, description="Port of the gRPC server.")
    rest_host: str = Field("127.0.0.1", description="Address that the REST bridge listens on.")
    rest_port: int = Field(5000, ge=0, le=65535, description="Port of the REST bridge.")
    server_address: str = Field("", description="gRPC address that the bridge and the command line call.")

    store_url: str = Field("", description="Artifact store: file://FOLDER; by default the state folder's.")
    log_url: str = Field("", description="Log of image blocks: file://FOLDER; by default the state folder's.")
    coordinator_url: str = Field(
        "zookeeper://127.0.0.1:2181/digits",
        description="ZooKeeper: zookeeper://HOST:PORT[,HOST:PORT]/CHROOT.",
    )
    broker_url: str = Field("redis://127.0.0.1:6379/0", description="Celery's broker.")
    spark_master: str = Field("local[*]", description="Spark's master.")

    coordinator_session_seconds: float = Field(
        6.0, gt=0, description="How long ZooKeeper waits for a silent process before its leases end."
    )
    max_request_bytes: int = Field(
        64 << 20, gt=0, description="Largest gRPC message, in bytes (mnist.npz is 11 MB)."
    )
    max_image_bytes: int = Field(10 << 20, gt=0, description="Largest picture file, in bytes.")
    max_dataset_bytes: int = Field(
        1 << 30, gt=0, description="Largest unpacked batch of images, in bytes (MNIST is 55 MB)."
    )

    classify_queue_timeout_seconds: float = Field(
        1.0, gt=0, description="How long Classify waits for a worker before the server's own copy answers."
    )
    classify_max_batch: int = Field(
        256, gt=0, description="Most pictures in one Celery task; ONNX Runtime gains nothing above."
    )
    classify_max_waiting: int = Field(
        4096, gt=0, description="Most pictures waiting in a server; more are refused."
    )
    heartbeat_seconds: float = Field(2.0, gt=0, le=5, description="Longest silence of a progress stream.")
    target_batch_seconds: float = Field(
        5.0, gt=0, description="Time that a micro-batch should take: throughput against latency."
    )
    trainer_memory_bytes: int = Field(
        4 << 30,
        gt=0,
        description="Memory that the partition trainers of one job may take together, in bytes.",
    )
    max_attempts: int = Field(3, gt=0, description="How often a job may take its worker down.")

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
