"""What the manifests promise, held against schemas, settings and one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from digits.settings import Settings
from server.health import LIVENESS, STARTUP
from tests.conftest import ROOT
from tests.kubernetes.conftest import Manifest

OURS = {"server", "bridge", "classify-worker", "train-worker"}
WORKLOADS = {"Deployment", "StatefulSet"}


def of_kind(objects: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    return {found["metadata"]["name"]: found for found in objects if found["kind"] in kinds}


def pods(objects: list[Manifest]) -> Iterator[tuple[str, Any]]:
    """The pods that workloads make, and the template of Spark's executors."""
    for name, found in of_kind(objects, *WORKLOADS).items():
        yield name, found["spec"]["template"]["spec"]
    for configured in of_kind(objects, "ConfigMap").values():
        for text in configured["data"].values():
            if "kind: Pod\n" in text:
                yield "executor", yaml.safe_load(text)["spec"]


def settings_of(objects: list[Manifest]) -> dict[str, str]:
    """The settings that every process of ours gets."""
    named = {name.rsplit("-", 1)[0]: found for name, found in of_kind(objects, "ConfigMap").items()}
    return dict(named["settings"]["data"])


def container(objects: list[Manifest], name: str) -> Any:
    (found,) = of_kind(objects, "Deployment")[name]["spec"]["template"]["spec"]["containers"]
    return found


def environment(objects: list[Manifest], name: str) -> dict[str, str]:
    own = container(objects, name).get("env", [])
    return {**settings_of(objects), **{entry["name"]: entry.get("value", "") for entry in own}}


@pytest.mark.parametrize("version", ["1.31", "1.34"])
def test_every_object_is_as_kubernetes_own_schemas_say(overlay: list[Manifest], version: str) -> None:
    for found in overlay:
        kubernetes_validate.validate(found, version, strict=True)


def test_the_executors_pod_is_as_the_schema_says(production: list[Manifest]) -> None:
    text = (ROOT / "deploy/kubernetes/production/executor.yaml").read_text(encoding="utf-8")
    kubernetes_validate.validate(yaml.safe_load(text), "1.34", strict=True)
    assert "executor" in dict(pods(production))


def test_every_variable_is_a_setting_and_has_a_value_that_will_do(overlay: list[Manifest]) -> None:
    for name in OURS:
        given = {
            key.removeprefix("DIGITS_").lower(): value for key, value in environment(overlay, name).items()
        }
        given = {key: value for key, value in given.items() if not key.startswith(("spark_conf", "home"))}
        assert set(given) <= set(Settings.model_fields), name
        Settings(**{key: value for key, value in given.items() if value})


def test_every_container_may_do_as_little_as_it_can(overlay: list[Manifest]) -> None:
    for name, pod in pods(overlay):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for one in pod["containers"]:
            rights = one["securityContext"]
            assert rights["allowPrivilegeEscalation"] is False, name
            assert rights["capabilities"] == {"drop": ["ALL"]}, name
            if name in OURS | {"executor"}:
                assert rights["readOnlyRootFilesystem"] is True, name
            if name != "executor":
                # Spark sets the executor's.
                assert (
                    {"cpu", "memory"} == set(one["resources"]["limits"]) == set(one["resources"]["requests"])
                )


def test_only_the_spark_driver_may_ask_kubernetes(
    overlay: list[Manifest], request: pytest.FixtureRequest
) -> None:
    allowed = {name for name, pod in pods(overlay) if pod["automountServiceAccountToken"]}
    on_kubernetes = settings_of(overlay)["DIGITS_SPARK_MASTER"].startswith("k8s://")
    assert allowed == ({"train-worker"} if on_kubernetes else set())


def test_who_may_make_pods_does_so_where_no_secret_is(
    production: list[Manifest], executors: list[Manifest]
) -> None:
    """A pod mounts any Secret of its namespace."""
    assert not of_kind(production, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
    (namespace,) = of_kind(executors, "Namespace")
    assert spark_settings(production)["spark.kubernetes.namespace"] == namespace
    assert {found["metadata"].get("namespace", namespace) for found in executors} == {namespace}
    assert not of_kind(executors, "Secret", *WORKLOADS)
    (role,) = of_kind(executors, "Role").values()
    assert not {"secrets", "*"} & {resource for rule in role["rules"] for resource in rule["resources"]}
    (binding,) = of_kind(executors, "RoleBinding").values()
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "train", "namespace": "digits"}]
    # A pod of another namespace cannot be an executor's owner: Kubernetes would remove the executor.
    assert "spark.kubernetes.driver.pod.name" not in spark_settings(production)


