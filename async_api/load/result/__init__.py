"""What a recording means: percentiles, verdict, budgets, and the forms of a report.

Arithmetic without clock or network. Imports `plan` and `recording`.
"""
