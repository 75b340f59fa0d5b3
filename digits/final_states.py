"""The states of a job after which nothing happens to it any more: for the core, and for clients."""

from digits.v1 import training_pb2 as pb

FINAL = frozenset({pb.SUCCEEDED, pb.FAILED, pb.CANCELLED})
