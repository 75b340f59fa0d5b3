"""What deploy/observability asks for exists, and each alert is explained."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from digits.settings import Settings
from digits.signals import metrics
from digits.signals.certificates import CertificateExpiry

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "observability"


def metric_names() -> set[str]:
    """What a process may show."""
    for module in pkgutil.iter_modules(metrics.__path__):
        importlib.import_module(f"{metrics.__name__}.{module.name}")
    families = [*REGISTRY.collect(), *CertificateExpiry(Settings()).collect()]
    suffixes = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
    return {f"{family.name}{suffix}" for family in families for suffix in suffixes.get(family.type, ("",))}


def alerts() -> list[dict[str, Any]]:
    """The rules."""
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def expressions() -> Iterator[str]:
    """What alerts and dashboard ask for."""
    yield from (rule["expr"] for rule in alerts())
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


def test_alerts_and_dashboard_ask_for_metrics_that_there_are() -> None:
    asked = {name for text in expressions() for name in re.findall(r"\bdigits_[a-z_]+", text)}
    assert len(asked) > 25
    assert asked - metric_names() == set()


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_each_alert_has_its_line_in_the_operations_page_and_its_tests(rule: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if f"`{rule['alert']}`" in line]
    assert len(line.split(" | ")) == 3
    quiet, loud = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]
    expected = [
        case.get("exp_alerts")
        for test in (quiet, loud)
        for case in test["alert_rule_test"]
        if case["alertname"] == rule["alert"]
    ]
    assert expected[0] is None
    assert expected[1]


def test_every_metric_is_in_the_operations_page() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    base = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in metric_names() if "digits_" in name}
    assert {name for name in base if name.removeprefix("digits_") not in page} == set()
