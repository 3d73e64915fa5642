"""Game days: break a running stack on purpose, and time how it is found and mended."""
