"""The log's key, memory, signer and anchors of one process, as the settings have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryotrail.console import say
from cryotrail.settings import Settings
from cryotrail_audit.checkpoints import key_files
from cryotrail_audit.checkpoints.anchors.anchor import AnchorOptions, anchors_of
from cryotrail_audit.checkpoints.anchors.anchoring import Anchoring
from cryotrail_audit.checkpoints.errors import MemoryLost, SigningRefused
from cryotrail_audit.checkpoints.keys import LogKey, PinnedKey
from cryotrail_audit.checkpoints.memory import MemoryFile
from cryotrail_audit.checkpoints.signer import Signer

BESIDE_THE_STORE = (
    "the key that signs the log lies beside the store: whoever owns this machine can sign anything "
    "with it"
)
"""What is said where a home signs for itself."""


def public_file(private_file: Path) -> Path:
    """Where the public part of a key lies."""
    return private_file.with_suffix(".pub")


def log_memory(settings: Settings) -> MemoryFile:
    """The memory of the log's own signer."""
    return MemoryFile(settings.signer_state_dir / "log.memory.json")


def witness_memory(settings: Settings) -> MemoryFile:
    """The memory of a witness."""
    return MemoryFile(settings.signer_state_dir / "witness.memory.json")


def anchoring(settings: Settings) -> Anchoring:
    """The configured places outside."""
    state = settings.signer_state_dir
    options = AnchorOptions(state / "rfc3161", settings.anchor_tsa_ca_file)
    return Anchoring(anchors_of(settings.anchors, options), state / "anchors.json")


def open_signer(settings: Settings) -> Signer:
    """The signer of the settings' log.

    :raises KeyRefused: there is no key at hand.
    :raises SigningRefused: the key is of another log.
    """
    key = LogKey.read(settings.log_key_file)
    return Signer(settings.audit_url, key, log_memory(settings))


def create_key(file: Path, name: str, memory: MemoryFile, origin: str, *, witness: bool) -> LogKey:
    """Make a key pair and the memory of having signed nothing; overwrites neither.

    :param name: of the key.
    :param origin: of the log that it will sign.
    :raises KeyRefused: there is a key already, or the name does not do.
    :raises SigningRefused: there is a memory already: another key signed this log.
    """
    key = LogKey.create(name, witness=witness)
    if memory.exists():
        _refuse_memory_of_another(memory, file, origin)
        raise SigningRefused(
            f"{memory.path} is there already: this log was signed before",
            hint="bring back the key that signed it",
        )
    key_files.write_private(file, key.to_text())
    key_files.write_public(public_file(file), key.pinned.to_text())
    memory.begin(origin)
    return key


def _refuse_memory_of_another(memory: MemoryFile, file: Path, origin: str) -> None:
    """Say what to do where the log was continued, and its signer starts anew.

    :raises SigningRefused: the memory is of another log.
    """
    try:
        signed = memory.load().origin
    except MemoryLost:
        return
    if signed != origin:
        raise SigningRefused(
            f"{memory.path} is of {signed}, the key would be of {origin}",
            hint=f"move {file}, {public_file(file)} and {memory.path} to a folder of their own, and"
            f" keep them: what was signed of {signed} can be checked with that key alone",
        )


def ensure_home_key(settings: Settings, origin: str) -> bool:
    """Whether the log can be signed here; a home that uses its own folder gets a key once.

    :raises KeyRefused: the key cannot be read.
    :raises SigningRefused: the key is of another log than the store's.
    """
    file, memory = settings.log_key_file, log_memory(settings)
    is_own = settings.origins["LOG_KEY_FILE"] == settings.origins["SIGNER_STATE_DIR"] == "default"
    if not file.exists():
        if not is_own or memory.exists():
            say(f"the log is not signed: its key {file} is not here")
            return False
        key = create_key(file, origin, memory, origin, witness=False)
        say(f"made a key for the log: {file}, public part {public_file(file)}")
        say(f"  its fingerprint is {key.pinned.fingerprint}")
    elif (name := LogKey.read(file).name) != origin:
        raise SigningRefused(
            f"the log is named {origin}, the key {file} is of {name}",
            hint=f"if the store was replaced on purpose, move {settings.signer_state_dir} away",
        )
    if is_own:
        say(BESIDE_THE_STORE)
    return True


def pinned_log_key(settings: Settings) -> PinnedKey | None:
    """The public key of the log where it lies beside the private one; None = it is not here."""
    file = public_file(settings.log_key_file)
    return PinnedKey.read(file) if file.exists() else None


class Stopped(BaseException):
    """A long hashing was told to stop; nothing was signed or remembered."""


def stopping_progress(
    advance: Callable[[int], None], is_stopping: Callable[[], bool]
) -> Callable[[int], None]:
    """A progress that ends the work once the process was told to stop."""

    def advanced(count: int) -> None:
        if is_stopping():
            raise Stopped
        advance(count)

    return advanced
