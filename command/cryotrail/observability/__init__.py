"""What a process says about itself: metrics, health, and its log.

The libraries below only count and ask for loggers. Here their plain numbers become Prometheus
metrics, their standing becomes ``/healthz`` and ``/readyz``, and their log records become lines.
"""
