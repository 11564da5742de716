"""Brings servers that cannot reach the internet into Azure Arc."""

__version__ = "0.1.0"
