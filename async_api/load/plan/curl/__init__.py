"""curl commands, as people paste them, read into the document of a plan.

`quoting` splits a command into words as its shell does (`bash`, `cmd`), `arguments` knows
the options of curl, and `request` what they mean (`urls`, `fields`, `data`, `forms`).
"""
