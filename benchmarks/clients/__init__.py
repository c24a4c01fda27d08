"""Clients: wrk, the probe's engine, a textbook probe, the load generator and its peers, and
crowds of WebSocket clients.
"""
