"""A job's record as one HTML file for people to keep and to send: no script, nothing from the network.

It knows the stored messages alone. It must not know of servers, or of how a record is fetched.
"""
