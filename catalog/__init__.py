"""Brands and products: a JSON API on PostgreSQL, managed in the admin."""
