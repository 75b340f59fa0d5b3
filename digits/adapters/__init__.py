"""The real systems behind the core's ports, one file each, named after the system.

bootstrap.py alone chooses among them. An adapter turns its client's errors into the core's, and imports the
core and that client; no room imports an adapter.
"""
