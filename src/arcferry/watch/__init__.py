"""Answers and reachability over time: what moves, before it breaks."""
