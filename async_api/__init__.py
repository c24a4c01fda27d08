"""Asynchronous Django at work: the clock, the probe and the bridges."""
