"""The catalog's HTML pages. Imports `documents`, `models` and `reading`."""
