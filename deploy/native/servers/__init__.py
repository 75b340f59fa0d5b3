"""The servers beneath the service, one class each: ports, command, configuration, probe, setting and version.

To add a server is to write one file here and to name its class in a stack. It may import the downloads, the
supervision's process spec and the clients of the servers. It must not know the service's own processes, or
which stack a server belongs to; a server knows another only by the names of its ports.
"""
