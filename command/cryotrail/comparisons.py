"""Showing how the store compares with Kafka, partition by partition."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cryotrail.console import say
from cryotrail_consumers.operating.compared_partition import ComparedPartition


def say_differences(one: ComparedPartition) -> None:
    """Name the first differences of a partition, a line each."""
    for offset, what, seq in one.differences:
        entry = "" if seq is None else f" (entry {seq})"
        say(f"{one.topic}[{one.partition}] offset {offset}: {what}{entry}")


def differences_of(one: ComparedPartition) -> str | int:
    """What a table says of a partition's differences."""
    return "topic replaced" if one.topic_replaced else one.difference_count


def as_json(one: ComparedPartition) -> dict[str, Any]:
    """What was counted, the differences by name, and whether there are none."""
    named = [difference._asdict() for difference in one.differences]
    return {**asdict(one), "differences": named, "agrees": one.agrees}
