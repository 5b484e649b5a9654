"""The signer as a service: when it takes a step, and what ends it."""

import pytest

from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.checkpoints.following import follow
from cryotrail_audit.errors import StoreNotReady, StoreUnavailable


class Looks:
    """Stops after so many looks; says at which of them a step was taken, and with what it waited."""

    def __init__(self, count, due, failures=()):
        self.left, self.due, self.failures = count, due, dict(failures)
        self.waited, self.steps = [], []

    def is_due(self, waited):
        self.left -= 1
        self.waited.append(waited)
        return self.due(waited)

    def step(self):
        at = len(self.waited)
        self.steps.append(at)
        if at in self.failures:
            raise self.failures[at]

    def is_set(self):
        return self.left == 0

    def wait(self, timeout):
        pass


def followed(looks, sign_every_s):
    follow(looks.is_due, looks.step, looks, look_every_s=0.0, sign_every_s=sign_every_s)
    return looks


def test_what_is_not_urgent_waits_and_what_is_does_not():
    calm = followed(Looks(5, lambda waited: waited), 1000.0)
    urgent = followed(Looks(5, lambda _waited: True), 1000.0)
    hasty = followed(Looks(5, lambda waited: waited), 0.0)

    assert (calm.steps, calm.waited) == ([1], [True, False, False, False, False])
    assert urgent.steps == [1, 2, 3, 4, 5]
    assert hasty.steps == [1, 2, 3, 4, 5]


def test_a_store_that_is_away_is_tried_again_at_the_next_look(caplog):
    looks = Looks(4, lambda waited: waited, {1: StoreUnavailable("away"), 2: StoreUnavailable("")})

    assert followed(looks, 1000.0).steps == [1, 2, 3]
    assert "tried again: away" in caplog.text


def test_a_refusal_is_an_alarm_and_ends_nothing(caplog):
    looks = Looks(3, lambda _waited: True, {1: SigningRefused("a fork", hint="look at it")})

    assert followed(looks, 0.0).steps == [1, 2, 3]
    assert "NOT SIGNED: a fork (look at it)" in caplog.text


def test_what_no_later_step_can_mend_ends_the_service():
    looks = Looks(3, lambda _waited: True, {2: StoreNotReady("no store")})

    with pytest.raises(StoreNotReady):
        followed(looks, 0.0)
    assert looks.steps == [1, 2]
