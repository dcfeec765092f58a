"""Breaks things on purpose, from outside, and watches what becomes of it."""
