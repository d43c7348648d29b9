"""Answers in words, JSON and tables."""
