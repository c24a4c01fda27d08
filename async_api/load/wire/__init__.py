"""A client for HTTP/1.1 that accounts for every byte and sends nothing twice.

Imports the values of `plan`, and no other room of `load`.
"""
