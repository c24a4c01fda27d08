"""CSV and XLSX files: written, read, previewed and imported. Imports `writing`."""
