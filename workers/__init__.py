"""The Celery workers: one that trains, one that classifies, and how they are started.

The train worker holds a job's lease and decides what a failure means for its job; the classify worker holds
the serving model. They may import `digits`, and the train worker alone `spark_jobs`. They must not know who
asked.
"""
