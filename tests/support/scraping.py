"""Asking a process for its health and metrics, as an orchestrator and Prometheus do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families
from waiting import until

from cryotrail import console


def asked(url: str, timeout_s: float = 10) -> tuple[int, str]:
    """Status and body of a GET."""
    try:
        with urlopen(url, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def standing(url: str) -> tuple[int, dict[str, str]]:
    """Status and reasons of ``/healthz`` or ``/readyz``."""
    status, body = asked(url)
    reasons: dict[str, str] = json.loads(body)["reasons"]
    return status, reasons


class Scrape:
    """One answer of ``/metrics``."""

    def __init__(self, url: str) -> None:
        status, self.text = asked(f"{url}/metrics")
        assert status == 200
        self.families = {one.name: one for one in text_string_to_metric_families(self.text)}

    @classmethod
    def once(cls, url: str, condition: Callable[[Scrape], bool]) -> Scrape:
        """The first answer for which ``condition`` holds.

        What a process did is counted a moment after it is done, so a test that saw it done waits.
        """
        answers: list[Scrape] = []

        def holds() -> bool:
            answers.append(cls(url))
            return condition(answers[-1])

        until(holds)
        return answers[-1]

    def value(self, name: str, **labels: str) -> float | None:
        """The sample of this name and exactly these labels; None = there is none."""
        for family in self.families.values():
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return None

    def labels(self, name: str) -> list[dict[str, Any]]:
        """The labels of each sample of this name."""
        return [
            dict(sample.labels)
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name
        ]


@contextmanager
def overheard() -> Iterator[list[str]]:
    """The remarks of the block, such as where a process answers."""
    said: list[str] = []
    with console.remarks_to(said.append):
        yield said


def address_in(said: list[str]) -> str:
    """Where the process answers, as it said."""
    (line,) = [line for line in said if "health and metrics on" in line]
    return line.rpartition(" ")[2]
