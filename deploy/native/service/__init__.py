"""The service's own processes, which are the same on every stack: workers, gRPC server and REST bridge.

It may import `digits.settings`, the contract, how ZooKeeper is reached and the supervision's process spec. It
must not know which servers run beneath them: their settings say where each system is.
"""
