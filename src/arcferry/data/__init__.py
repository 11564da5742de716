"""Dated data in the user's data folder: service tags, community lists, filters, circuits, the catalogue."""
