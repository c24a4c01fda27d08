"""The forms of a report: text for a terminal, JSON, CSV and HdrHistogram logs.

Imports the rest of `result`, and computes nothing that is not in it.
"""
