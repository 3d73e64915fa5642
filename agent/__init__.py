"""The agent: what hosts, databases, caches and queues do, for Prometheus to scrape."""
