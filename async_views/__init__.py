"""An asynchronous Django site: the probe and the bridges."""

__version__ = "0.1.0"
