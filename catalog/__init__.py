"""Brands and products: a JSON API on PostgreSQL, kept in the admin."""
