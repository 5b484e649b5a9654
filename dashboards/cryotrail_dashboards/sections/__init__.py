"""Sections of the pages: each asks, shapes a frame, and shows a chart beside its table."""
