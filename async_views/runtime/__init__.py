"""What any asynchronous Django site would want, and nothing this one alone does."""
