"""The compose file is valid, keeps every rule, and each rule can be broken."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import compose_rules as rules
import pytest
import yaml

FILE = Path(__file__).parents[1] / "docker-compose.yml"


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    return subprocess.run([*command, file], capture_output=True, text=True, check=False)


def test_it_is_valid_by_the_compose_schema() -> None:
    result = check_schema(FILE)
    assert result.returncode == 0, result.stdout


def test_the_schema_would_see_a_misspelt_key(tmp_path: Path) -> None:
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text(FILE.read_text().replace("healthcheck:", "healthchek:", 1))
    result = check_schema(misspelt)
    assert result.returncode == 1
    assert "healthchek" in result.stdout


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_the_rule(compose: Any, rule: Callable[[Any], Any]) -> None:
    assert list(rule(compose)) == []


def drop(*path: str) -> Callable[[Any], None]:
    """A change that removes what lies at ``path``."""

    def change(compose: Any) -> None:
        for key in path[:-1]:
            compose = compose[key]
        del compose[path[-1]]

    return change


def put(*path_and_value: Any) -> Callable[[Any], None]:
    """A change that puts its last argument at the path before it."""

    def change(compose: Any) -> None:
        *path, key, value = path_and_value
        for step in path:
            compose = compose[step]
        compose[key] = value

    return change


KAFKA_ENVIRONMENT = ("services", "kafka", "environment")
BROKEN = [
    (rules.waits_for_what_can_be_waited_for, drop("services", "postgres", "healthcheck")),
    (rules.waits_for_what_can_be_waited_for, drop("services", "kafka")),
    (rules.waits_for_what_can_be_waited_for, put("services", "topics", "restart", "always")),
    (rules.every_service_that_answers_has_a_health_check, drop("services", "kafka", "healthcheck")),
    (
        rules.every_image_has_a_tag_that_says_what_it_is,
        put("services", "postgres", "image", "postgres"),
    ),
    (
        rules.every_image_has_a_tag_that_says_what_it_is,
        put("services", "kafka", "image", "apache/kafka:latest"),
    ),
    (rules.nobody_is_root, drop("services", "kafka", "user")),
    (rules.nobody_is_root, put("services", "recorder", "user", "0:0")),
    (rules.nobody_is_root, put("services", "recorder", "user", "root")),
    (rules.every_service_is_hardened, drop("services", "recorder", "read_only")),
    (rules.every_service_is_hardened, drop("services", "dashboard", "cap_drop")),
    (rules.every_service_is_hardened, put("services", "kafka", "cap_add", ["CHOWN"])),
    (rules.every_service_is_hardened, put("services", "migrate", "security_opt", [])),
    (rules.every_service_is_hardened, put("services", "migrate", "privileged", True)),
    (rules.every_service_is_hardened, put("services", "migrate", "tmpfs", [])),
    (rules.every_service_is_hardened, drop("services", "migrate", "logging")),
    (
        rules.every_service_is_hardened,
        put("services", "recorder", "volumes", ["/var/run/docker.sock:/var/run/docker.sock"]),
    ),
    (
        rules.no_secret_stands_in_a_variable,
        put("services", "postgres", "environment", "POSTGRES_PASSWORD", "hunter2"),
    ),
    (
        rules.no_secret_stands_in_a_variable,
        put("services", "recorder", "environment", "CRYOTRAIL_AUDIT_URL", "postgresql://u:p@h/d"),
    ),
    (rules.what_is_used_is_declared_and_what_is_declared_is_used, drop("volumes", "kafka-data")),
    (
        rules.what_is_used_is_declared_and_what_is_declared_is_used,
        drop("secrets", "postgres_password"),
    ),
    (rules.what_is_used_is_declared_and_what_is_declared_is_used, put("networks", "stray", {})),
    (
        rules.only_the_pages_are_published_and_only_on_the_loopback,
        put("services", "postgres", "ports", ["127.0.0.1:5432:5432"]),
    ),
    (
        rules.only_the_pages_are_published_and_only_on_the_loopback,
        put("services", "dashboard", "ports", ["8501:8501"]),
    ),
    (rules.evidence_has_no_way_out, put("networks", "backend", {})),
    (
        rules.evidence_has_no_way_out,
        put("services", "postgres", "networks", ["backend", "frontend"]),
    ),
    (rules.kafka_is_set_completely, drop(*KAFKA_ENVIRONMENT, "KAFKA_NODE_ID")),
    (
        rules.kafka_is_set_completely,
        put(*KAFKA_ENVIRONMENT, "KAFKA_AUTO_CREATE_TOPICS_ENABLE", "true"),
    ),
    (rules.kafka_is_set_completely, put(*KAFKA_ENVIRONMENT, "CLUSTER_ID", "cluster")),
    (
        rules.kafka_is_set_completely,
        put(*KAFKA_ENVIRONMENT, "KAFKA_LISTENERS", "PLAINTEXT://:9092,CTRL://:9093"),
    ),
    (rules.kafka_is_set_completely, put(*KAFKA_ENVIRONMENT, "KAFKA_LOG_DIRS", "/tmp/logs")),
    (
        rules.postgres_keeps_its_data_where_its_version_puts_them,
        put("services", "postgres", "image", "postgres:17"),
    ),
    (
        rules.postgres_keeps_its_data_where_its_version_puts_them,
        put("services", "postgres", "volumes", ["postgres-data:/var/lib/postgresql/data"]),
    ),
    (rules.every_command_is_one_of_ours, put("services", "recorder", "command", ["recrd"])),
]


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=lambda case: case.__name__)
def test_the_rule_sees_a_file_that_breaks_it(
    compose: Any, rule: Callable[[Any], Any], change: Callable[[Any], None]
) -> None:
    broken = copy.deepcopy(compose)
    change(broken)
    assert list(rule(broken)) != []


def test_every_rule_was_seen_to_break() -> None:
    assert {rule for rule, _ in BROKEN} == set(rules.RULES)


def without_default(text: str) -> list[str]:
    return [name for name in re.findall(r"\$\{([^}]*)\}", text) if ":-" not in name]


def test_every_variable_that_may_be_set_has_a_default() -> None:
    assert without_default(FILE.read_text(encoding="utf-8")) == []
    assert without_default("port: ${PORT}, tag: ${TAG:-1}") == ["PORT"]


def test_as_long_as_an_image_has_no_digest_the_file_says_so(compose: Any) -> None:
    images = {service["image"] for service in compose["services"].values()}
    foreign = {image for image in images if not image.startswith("cryotrail:")}
    pinned = all("@sha256:" in image for image in foreign)
    assert pinned or "TODO before a release: no image is pinned by digest" in FILE.read_text()
