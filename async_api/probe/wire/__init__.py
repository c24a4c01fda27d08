"""HTTP/1.1 as a probe speaks it: connections, response framing, pacing, limits.

Imports `outbound`, and nothing else of the probe.
"""
