"""The figures that the documentation gives, each by one command: `python -m benchmarks.NAME`.

May import anything; nothing imports it, except tests that need the same load.
"""
