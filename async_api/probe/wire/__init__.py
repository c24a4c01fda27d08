"""The probe's HTTP/1.1: connections, response framing, pacing, limits.

Imports `outbound`, and nothing else of the probe.
"""
