"""Asking database servers: questions, how they are put, and what may be told of their text."""
