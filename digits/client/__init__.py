"""How a Python program calls the service: the client, its channel, and a job resumed over lost connections.

It may import the generated code, `digits.errors`, `digits.settings` and the rule for what is a loopback
address. It must not know how the service does what it is asked: no jobs, no models, no adapters.

`Client`, `AsyncClient` and `RemoteError` are the project's public Python API: programs outside this
repository import them from here. That is the one exception to "nothing is re-exported"; the repository
itself imports them from their own modules.
"""

from digits.client.aio import AsyncClient
from digits.client.client import Client
from digits.client.errors import RemoteError

__all__ = ["AsyncClient", "Client", "RemoteError"]
