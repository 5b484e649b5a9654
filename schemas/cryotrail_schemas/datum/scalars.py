"""Forms of text, identities, truth values, numbers, bytes and symbols of a code list."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Any, Final
from uuid import UUID

from cryotrail_schemas.datum.form import Form, ValueRefused, described

UUID_TEXT: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
"""Whether text is a UUID written in 36 characters, in either case."""

_GREATEST_FLOAT: Final = 3.4028234663852886e38


class Text(Form):
    """Unicode text that UTF-8 can hold, without U+0000 (which PostgreSQL cannot store)."""

    def to_plain(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueRefused(f"expected text, got {described(value)}")
        if "\0" in value:
            raise ValueRefused("text holds U+0000")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueRefused("text holds a lone surrogate, which UTF-8 cannot hold") from None
        return value


class Uuid(Form):
    """A UUID; on the wire and in JSON its text of 36 characters (RFC 9562 section 4)."""

    demanding = True

    def to_plain(self, value: Any) -> str:
        if not isinstance(value, UUID):
            raise ValueRefused(f"expected a UUID, got {described(value)}")
        return str(value)

    def from_plain(self, plain: Any) -> UUID:
        if not UUID_TEXT(plain):
            raise ValueError(f"no UUID text: {plain!r}")
        return UUID(plain)

    def to_json(self, value: Any) -> str:
        return str(value)

    def from_json(self, value: Any) -> UUID:
        if not isinstance(value, str) or not UUID_TEXT(value):
            raise ValueRefused(f"expected a UUID as text of 36 characters, got {described(value)}")
        return UUID(value)


class Boolean(Form):
    """True or false, and nothing that merely counts as one of them."""

    def to_plain(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueRefused(f"expected true or false, got {described(value)}")
        return value


class Integer(Form):
    """A whole number of 32 or 64 bits, never below ``minimum`` when the contract gives one."""

    def __init__(self, bits: int, minimum: int | None) -> None:
        self._greatest = (1 << (bits - 1)) - 1
        self._least = ~self._greatest if minimum is None else minimum
        # Avro writes both widths the same way, and fastavro reads an int of 64 bits as it comes.
        self.demanding = bits < 64

    def to_plain(self, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueRefused(f"expected a whole number, got {described(value)}")
        if value < self._least:
            raise ValueRefused(f"{value} is below {self._least}")
        if value > self._greatest:
            raise ValueRefused(f"{value} is above {self._greatest}")
        return value

    def from_plain(self, plain: Any) -> int:
        # The publisher's minimum is not asked of what was published: history is read as it is.
        if not ~self._greatest <= plain <= self._greatest:
            raise ValueError(f"{plain} is not within {~self._greatest}..{self._greatest}")
        return int(plain)


class Number(Form):
    """A finite number; a 32-bit one when ``single``."""

    def __init__(self, *, single: bool) -> None:
        self._single = single

    def to_plain(self, value: Any) -> float:
        if not isinstance(value, float | int) or isinstance(value, bool):
            raise ValueRefused(f"expected a number, got {described(value)}")
        try:
            number = float(value)
        except OverflowError:
            raise ValueRefused(f"{described(value)} is too great for a number") from None
        if not isfinite(number):
            raise ValueRefused(f"{number} is no finite number")
        if self._single and abs(number) > _GREATEST_FLOAT:
            raise ValueRefused(f"{number} is too great for a 32-bit number")
        return number


class FixedPoint(Form):
    """An exact decimal of ``precision`` digits, ``scale`` of them after the point.

    On the wire the unscaled number, two's complement, big-endian, in the fewest bytes; in JSON a
    number (all that the contract holds have fewer digits than a double keeps).
    """

    demanding = True

    def __init__(self, precision: int, scale: int) -> None:
        self._precision, self._scale = precision, scale
        self._bound = 10**precision

    def to_plain(self, value: Any) -> bytes:
        if not isinstance(value, Decimal):
            raise ValueRefused(f"expected a Decimal, got {described(value)}")
        if not value.is_finite():
            raise ValueRefused(f"{value} is no finite number")
        numerator, denominator = value.as_integer_ratio()
        unscaled: int
        unscaled, rest = divmod(numerator * 10**self._scale, denominator)
        if rest:
            raise ValueRefused(f"{value} has more than {self._scale} decimals")
        if abs(unscaled) >= self._bound:
            raise ValueRefused(f"{value} has more than {self._precision} digits")
        return unscaled.to_bytes((unscaled.bit_length() + 8) // 8, "big", signed=True)

    def from_plain(self, plain: Any) -> Decimal:
        unscaled = int.from_bytes(plain, "big", signed=True)
        if abs(unscaled) >= self._bound:
            raise ValueError(f"a decimal of more than {self._precision} digits")
        return Decimal(unscaled).scaleb(-self._scale)

    def to_json(self, value: Any) -> float:
        return float(value)

    def from_json(self, value: Any) -> Decimal:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueRefused(f"expected a number, got {described(value)}")
        return Decimal(repr(value))


class Binary(Form):
    """Bytes; in JSON hexadecimal text, as every command shows hashes."""

    def to_plain(self, value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise ValueRefused(f"expected bytes, got {described(value)}")
        return value

    def to_json(self, value: Any) -> str:
        return str(value.hex())

    def from_json(self, value: Any) -> bytes:
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            raise ValueRefused(f"expected hexadecimal text, got {described(value)}") from None


class Symbol(Form):
    """A symbol of a code list."""

    def __init__(self, code_list: type[StrEnum]) -> None:
        self._code_list = code_list
        self._by_symbol = {member.value: member for member in code_list}

    def to_plain(self, value: Any) -> str:
        if type(value) is not self._code_list:
            raise ValueRefused(f"expected a {self._code_list.__name__}, got {described(value)}")
        return str(value._value_)

    def from_plain(self, plain: Any) -> StrEnum:
        return self._by_symbol[plain]

    def to_json(self, value: Any) -> str:
        return str(value.value)

    def from_json(self, value: Any) -> StrEnum:
        member = self._by_symbol.get(value) if isinstance(value, str) else None
        if member is None:
            known = ", ".join(self._by_symbol)
            raise ValueRefused(f"{described(value)} is not one of {known}")
        return member
