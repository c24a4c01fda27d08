"""Programs that send requests: wrk, the probe's engine, the textbook's client, crowds."""
