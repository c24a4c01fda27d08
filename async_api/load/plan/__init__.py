"""The plan of a load run, and the forms in which people write it.

A JSON document, options of a command line, or curl commands. Imports no other room of
`load`.
"""
