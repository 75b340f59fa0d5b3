"""Any picture of a digit → a few readings of it, 28 x 28 pixels each, and which of them answers.

decode opens a file's bytes as gray levels. candidates proposes readings, of the whole and of the sheets and
boxes within it (sheets): background and surface say what stands out, lines what to leave out, components what
belongs together, normalize frames it as MNIST is framed. raw_pixels takes what is framed already. The caller
asks its network about all of them, and judge says which one answers. Nothing here knows of requests, models
or files on disk. Imports the core's pixels and errors, and no other room.
"""
