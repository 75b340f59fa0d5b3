"""Who answers a picture, and that no caller gets an older model than one that was seen.

`classifier` is the door. `answering` is the port that the queue, the local model and the failover between
them implement; all of their state changes on one event loop, and what blocks runs on pools of its own.
`serving_model` follows the alias on one thread and hands out snapshots; `named_versions` are beside it.
Knows nothing of gRPC, of training or of jobs. Imports models and the core.
"""
