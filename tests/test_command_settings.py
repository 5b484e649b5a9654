"""Settings come from the environment, else from a TOML file, else from the home."""

from pathlib import Path

import pytest

from cryotrail.settings import NAMES, SettingsError, load_settings


def test_everything_has_a_default_below_the_home(tmp_path: Path) -> None:
    settings = load_settings({"CRYOTRAIL_HOME": str(tmp_path)})

    assert settings.audit_url == f"sqlite:///{tmp_path}/audit.sqlite3"
    assert settings.warehouse_dir == tmp_path / "warehouse"
    assert settings.outbox_path == tmp_path / "outbox.sqlite3"
    assert settings.outbox_telemetry_path == tmp_path / "outbox_telemetry.sqlite3"
    assert settings.outbox_grace_s == 900


def test_the_environment_wins_over_the_file_and_each_value_names_its_origin(tmp_path: Path) -> None:
    toml = tmp_path / "site.toml"
    toml.write_text('site_tz = "Europe/Berlin"\nkafka_port = 19092\n')

    settings = load_settings({"CRYOTRAIL_CONFIG": str(toml), "CRYOTRAIL_SITE_TZ": "Asia/Tokyo"})

    assert (settings.site_tz, settings.origins["SITE_TZ"]) == ("Asia/Tokyo", "environment")
    assert (settings.kafka_port, settings.origins["KAFKA_PORT"]) == (19092, str(toml))
    assert settings.origins["AUDIT_URL"] == "default"


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("SITE_TZ", "Mars/Olympus", "IANA time zone"),
        ("KAFKA_PORT", "ninety", "whole number"),
        ("OUTBOX_GRACE_S", "nan", "seconds"),
        ("OUTBOX_GRACE_S", "-1", "seconds"),
        ("RECORDER_BREAKER_SHARE", "1", "from 0 to below 1"),
        ("RECORDER_BREAKER_RECORDS", "-1", "whole number"),
        ("RECORDER_HTTP", "somewhere", "HOST:PORT"),
        ("OUTBOX_HTTP", "127.0.0.1:99999", "HOST:PORT"),
        ("SIGNER_HTTP", "127.0.0.1", "HOST:PORT"),
        ("MATERIALISER_HTTP", "one", "HOST:PORT"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_name(
    name: str, value: str, named: str
) -> None:
    with pytest.raises(SettingsError, match=f"CRYOTRAIL_{name}.*{named}"):
        load_settings({f"CRYOTRAIL_{name}": value})


def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path) -> None:
    toml = tmp_path / "site.toml"
    toml.write_text('audit_uri = "sqlite:///x"\n')

    with pytest.raises(SettingsError, match="unknown setting 'audit_uri'"):
        load_settings({"CRYOTRAIL_CONFIG": str(toml)})


@pytest.mark.parametrize("text", [None, "not = = toml"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    toml = tmp_path / "site.toml"
    if text is not None:
        toml.write_text(text)

    with pytest.raises(SettingsError, match=r"site\.toml"):
        load_settings({"CRYOTRAIL_CONFIG": str(toml)})


def test_every_name_is_a_field_of_the_settings() -> None:
    settings = load_settings({})

    assert [name for name in NAMES if not hasattr(settings, name.lower())] == []
