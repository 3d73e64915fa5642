"""What last week's alerts would have caused under a changed configuration, before it is loaded."""
