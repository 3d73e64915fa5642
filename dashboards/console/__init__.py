"""The console: what is happening, since when, why we think so, what was done, did it work."""
