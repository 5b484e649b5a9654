"""What a signer says of itself: when it last verified, and whether the log is the one it knew."""

from __future__ import annotations

from contextlib import suppress
from typing import NoReturn

import pytest

from cryotrail.observability.signer_watch import SignerWatch
from cryotrail_audit.checkpoints.errors import CheckpointError, SigningRefused


def refuse(*_: object) -> NoReturn:
    raise SigningRefused("the log is shorter than what was signed")


def refusing() -> SignerWatch:
    """A watch that saw a step fail."""
    watch = SignerWatch()
    with suppress(CheckpointError):
        watch.step(refuse)()
    return watch


def test_a_step_that_only_kept_outside_what_was_signed_before_verified_nothing() -> None:
    watch = SignerWatch()

    watch.step(lambda: None)()

    assert watch.verified_s is None


def test_what_was_signed_was_verified_whatever_becomes_of_the_step_behind_it() -> None:
    watch = SignerWatch()

    def sign_and_fail() -> None:
        watch.signed()
        raise CheckpointError("no place to keep it")

    with pytest.raises(CheckpointError):
        watch.step(sign_and_fail)()

    assert watch.verified_s is not None
    assert (watch.failures, watch.problem) == (1, "no place to keep it")


@pytest.mark.parametrize("part", ["is_due", "step"])
def test_a_log_that_is_refused_is_counted_and_named(part: str) -> None:
    watch = SignerWatch()
    watched = watch.is_due(refuse) if part == "is_due" else watch.step(refuse)

    with pytest.raises(SigningRefused):
        watched(*([True] if part == "is_due" else []))

    assert watch.failures == 1
    assert watch.problem == "the log is shorter than what was signed"
    assert watch.verified_s is None


def test_a_step_that_went_well_ends_the_problem() -> None:
    watch = refusing()

    watch.step(lambda: None)()

    assert (watch.problem, watch.failures) == (None, 1)


def test_a_log_that_ends_with_what_was_signed_ends_the_problem_too() -> None:
    watch = refusing()

    assert watch.is_due(lambda _waited: False)(True) is False

    assert watch.problem is None


@pytest.mark.parametrize(("waited", "due"), [(False, False), (True, True)])
def test_a_look_that_shows_nothing_of_the_log_ends_no_problem(waited: bool, due: bool) -> None:
    watch = refusing()

    assert watch.is_due(lambda _waited: due)(waited) is due

    assert watch.problem is not None
