"""The metrics of one process: its own, what it was built from, and what the system says of it."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata

from prometheus_client import CollectorRegistry, GCCollector, Info, ProcessCollector
from prometheus_client.registry import Collector


def registry_of(part: str, collectors: Iterable[Collector]) -> CollectorRegistry:
    """A registry for ``/metrics`` of one process.

    :param part: what the process is, such as ``recorder``; ``cryotrail_build_info`` says it.
    """
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    built = {"version": metadata.version("cryotrail"), "python": platform.python_version()}
    Info("cryotrail_build", "What this process runs.", registry=registry).info(
        built | {"part": part}
    )
    for collector in collectors:
        registry.register(collector)
    return registry
