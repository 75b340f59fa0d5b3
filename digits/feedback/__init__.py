"""What people say of answers: remembered predictions, labelled pictures in the store, and what follows.

It may import datasets, ports and errors. It must not know jobs, models or servers: these ask it.
"""
