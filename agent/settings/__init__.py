"""The agent's configuration: one file for each part of ``agent.yml``, ``whole`` for all of it."""
