"""Parquet files as batches, read by pyarrow in a process of its own, which the kernel bounds.

`batch` and `reader` are the service's side and never import pyarrow. `process` is the other one, which asks
for the bytes that it wants and answers labels and pixels; `table`, `columns`, `rows` and `pictures` are its
alone.
"""
