"""The stacks: which servers `digits up --stack` starts beneath the service, and where they keep their state.

It may import `deploy.native.servers` and `deploy.native.downloads`. It must not know how a server is
configured or asked; that is the server's own.
"""
