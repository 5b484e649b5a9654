"""The keys of personal text of this installation, as its settings name them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryotrail.settings import PREFIX, Settings
from cryotrail_producers.errors import KekRefused, KeyStoreError
from cryotrail_producers.key_store.kek import read_kek
from cryotrail_producers.key_store.sqlite import SqliteKeyStore
from cryotrail_producers.personal_cipher import RecordCipher


@contextmanager
def existing_keys(settings: Settings) -> Iterator[SqliteKeyStore | None]:
    """The key store for reading; None when encryption is off here or no key was ever made.

    :raises KekRefused: the key file is set and cannot be used.
    :raises KeyStoreError: the store cannot be opened.
    """
    if settings.personal_kek_file is None or not settings.keys_path.exists():
        yield None
        return
    with SqliteKeyStore(
        settings.keys_path, read_kek(settings.personal_kek_file), create=False
    ) as keys:
        yield keys


@contextmanager
def required_keys(settings: Settings) -> Iterator[SqliteKeyStore]:
    """The key store, which must be there: for whoever is to destroy a key in it.

    :raises KekRefused: encryption is off here, or the key file cannot be used.
    :raises KeyStoreError: no key store is at its path; or it cannot be opened.
    """
    if settings.personal_kek_file is None:
        raise KekRefused(
            f"{PREFIX}PERSONAL_KEK_FILE is not set, so no key can be destroyed here",
            hint="run this where the keys are; what was published while encryption was off"
            " cannot be erased",
        )
    kek = read_kek(settings.personal_kek_file)
    if not settings.keys_path.exists():
        raise KeyStoreError(
            settings.keys_path,
            "open",
            f"there is none yet; is {PREFIX}KEYS_PATH right?",
            hint="the first event with personal text that is published, or the first record that is"
            " quarantined, makes it: before that no key exists that could be destroyed",
        )
    with SqliteKeyStore(settings.keys_path, kek, create=False) as keys:
        yield keys


@contextmanager
def record_cipher(settings: Settings) -> Iterator[RecordCipher | None]:
    """What seals quarantined bytes; None when encryption is off here.

    :raises KekRefused: the key file is set and cannot be used.
    :raises KeyStoreError: the store cannot be opened.
    """
    if settings.personal_kek_file is None:
        yield None
        return
    with SqliteKeyStore(settings.keys_path, read_kek(settings.personal_kek_file)) as keys:
        yield RecordCipher(keys)


@contextmanager
def existing_record_cipher(settings: Settings) -> Iterator[RecordCipher | None]:
    """What opens sealed bytes; None as :func:`existing_keys`.

    :raises KekRefused, KeyStoreError: as there.
    """
    with existing_keys(settings) as keys:
        yield None if keys is None else RecordCipher(keys)
