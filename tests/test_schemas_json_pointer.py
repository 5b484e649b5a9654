"""JSON pointers are those of RFC 6901, and replacing leaves the original alone."""

import pytest

from cryotrail_schemas.json_pointer import PointerError, parse, replaced

# The examples of RFC 6901 section 5.
RFC_EXAMPLES = {
    "": [],
    "/foo": ["foo"],
    "/foo/0": ["foo", "0"],
    "/": [""],
    "/a~1b": ["a/b"],
    "/c%d": ["c%d"],
    "/m~0n": ["m~n"],
    "/~01": ["~1"],
}


@pytest.mark.parametrize(("pointer", "tokens"), RFC_EXAMPLES.items())
def test_tokens_are_those_of_the_rfc(pointer, tokens):
    assert parse(pointer) == tokens


@pytest.mark.parametrize("pointer", ["foo", "/~", "/a~2b"])
def test_a_malformed_pointer_is_refused(pointer):
    with pytest.raises(PointerError):
        parse(pointer)


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/a", {"a": 9, "b": [{"c": 2}]}),
        ("/b/0/c", {"a": 1, "b": [{"c": 9}]}),
        ("/b/0", {"a": 1, "b": [9]}),
        ("/new", {"a": 1, "b": [{"c": 2}], "new": 9}),
        ("", 9),
    ],
)
def test_a_value_is_replaced_and_the_original_stays(pointer, expected):
    document = {"a": 1, "b": [{"c": 2}]}

    assert replaced(document, pointer, 9) == expected
    assert document == {"a": 1, "b": [{"c": 2}]}


@pytest.mark.parametrize("pointer", ["/b/1", "/b/-", "/b/-1", "/b/00", "/b/+0", "/a/x", "/no/x"])
def test_a_pointer_that_leads_nowhere_is_refused(pointer):
    with pytest.raises(PointerError):
        replaced({"a": 1, "b": [0]}, pointer, 9)
