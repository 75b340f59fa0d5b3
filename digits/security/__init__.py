"""Who a caller is, what a token allows, and whether a listener may be open to strangers.

Knows nothing of what is being called. Imports the core's settings and errors, and no other room.
"""
