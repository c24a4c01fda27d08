"""Measurements of servers, clients and memory. Imports `clients` and `servers`."""
