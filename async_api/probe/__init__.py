"""The probe: N concurrent requests to one URL, measured inside the view.

Imports `outbound` for what may be dialled and `drawing` for its pictures.
"""
