"""Any picture of a digit → the 28 x 28 pixels that the network reads.

decode opens a file's bytes; grayscale, background, segmentation, components and normalize follow one
another. A picture comes in, pixels go out: nothing here knows of requests, models or files on disk. Imports
the core's pixels and errors, and no other room.
"""
