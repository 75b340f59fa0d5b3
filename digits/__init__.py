"""The core that every process of DigitService shares."""

__version__ = "0.1.0"
