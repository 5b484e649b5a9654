"""What a compose file must keep beyond its schema: one function a rule, yielding what breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cryotrail.main import COMMANDS

Compose = Mapping[str, Any]

KAFKA_VARIABLES = {
    "CLUSTER_ID",
    "KAFKA_NODE_ID",
    "KAFKA_PROCESS_ROLES",
    "KAFKA_LISTENERS",
    "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
    "KAFKA_CONTROLLER_LISTENER_NAMES",
    "KAFKA_CONTROLLER_QUORUM_VOTERS",
    "KAFKA_INTER_BROKER_LISTENER_NAME",
    "KAFKA_LOG_DIRS",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR",
}
"""The image applies its defaults only when none is set, so a single node must set all of these."""


def waits_for_what_can_be_waited_for(compose: Compose) -> Iterator[str]:
    """A healthy dependency has a health check; a completed one is a job that ends."""
    services = compose["services"]
    for name, service in services.items():
        for target, wait in service.get("depends_on", {}).items():
            if target not in services:
                yield f"{name} waits for {target}, which is no service"
            elif wait["condition"] == "service_healthy" and "healthcheck" not in services[target]:
                yield f"{name} waits for {target} to be healthy, which has no health check"
            elif (
                wait["condition"] == "service_completed_successfully"
                and services[target].get("restart") != "no"
            ):
                yield f"{name} waits for {target} to complete, which is restarted"


def every_service_that_answers_has_a_health_check(compose: Compose) -> Iterator[str]:
    """A service that stays says whether it is well."""
    for name, service in compose["services"].items():
        stays = service.get("restart") != "no"
        if stays and "healthcheck" not in service:
            yield f"{name} has no health check"


def every_image_has_a_tag_that_says_what_it_is(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        tag = service["image"].partition(":")[2].partition("@")[0]
        if tag in ("", "latest"):
            yield f"{name} runs {service['image']}"


def nobody_is_root(compose: Compose) -> Iterator[str]:
    """The user is a number other than 0: a name cannot be judged without the image."""
    for name, service in compose["services"].items():
        user = str(service.get("user", ""))
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user):
            yield f"{name} runs as user {user or 'of its image'!r}"


def every_service_is_hardened(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        if service.get("read_only") is not True:
            yield f"{name}: its root can be written"
        if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
            yield f"{name}: it keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: it may gain privileges"
        if service.get("privileged"):
            yield f"{name}: it is privileged"
        if "/tmp" not in service.get("tmpfs", []):
            yield f"{name}: it has no /tmp to write to"
        if not service.get("logging", {}).get("options", {}).get("max-size"):
            yield f"{name}: its log may fill the disk"
        if any("docker.sock" in volume for volume in service.get("volumes", [])):
            yield f"{name}: it can command the engine"


def no_secret_stands_in_a_variable(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|SECRET|TOKEN|KEY", variable)
            if secret and not str(value).startswith("/run/secrets/"):
                yield f"{name}: {variable} is not a file of /run/secrets"
            if re.search(r"://[^/@]*:[^/@]+@", str(value)):
                yield f"{name}: {variable} carries a password in an address"


def what_is_used_is_declared_and_what_is_declared_is_used(compose: Compose) -> Iterator[str]:
    services = compose["services"].values()
    used = {
        "volumes": {v.partition(":")[0] for s in services for v in s.get("volumes", [])},
        "networks": {network for s in services for network in s.get("networks", [])},
        "secrets": {secret for s in services for secret in s.get("secrets", [])},
    }
    for kind, names in used.items():
        declared = set(compose.get(kind, {}))
        for name in sorted(names - declared):
            yield f"{kind}: {name} is used and not declared"
        for name in sorted(declared - names):
            yield f"{kind}: {name} is declared and not used"


def only_the_pages_are_published_and_only_on_the_loopback(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            if name != "dashboard":
                yield f"{name} publishes {port}"
            if not str(port).startswith("127.0.0.1:"):
                yield f"{name} publishes {port} beyond this host"


def evidence_has_no_way_out(compose: Compose) -> Iterator[str]:
    """What holds clinical data is on the network without a gateway, and only there."""
    if compose["networks"]["backend"].get("internal") is not True:
        yield "the backend network has a way out"
    for name in ("kafka", "postgres", "recorder"):
        if compose["services"][name].get("networks") != ["backend"]:
            yield f"{name} is on another network than backend"


def kafka_is_set_completely(compose: Compose) -> Iterator[str]:
    environment = compose["services"]["kafka"]["environment"]
    for variable in sorted(KAFKA_VARIABLES - set(environment)):
        yield f"kafka lacks {variable}"
    if environment.get("KAFKA_AUTO_CREATE_TOPICS_ENABLE") != "false":
        yield "kafka creates topics by itself"
    if not re.fullmatch(r"[\w][\w-]{21}", str(environment.get("CLUSTER_ID"))):
        yield "CLUSTER_ID is not 22 characters of base64"
    named = set(re.findall(r"(\w+)://", str(environment.get("KAFKA_LISTENERS"))))
    mapped = set(
        re.findall(r"(\w+):", str(environment.get("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP")))
    )
    if named != mapped:
        yield f"listeners {sorted(named)}, but protocols for {sorted(mapped)}"
    if environment.get("KAFKA_LOG_DIRS") not in _targets(compose, "kafka"):
        yield "kafka keeps its log outside its volume"


def postgres_keeps_its_data_where_its_version_puts_them(compose: Compose) -> Iterator[str]:
    major = int(re.findall(r":(\d+)", compose["services"]["postgres"]["image"])[0])
    wanted = "/var/lib/postgresql" if major >= 18 else "/var/lib/postgresql/data"
    if wanted not in _targets(compose, "postgres"):
        yield f"PostgreSQL {major} keeps its data in {wanted}, which is no volume"


def every_command_is_one_of_ours(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        if service["image"].startswith("cryotrail:") and service["command"][0] not in COMMANDS:
            yield f"{name} runs `cryotrail {service['command'][0]}`, which does not exist"


def _targets(compose: Compose, service: str) -> list[str]:
    volumes = compose["services"][service].get("volumes", [])
    return [volume.split(":")[1] for volume in volumes]


RULES = (
    waits_for_what_can_be_waited_for,
    every_service_that_answers_has_a_health_check,
    every_image_has_a_tag_that_says_what_it_is,
    nobody_is_root,
    every_service_is_hardened,
    no_secret_stands_in_a_variable,
    what_is_used_is_declared_and_what_is_declared_is_used,
    only_the_pages_are_published_and_only_on_the_loopback,
    evidence_has_no_way_out,
    kafka_is_set_completely,
    postgres_keeps_its_data_where_its_version_puts_them,
    every_command_is_one_of_ours,
)
