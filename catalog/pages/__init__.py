"""The catalog's pages for people. Imports `reading`."""
