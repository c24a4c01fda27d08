"""What is where in the catalog's API."""