def test_a_namespace_takes_only_pods_that_may_do_little(
    single: list[Manifest], executors: list[Manifest]
) -> None:
    for objects in (single, executors):
        (namespace,) = of_kind(objects, "Namespace").values()
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    page = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert "kubectl label namespace digits pod-security.kubernetes.io/enforce=restricted" in page


@pytest.mark.parametrize("built", ["single", "production", "executors"])
def test_no_pod_gets_out_to_everywhere(built: str, request: pytest.FixtureRequest) -> None:
    for name, policy in of_kind(request.getfixturevalue(built), "NetworkPolicy").items():
        for rule in policy["spec"].get("egress", []):
            assert rule.get("to"), name
            assert rule.get("ports"), name
            assert {"cidr": "0.0.0.0/0"} not in [peer.get("ipBlock") for peer in rule["to"]], name


def test_a_pod_has_longer_to_stop_than_it_takes(overlay: list[Manifest]) -> None:
    given = settings_of(overlay)
    drain = float(given["DIGITS_DRAIN_NOTICE_SECONDS"]) + float(given["DIGITS_DRAIN_SECONDS"])
    for name, pod in pods(overlay):
        if name in OURS:
            assert pod["terminationGracePeriodSeconds"] > drain + 5, name


def test_the_servers_probes_ask_what_the_server_answers(overlay: list[Manifest]) -> None:
    server, port = container(overlay, "server"), int(settings_of(overlay)["DIGITS_HEALTH_PORT"])
    assert server["startupProbe"]["grpc"] == {"port": port, "service": STARTUP}
    assert server["livenessProbe"]["grpc"] == {"port": port, "service": LIVENESS}
    assert server["readinessProbe"]["grpc"]["port"] == port
    assert not server["readinessProbe"]["grpc"].get("service")
    metrics = int(settings_of(overlay)["DIGITS_METRICS_PORT"])
    assert {"grpc": 50051, "health": port, "metrics": metrics} == {
        one["name"]: one["containerPort"] for one in server["ports"]
    }


