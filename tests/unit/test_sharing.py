from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path

import pytest

from tests.sharing import SHARED, group_of

ROOT = Path(__file__).parents[2]
FOLDERS = ("integration", "faults", "page", "conformance", "front_door")
# ZooKeeper and Valkey start in seconds: to have two of each costs less than to wait for one long group.
SERVERS = (
    "front_door",
    "trained_service",
    "kafka",
    "breakable_service",
    "outage_service",
    "secure_kafka",
    "hdfs",
    "rabbitmq",
)


def asked_for(file: Path) -> set[str]:
    """The fixtures that the tests and the fixtures of a file name."""
    functions = [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.FunctionDef)]
    asking = [f for f in functions if f.name.startswith("test_") or "fixture" in map(_name, f.decorator_list)]
    return {argument.arg for function in asking for argument in function.args.args}


def _name(decorator: ast.expr) -> str:
    return ast.unparse(decorator).partition("(")[0].rpartition(".")[2]


@pytest.mark.parametrize("server", SERVERS)
def test_files_that_ask_for_the_same_server_run_in_one_process(server: str) -> None:
    files = chain.from_iterable((ROOT / "tests" / folder).glob("test_*.py") for folder in FOLDERS)
    asking = [file.relative_to(ROOT).as_posix() for file in files if server in asked_for(file)]
    assert asking
    assert len({group_of(path) for path in asking}) == 1, asking


def test_every_file_that_is_named_is_there() -> None:
    named = chain.from_iterable(SHARED.values())
    assert [path for path in named if not (ROOT / path).is_file()] == []
