"""The agent's own small HTTP/1.1 server.

Python's brings the mail parser, the HTTP client and TLS into memory, as much as all collectors
together; scrapes need none of them.
"""
