"""CSV and XLSX files: export, preview and import.

Imports `models`, and `writing` for the locks. Only the admin's file pages import this
room.
"""
