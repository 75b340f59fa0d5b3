"""Keeps processes running: starts them, watches them, starts them again and leaves none behind.

It may import the state folder and the errors of `deploy.native`. It must not know what a process serves: a
ProcessSpec says what to run, what it waits for and how to ask whether it is up.
"""
