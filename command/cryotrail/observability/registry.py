"""The metrics of one process: its own, what it was built from, and what the system says of it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from importlib import metadata

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector


class BuildInfo(Collector):
    """``cryotrail_build_info``: which release this process runs, and as what."""

    def __init__(self, part: str) -> None:
        """``part``: what the process is, such as ``recorder``."""
        self._said = {
            "version": metadata.version("cryotrail"),
            "python": platform.python_version(),
            "part": part,
        }

    def collect(self) -> Iterator[Metric]:
        """Always the same."""
        yield InfoMetricFamily("cryotrail_build", "What this process runs.", self._said)


def registry_of(part: str, collectors: Iterable[Collector]) -> CollectorRegistry:
    """A registry for ``/metrics`` of a process that is ``part``."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    for collector in (BuildInfo(part), *collectors):
        registry.register(collector)
    return registry
