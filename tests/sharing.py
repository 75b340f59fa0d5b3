"""Which tests run in one process, if several run at a time: those that use the same servers.

Each process has session fixtures of its own: a server that only one of them asks for is started once a run.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

SHARED = {
    "a service whose servers go away": (
        "tests/faults/test_resilience.py",
        "tests/faults/test_trainer_outages.py",
        "tests/faults/test_slow_reads.py",
    ),
    "a service whose trainer is broken": (
        "tests/faults/test_trainer_faults.py",
        "tests/faults/test_what_jobs_leave.py",
    ),
    "the service": (
        "tests/integration/test_journey.py",
        "tests/integration/test_bad_input.py",
        "tests/integration/test_bad_messages.py",
        "tests/integration/test_rest.py",
        "tests/integration/test_serving.py",
        "tests/integration/test_strangers.py",
        "tests/integration/test_gate.py",
        "tests/integration/test_taking_along.py",
        "tests/integration/test_signals.py",
        "tests/page/test_drawing.py",
        "tests/page/test_teaching.py",
        "tests/page/test_training.py",
        "tests/page/test_versions.py",
        "tests/classification_service_test.py",
    ),
    "ZooKeeper": (
        "tests/conformance/test_coordinator.py",
        "tests/conformance/test_zookeeper_security.py",
        "tests/conformance/test_leased_jobs.py",
        "tests/conformance/test_lost_answers.py",
        "tests/conformance/test_registry_reader.py",
        "tests/integration/test_access.py",
        "tests/integration/test_batches_of_people.py",
        "tests/integration/test_slips.py",
        "tests/integration/test_upload_memory.py",
    ),
    "Kafka": (
        "tests/conformance/test_kafka.py",
        "tests/conformance/test_kafka_security.py",
        "tests/conformance/test_block_log.py",
    ),
    "the front door": (
        "tests/front_door/test_attacks.py",
        "tests/front_door/test_calls.py",
        "tests/front_door/test_outages.py",
        "tests/front_door/test_several_of_everything.py",
    ),
    "a trained network": (
        "tests/pictures/test_kinds.py",
        "tests/pictures/test_cases.py",
    ),
    "HDFS": (
        "tests/conformance/test_hdfs.py",
        "tests/conformance/test_hdfs_batches.py",
        "tests/conformance/test_artifact_store.py",
        "tests/conformance/test_hdfs_security.py",
        "tests/conformance/test_shard_tasks.py",
    ),
}
_GROUPS = {path: servers for servers, paths in SHARED.items() for path in paths}


def group_of(path: str) -> str:
    """What a file shares with others; its own path if that is nothing."""
    return _GROUPS.get(path, path)


class ByServers(LoadScopeScheduling):
    """Hands out whole files, and together those that share servers."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])
