"""What no package carries: the servers' pinned jars and the MNIST images, each checked by its checksum.

It may import `deploy.native.errors` and nothing else of the project. It must not know what a jar is for, or
which server asks for it: images and tests fetch by the same two commands.
"""
