"""What was measured, for people: goals, reports, comparisons, documents, the chart."""
