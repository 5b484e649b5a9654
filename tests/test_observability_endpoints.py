"""A process answers for its health on an address of its own, and says plainly when it cannot."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections import Counter
from contextlib import closing
from threading import Event

import pytest
from scraping import asked, overheard, standing
from waiting import until

from cryotrail.observability.address import Address
from cryotrail.observability.errors import EndpointsRefused
from cryotrail.observability.health import Health, Heartbeat
from cryotrail.observability.serving import serving
from cryotrail_audit.waits import LOCK_WAIT_S


def health(**missing: str | None) -> Health:
    return Health({}, {name: lambda why=why: why for name, why in missing.items()})  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9464", Address("127.0.0.1", 9464)),
        (":9464", Address("127.0.0.1", 9464)),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("[::1]:9464", Address("::1", 9464)),
    ],
    ids=["port", "colon-port", "every-address", "ipv6"],
)
def test_an_address_without_a_host_is_the_loopback(text: str, address: Address) -> None:
    assert Address.parse(text) == address


@pytest.mark.parametrize("text", ["", "here", "127.0.0.1", "127.0.0.1:port", "1:99999", "1:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(EndpointsRefused, match="no address for health and metrics"):
        Address.parse(text)


def test_port_0_takes_a_free_port_and_says_which() -> None:
    with (
        overheard() as said,
        serving("0", "recorder", [], health()) as one,
        serving("0", "recorder", [], health()) as other,
    ):
        assert one.port != other.port
        assert said == [
            f"recorder: health and metrics on http://127.0.0.1:{one.port}",
            f"recorder: health and metrics on http://127.0.0.1:{other.port}",
        ]
        assert standing(f"{one.url()}/healthz") == (200, {})


def test_a_port_in_use_is_a_plain_error() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(
                EndpointsRefused, match=f"127.0.0.1:{port}: Address already in use"
            ) as no,
            serving(str(port), "recorder", [], health()),
        ):
            pass
    assert "port 0" in str(no.value.hint)


def test_another_path_is_not_found_and_names_those_that_are_there() -> None:
    with serving("0", "recorder", [], health()) as at:
        assert asked(f"{at.url()}/") == (404, "/healthz, /readyz or /metrics\n")


def test_what_is_missing_makes_it_unready_and_not_unwell() -> None:
    with serving("0", "recorder", [], health(store="no answer", kafka=None)) as at:
        assert standing(f"{at.url()}/readyz") == (503, {"store": "no answer"})
        assert standing(f"{at.url()}/healthz") == (200, {})


def test_what_does_not_answer_holds_up_no_answer_about_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cryotrail.observability.health._ANSWERS_WITHIN_S", 0.2)
    monkeypatch.setattr("cryotrail.observability.health._FRESH_S", 0.0)
    asked, thawed = Counter[str](), Event()

    def frozen() -> None:
        asked["store"] += 1
        thawed.wait()

    with serving("0", "recorder", [], Health({}, {"store": frozen, "kafka": lambda: "away"})) as at:
        for _ in range(3):
            reasons = {"store": "no answer within 0.2 s", "kafka": "away"}
            assert standing(f"{at.url()}/readyz") == (503, reasons)
        assert asked["store"] == 1
        thawed.set()
        until(lambda: standing(f"{at.url()}/readyz") == (503, {"kafka": "away"}), 5)


def test_a_loop_that_stands_still_makes_it_unwell_until_it_turns_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cryotrail.observability.health.STUCK_AFTER_S", 0.3)
    heart = Heartbeat()
    with serving("0", "recorder", [], Health({"loop": heart.age_s}, {})) as at:
        heart.beat()
        assert standing(f"{at.url()}/healthz") == (200, {})
        until(lambda: standing(f"{at.url()}/healthz")[0] == 503, 5)
        assert standing(f"{at.url()}/readyz")[0] == 503
        heart.beat()
        assert standing(f"{at.url()}/healthz") == (200, {})


def test_a_client_that_says_nothing_keeps_nobody_else_waiting() -> None:
    with (
        serving("0", "recorder", [], health()) as at,
        closing(socket.create_connection(("127.0.0.1", at.port))),
    ):
        assert standing(f"{at.url()}/healthz") == (200, {})


@pytest.mark.parametrize(("turned_s", "is_stuck"), [(1.9, False), (2.1, True)])
def test_a_loop_that_waits_for_the_append_lock_as_long_as_it_may_is_no_standstill(
    turned_s: float, is_stuck: bool
) -> None:
    found = Health({"recorder": lambda: turned_s * LOCK_WAIT_S}, {}).stuck()

    assert bool(found) == is_stuck


def test_a_sender_beside_the_sdk_alone_answers_without_the_stores_drivers() -> None:
    program = (
        "import sys, cryotrail.observability.observed_sender\n"
        "print(sorted({'sqlalchemy', 'psycopg', 'duckdb'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
