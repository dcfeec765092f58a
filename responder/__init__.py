"""Turns alerts into graduated, verified repairs, and calls a person when it could not."""
