"""What signs and what encrypts for a publisher, by its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryotrail_producers.settings import PublisherSettings
from cryotrail_schemas.signing import Signer

if TYPE_CHECKING:
    from cryotrail_producers.personal_cipher import PersonalCipher


def signer_of(settings: PublisherSettings) -> Signer | None:
    """What signs; None = nothing is signed.

    :raises SigningKeyRefused: the file of the signing key cannot be used.
    """
    if settings.signing_key_file is None:
        return None
    # Only here: a publisher that signs nothing need not load the library.
    from cryotrail_producers.signing import Ed25519Signer

    return Ed25519Signer.from_file(settings.signing_key_file)


def personal_cipher_of(settings: PublisherSettings) -> PersonalCipher | None:
    """What encrypts personal text; None = it is to be sent in clear.

    :raises KekRefused, KeyStoreError: the keys cannot be used.
    """
    if settings.personal_kek_file is None:
        return None
    # Only here: a publisher that encrypts nothing need not load the library.
    from cryotrail_producers.key_store.kek import read_kek
    from cryotrail_producers.key_store.sqlite import SqliteKeyStore
    from cryotrail_producers.personal_cipher import PersonalCipher

    kek = read_kek(settings.personal_kek_file)
    return PersonalCipher(SqliteKeyStore(settings.key_store_path(), kek))
