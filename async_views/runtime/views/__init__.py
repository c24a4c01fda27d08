"""Shared by views: problems, negotiation, parameters, health checks, rate limits, logins.

It may import every other room of the runtime.
"""
