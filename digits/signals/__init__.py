"""What the service tells those who run it: metrics, logs, traces and the audit of what people did.

Every room may use it, as every room may log. It must not know what it measures: it imports the core's
settings and errors alone.
"""
