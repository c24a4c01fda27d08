"""An asynchronous Django site: probe, bridges, catalog and users online."""

__version__ = "0.1.0"
