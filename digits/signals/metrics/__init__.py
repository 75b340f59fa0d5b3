"""Every metric by its name, unit and labels, in a file for each part of the service.

A process exposes those of the files that it imports. The values of a label are names in the code, status
codes or routes: never what a caller sends. docs/decisions/metrics-are-declared-like-loggers.md
"""
