"""Processes of the machine, and the groups a configuration sorts them into."""
