"""The plan of a load run, and the forms in which people write it.

`plan` holds the values. `document` reads and writes them as JSON, with the models in
`members`; `command_line` and `curl` make such documents of options and of pasted
commands. Imports no other room of `load`.
"""
