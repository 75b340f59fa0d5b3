"""Builds the images and checks the health of what runs in one.

It may import `digits` and the probes of `deploy.native.service`. It must not know where an image runs.
"""
