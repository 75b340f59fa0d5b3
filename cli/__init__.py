"""The `digits` command: reads its arguments, calls the client or the native start-up, prints.

It may import `digits` and `deploy.native`, each when a command needs it. It must not know how the service
does what it is asked.
"""
