"""The servers of the demo, from wheels: nothing else to install."""
