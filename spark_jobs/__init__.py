"""The Spark job: a streaming query over a job's log on the driver, a partition's training on executors.

It may import `digits`. It must not know of queues, callers or how a job is leased out; TensorFlow is
imported on executors alone.
"""
