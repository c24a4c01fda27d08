"""Measurements: turns of servers, races of clients, memory. Imports clients and servers."""
