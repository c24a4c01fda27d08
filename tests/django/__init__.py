"""Django's own test suites, run with this site's handler and middleware."""
