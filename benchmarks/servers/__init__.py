"""Servers: this site's workers, its peers, targets, and the database."""
