"""Benchmarks of this site beside other frameworks, on one machine."""
