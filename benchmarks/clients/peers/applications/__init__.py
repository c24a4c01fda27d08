"""Programs of the peers' own environment: users of each Locust, and a request by libcurl."""
