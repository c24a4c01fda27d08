"""Clients: wrk, the probe's engine, a textbook probe, and crowds of WebSocket clients."""
