"""Trained versions: bundles, the registry and its serving alias, the gate, and publication.

Knows nothing of who asks for a picture to be read. Imports jobs (a publication ends its job in the same
commit), training (what a network is), datasets and the core.
"""
