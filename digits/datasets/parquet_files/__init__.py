"""Parquet files as batches: which columns are meant, what they may unpack to, and their rows → pixels.

The only ones that import pyarrow, which takes 40 MB: nothing here is imported before a Parquet file is met.
"""
