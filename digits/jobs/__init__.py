"""One owner of a training job's life: from admission to the removal of everything that it owned.

States, the record, leases, the reconciler, and who lives to take a job. Knows nothing of how a network
learns, nor of gRPC. Imports training for what a job leaves in the store, and the core.
"""
