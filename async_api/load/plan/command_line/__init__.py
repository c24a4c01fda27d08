"""Plans on a command line: the options, the document that they make, and the way back.

`options` declares them and names them in errors, `document` joins what `request`,
`conditions` and `pasted` read of them, and `command` writes the command for a plan.
"""
