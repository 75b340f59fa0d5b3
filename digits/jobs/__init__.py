"""One owner of a training job's life: from admission to the removal of everything that it owned.

Admission, the record, the index of open jobs, leases, attempts, the reconciler, the end of a job, the sweep
of what no job owns, how long records are kept, and who lives to take a job. Knows nothing of how a network
learns, nor of gRPC. Imports datasets and recipes to check a request, training for what a job leaves in the
store, and the core.
"""
