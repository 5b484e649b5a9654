"""The consumer group of the recorders, told at once what it would find out after ten seconds."""

from __future__ import annotations

from contextlib import closing, suppress

from kafka.admin import MemberToRemove
from kafka.errors import KafkaError
from recorded_kafka import group_at

from cryotrail_producers.kafka_clients import KafkaConnection, admin


def forget_members(connection: KafkaConnection, store_url: str) -> None:
    """Remove every member, since the dead cannot be told from the living; who lives joins again."""
    group = group_at(store_url)
    with suppress(KafkaError), closing(admin(connection)) as client:
        members = client.describe_groups([group])[group]["members"]
        gone = [MemberToRemove(member_id=member["member_id"]) for member in members]
        if gone:
            client.remove_group_members(group, gone)
