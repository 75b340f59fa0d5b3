"""What learning needs, without Spark: recipes, the network, and the way of images through the log.

Blocks, ingest and its window, partitions, the average of their states, checkpoints. Knows nothing of who
asked for a training, of versions, or of the query that runs it (spark_jobs/). Imports datasets and the
core; Keras is imported when a network is built.
"""
