"""`digits doctor`: what keeps the service from starting or working here, and the line that mends it.

A file a subject, each a list of findings. It may import everything below `deploy.native` and `digits`. It
changes nothing and starts nothing.
"""
