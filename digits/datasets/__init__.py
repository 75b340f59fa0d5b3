"""Files and folders of labelled images → a stream of them, in bounded memory.

Which formats a batch may have, which of its images are held out, and where below the data folder a path may
lead. Knows nothing of jobs, training or requests. Imports the core's pixels, file kinds and errors, and no
other room.
"""
