"""The gRPC server: servicers translate a message, call the core and return.

Who may call (access), what an error becomes (error_mapping), where it listens, what health says, and the
application that holds it all. It may import `digits`. It must not know how a model learns, and imports
neither TensorFlow nor Spark, nor the workers: those are reached by the queue.
"""
