from __future__ import annotations

from deploy.containers.base import pip_configuration

LISTED = """\
:env:.index-url='https://mirror.example/simple'
:env:.find-links='/somewhere'
global.cert='/on/this/machine.pem'
global.extra-index-url='\\nhttps://one.example\\nhttps://two.example'
"""


def test_a_build_reaches_the_package_indexes_that_this_machine_reaches() -> None:
    assert pip_configuration(LISTED).splitlines() == [
        "[global]",
        "cert = /etc/ssl/certs/ca-certificates.crt",
        "index-url = https://mirror.example/simple",
        "extra-index-url = https://one.example https://two.example",
    ]
