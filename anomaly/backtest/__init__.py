"""What the service would have said: history through the very evaluation that judges live."""
