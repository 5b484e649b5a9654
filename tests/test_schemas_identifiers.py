"""Identities: ordered by time when new, derived when replayed."""

from uuid import NAMESPACE_DNS, UUID, uuid5

from cryotrail_schemas.identifiers import NAMESPACE, new_event_id, replay_id


def test_new_identities_are_version_7_distinct_and_in_order():
    made = [new_event_id() for _ in range(1000)]

    assert {identity.version for identity in made} == {7}
    assert {type(identity) for identity in made} == {UUID}
    assert made == sorted(set(made))


def test_a_replayed_identity_is_version_5_of_its_path():
    expected = uuid5(uuid5(NAMESPACE_DNS, "cryotrail"), "ab12/R01/FreezeStarted/1/2/1")

    assert replay_id("ab12", "R01", "FreezeStarted", "1", "2", "1") == expected
    assert uuid5(NAMESPACE_DNS, "cryotrail") == NAMESPACE
    assert expected.version == 5


def test_two_data_sets_share_no_identity():
    assert replay_id("a", "R01") != replay_id("b", "R01")
