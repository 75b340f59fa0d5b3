"""When the certificates that this process shows end: what nobody looks at until it is too late."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from digits.settings import Settings

logger = logging.getLogger(__name__)

_FILES = ("tls_certificate_file", "tls_client_ca_file", "server_ca_file", "client_certificate_file")


class CertificateExpiry(Collector):
    """Reads each certificate file of the settings whenever somebody looks.

    Of a chain, what ends first counts. A file that cannot be read is 0: it ended long ago.
    """

    def __init__(self, settings: Settings) -> None:
        given = ((name, getattr(settings, name)) for name in _FILES)
        self._files: dict[str, Path] = {name: path for name, path in given if path}

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        expiry = GaugeMetricFamily(
            "digits_certificate_expiry_timestamp_seconds",
            "When a certificate file of the settings ends, in Unix time.",
            labels=["file"],
        )
        for name, path in self._files.items():
            expiry.add_metric([name], _ends(path))
        yield expiry


def _ends(path: Path) -> float:
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        logger.warning("cannot read the certificate %s: %s", path, error)
        return 0.0
    return min(certificate.not_valid_after_utc.timestamp() for certificate in chain)
