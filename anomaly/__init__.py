"""Learn what is normal of every series a query returns, and say what is not."""
