"""Who answers a picture, and that no caller gets an older model than one that was seen.

The serving version in memory, its copy on disk, and the ways to an answer. All of its state changes on one
event loop; what blocks runs on pools of its own. Knows nothing of gRPC, of training or of jobs. Imports
models and the core.
"""
