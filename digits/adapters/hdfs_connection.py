"""The way to an HDFS over WebHDFS, for what is kept there and for the batches that are read from it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from getpass import getuser
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from hdfs import Client, HdfsError, InsecureClient, TokenClient
from hdfs.client import _Request
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError

from digits.errors import Misconfigured

# To connect, and between two parts of an answer. Nobody waits long for a NameNode that hangs.
_TIMEOUT_SECONDS = (2.0, 5.0)

# Hadoop's own sentences are shorter.
_MAX_REASON = 300

_Result = TypeVar("_Result")

_list_some = _Request("GET").to_method("LISTSTATUS_BATCH")


class HdfsFault(Exception):
    """HDFS does not answer, or not as asked: the `reason`, and its `kind` by HDFS's name for it, if any."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason, self.kind = reason, kind


class HdfsConnection:
    """Of several NameNodes, a thread's client goes on to the next if one is away, hangs or stands by."""

    def __init__(
        self,
        name_nodes: Sequence[str],
        user: str = "",
        token: str = "",
        *,
        tls: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        """`ca_file` is a PEM of who vouches for HDFS by TLS, if not this machine's list does.

        Raises ValueError for a token without TLS: who hears it is us, to HDFS.
        """
        if token and not tls:
            raise ValueError(
                "DIGITS_WEBHDFS_TOKEN: a token is not sent over plain HTTP; "
                "say swebhdfs:// in DIGITS_STORE_URL and DIGITS_BATCHES_URL, with the NameNodes' HTTPS ports"
            )
        self._url = ";".join(f"{'https' if tls else 'http'}://{address}" for address in name_nodes)
        self._tls, self._ca_file = tls, ca_file
        self._user, self._token = user, token
        # A requests session is for one thread at a time.
        self._local = threading.local()

    def __getstate__(self) -> dict[str, object]:
        """For another process, which connects by itself, and may be another user's."""
        user = self._user if self._user or self._token else getuser()
        state = {name: value for name, value in self.__dict__.items() if name != "_local"}
        return state | {"_user": user}

    def __setstate__(self, state: dict[str, object]) -> None:
        """See `__getstate__`."""
        self.__dict__.update(state, _local=threading.local())

    def ask(self, call: Callable[[Client], _Result]) -> _Result:
        """Calls HDFS, twice if the first connection had broken since it was last used.

        Raises FileNotFoundError, HdfsFault, Misconfigured, and what else the call raises. What requests
        raises is not kept as the cause: its text holds the address with the token in it.
        """
        kind = ""
        try:
            with contextlib.suppress(requests.ConnectionError):
                return call(self._client())
            return call(self._client())
        except _LedToPlainHttp as error:
            reason = str(error)
        except requests.RequestException as error:
            reason = f"HDFS does not answer: {_problem(error)}"
        except HdfsError as error:
            if error.exception == "FileNotFoundException":
                raise FileNotFoundError("HDFS has no such file") from error
            kind = error.exception or ""
            # Without a name it is what a proxy, or some other server, has to say.
            said = str(error).partition("\n")[0][:_MAX_REASON] if kind else ""
            reason = said or "what answers there is no WebHDFS"
        except (LookupError, TypeError):
            reason = "what answers there is no WebHDFS"
        raise HdfsFault(reason, kind)

    def _client(self) -> Client:
        """This thread's client; raises Misconfigured."""
        if not hasattr(self._local, "client"):
            # It tells of every request, and of every one that was refused.
            logging.getLogger("hdfs.client").setLevel(logging.CRITICAL)
            session = requests.Session()
            # Neither a proxy nor a .netrc of this machine is meant for HDFS, and looking for them takes time.
            session.trust_env = False
            if self._tls:
                if self._ca_file and not self._ca_file.exists():
                    raise Misconfigured(
                        f"DIGITS_WEBHDFS_CA_FILE: there is no {self._ca_file.name} on a machine that reads "
                        "HDFS; each of them has to have it"
                    )
                session.verify = str(self._ca_file) if self._ca_file else True
                session.mount("http://", _RefusePlainHttp())
            options = {"timeout": _TIMEOUT_SECONDS, "session": session}
            self._local.client = (
                TokenClient(self._url, self._token, **options)
                if self._token
                else InsecureClient(self._url, self._user or None, **options)
            )
        client: Client = self._local.client
        return client


def _problem(error: requests.RequestException) -> str:
    """What went wrong.

    Of a name that does not resolve, the name. Nothing more: the address has our token in it.
    """
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, NameResolutionError) and error.request is not None:
        return f"the name {urlsplit(error.request.url or '').hostname} does not resolve here"
    return type(error).__name__


class _LedToPlainHttp(requests.RequestException):
    """A NameNode with TLS named a DataNode without: its address would hold the token."""


class _RefusePlainHttp(HTTPAdapter):
    """Sends nothing."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """See HTTPAdapter."""
        raise _LedToPlainHttp("HDFS leads from TLS to plain HTTP: dfs.http.policy has to be HTTPS_ONLY")


def statuses(client: Client, folder: str) -> list[dict[str, Any]]:
    """What the NameNode says of each thing in a folder."""
    found: list[dict[str, Any]] = client._list_status(folder).json()["FileStatuses"]["FileStatus"]
    return found


def some_statuses(client: Client, folder: str, enough: int) -> list[dict[str, Any]]:
    """The same, a thousand after the other, and no more than about `enough` of them."""
    found: list[dict[str, Any]] = []
    left = 1
    while left and len(found) <= enough:
        after = found[-1]["pathSuffix"] if found else ""
        # Hadoop 3.5's NameNode knows it by small letters alone, though it is documented as startAfter.
        names = {"startafter": after, "startAfter": after} if found else {}
        listing = _list_some(client, folder, **names).json()["DirectoryListing"]
        left = int(listing["remainingEntries"])
        some = listing["partialListing"]["FileStatuses"]["FileStatus"]
        if found and (not some or some[0]["pathSuffix"] <= after):
            raise LookupError("the same entries again")
        found += some
    return found
