"""Results for readers: goals, reports, comparisons, documents and the chart."""
