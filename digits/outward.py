"""What callers read of an error that another system worded: no address, no path of the inside."""

from __future__ import annotations

import re

_HIDDEN = "…"
_INSIDE = re.compile(
    r"""
    [a-zA-Z][\w+.-]*://[^\s'")]+                             # a URL
    | (?:ipv[46][#:])?\[[0-9a-fA-F:.]+\](?::\d+)?             # an IPv6 address in brackets
    | (?:ipv[46][#:])?\b\d{1,3}(?:\.\d{1,3}){3}\b(?::\d+)?     # an IPv4 address
    | \b[\w.-]*[A-Za-z][\w.-]*:\d{2,5}\b(?:/[\w.-]+)?          # a name with a port, and a broker's number
    | (?<=UnknownHostException:\ )\S+                         # a name that Java could not resolve
    | (?<=NamenodeHostName:)\S+                               # or a NameNode its own
    | (?<=resolve\ ')[^']+                                    # or librdkafka
    | (?<![\w./…])/[\w.@+:-]+(?:/[\w.@+:-]*)+                  # an absolute path of two parts or more
    """,
    re.VERBOSE,
)


def outward(text: str) -> str:
    """The text without hosts, addresses, URLs and absolute paths; the log has it whole."""
    return _INSIDE.sub(_HIDDEN, text)