def test_the_bridge_is_probed_where_it_answers_without_a_token(overlay: list[Manifest]) -> None:
    bridge = container(overlay, "bridge")
    paths = {kind: bridge[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert paths == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/healthz"}
    scheme = "HTTPS" if "DIGITS_TLS_CERTIFICATE_FILE" in settings_of(overlay) else None
    assert bridge["livenessProbe"]["httpGet"].get("scheme") == scheme


def test_classifying_finds_ready_servers_and_training_finds_any(overlay: list[Manifest]) -> None:
    services = of_kind(overlay, "Service")
    for name, any_server in (("server", False), ("server-any", True)):
        assert services[name]["spec"]["clusterIP"] == "None", "clients balance over the pods themselves"
        assert services[name]["spec"].get("publishNotReadyAddresses", False) is any_server
    assert environment(overlay, "bridge")["DIGITS_SERVER_ADDRESS"] == "dns:///server-any:50051"


def test_production_is_closed_to_strangers_and_says_nothing_else(production: list[Manifest]) -> None:
    given = settings_of(production)
    assert "DIGITS_ALLOW_INSECURE" not in given
    for name in ("server", "bridge"):
        mounts = {mount["mountPath"] for mount in container(production, name)["volumeMounts"]}
        for setting in ("DIGITS_TLS_CERTIFICATE_FILE", "DIGITS_TLS_KEY_FILE", "DIGITS_TOKENS_FILE"):
            assert any(given[setting].startswith(f"{mount}/") for mount in mounts), (name, setting)


def test_production_keeps_no_secret_in_its_manifests(production: list[Manifest]) -> None:
    assert not of_kind(production, "Secret")
    assert "@" not in " ".join(settings_of(production).values())


def test_production_scales_and_a_node_may_be_emptied(production: list[Manifest]) -> None:
    deployments = of_kind(production, "Deployment")
    for scaler in of_kind(production, "HorizontalPodAutoscaler").values():
        target = deployments[scaler["spec"]["scaleTargetRef"]["name"]]
        assert "replicas" not in target["spec"], "applied again, it would undo what the autoscaler did"
        assert scaler["spec"]["minReplicas"] > 1
        (one,) = target["spec"]["template"]["spec"]["containers"]
        assert one["resources"]["requests"]["cpu"], "what the utilization is a share of"
    budgets = of_kind(production, "PodDisruptionBudget").values()
    assert {budget["spec"]["selector"]["matchLabels"]["app"] for budget in budgets} == OURS
    for name in ("server", "bridge", "classify-worker"):
        assert deployments[name]["spec"]["template"]["spec"]["topologySpreadConstraints"], name


def test_a_namenode_starts_before_its_service_has_its_name(single: list[Manifest]) -> None:
    (namenode,) = of_kind(single, "StatefulSet")["namenode"]["spec"]["template"]["spec"]["containers"]
    given = {one["name"]: one["value"] for one in namenode["env"]}
    assert given["HDFS-SITE.XML_dfs.namenode.rpc-bind-host"] == "0.0.0.0"  # noqa: S104


def test_rabbitmq_starts_again_with_the_cookie_that_it_made(single: list[Manifest]) -> None:
    pod = of_kind(single, "StatefulSet")["rabbitmq"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


def test_spark_takes_the_cores_that_the_train_worker_counts_on(production: list[Manifest]) -> None:
    spark = spark_settings(production)
    cores = int(spark["spark.executor.instances"]) * int(spark["spark.executor.cores"])
    assert cores == int(settings_of(production)["DIGITS_SPARK_CORES"])


def spark_settings(objects: list[Manifest]) -> dict[str, str]:
    """What spark-defaults.conf says."""
    (text,) = (
        found["data"]["spark-defaults.conf"]
        for found in of_kind(objects, "ConfigMap").values()
        if "spark-defaults.conf" in found["data"]
    )
    lines = (line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value.strip() for key, value in lines}


# Who calls whom, by port: in `single` these are pods of the same namespace.
CALLS = [
    ("bridge", "server", 50051),
    *[(caller, "zookeeper", 2181) for caller in ("server", "classify-worker", "train-worker")],
    *[(caller, "rabbitmq", 5672) for caller in ("server", "classify-worker", "train-worker")],
    *[(caller, "namenode", 9870) for caller in ("server", "classify-worker", "train-worker")],
    *[(caller, "datanode", 9864) for caller in ("server", "classify-worker", "train-worker")],
    *[(caller, "kafka", 9092) for caller in ("server", "train-worker")],
    ("datanode", "namenode", 8020),
]


@pytest.mark.parametrize(("caller", "called", "port"), CALLS)
def test_the_network_lets_each_caller_through(
    single: list[Manifest], caller: str, called: str, port: int
) -> None:
    assert leaves(single, caller, called, port), "egress"
    assert enters(single, caller, called, port), "ingress"


@pytest.mark.parametrize(
    ("caller", "called", "port"),
    [
        ("bridge", "zookeeper", 2181),
        ("kafka", "server", 50051),
        ("bridge", "kafka", 9092),
        ("bridge", "server", 9464),
        ("server", "train-worker", 9464),
    ],
)
def test_the_network_keeps_others_out(single: list[Manifest], caller: str, called: str, port: int) -> None:
    assert not (leaves(single, caller, called, port) and enters(single, caller, called, port))


def leaves(objects: list[Manifest], caller: str, called: str, port: int) -> bool:
    return any(
        admits(objects, rule, "to", called, called, port)
        for policy in policies(objects, caller, "Egress")
        for rule in policy["spec"].get("egress", [])
    )


def enters(objects: list[Manifest], caller: str, called: str, port: int) -> bool:
    return any(
        admits(objects, rule, "from", caller, called, port)
        for policy in policies(objects, called, "Ingress")
        for rule in policy["spec"].get("ingress", [])
    )


def policies(objects: list[Manifest], app: str, direction: str) -> list[Manifest]:
    found = of_kind(objects, "NetworkPolicy").values()
    chosen = [policy for policy in found if direction in policy["spec"]["policyTypes"]]
    assert chosen
    return [policy for policy in chosen if selects(policy["spec"]["podSelector"], app)]


def admits(  # noqa: PLR0917
    objects: list[Manifest], rule: Any, side: str, app: str, listener: str, port: int
) -> bool:
    peers = rule.get(side)
    if peers and not any(selects(peer["podSelector"], app) for peer in peers):
        return False
    (listening,) = of_kind(objects, *WORKLOADS)[listener]["spec"]["template"]["spec"]["containers"]
    names = {one["name"]: one["containerPort"] for one in listening["ports"]}
    return any(names.get(one["port"], one["port"]) == port for one in rule["ports"])


def selects(selector: Any, app: str) -> bool:
    labels = {"app": app}
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    among = all(labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", []))
    return exact and among
