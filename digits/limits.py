"""Limits of the contract that more than one process tells callers of."""

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
MAX_REQUEST_ID_LENGTH = 128

# Of the gRPC server, unless a setting or an address names another.
DEFAULT_GRPC_PORT = 50051
