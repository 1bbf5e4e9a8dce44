"""What plain scalars mean: the core schema of YAML 1.2 (section 10.3.2)."""

from __future__ import annotations

import re

from runner.document import Plain

_WORDS: dict[str, Plain] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("0123456789+-.")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_LONGEST_NUMBER = 1000
"""Characters of the longest number; what is longer is text, as Python limits the reading of digits."""


def core_value(text: str) -> Plain:
    """Return what a plain scalar means.

    >>> core_value("0x1F"), core_value("yes"), core_value("1e3"), core_value("~")
    (31, 'yes', 1000.0, None)
    """
    if text[:1] not in _NUMBER_START:
        return _WORDS.get(text, text)
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "", 1)) if _SPECIAL.fullmatch(text) else text


def is_ambiguous(text: str) -> bool:
    """Tell whether it is a number with zeros in front, which YAML 1.1 reads as octal (``0644``).

    >>> is_ambiguous("0644"), is_ambiguous("0.5"), is_ambiguous("0")
    (True, False, False)
    """
    return _LEADING_ZERO.fullmatch(text) is not None


def faithful_value(text: str) -> Plain:
    """Return the number or boolean that a text from outside is, when it can be written back unchanged.

    >>> faithful_value("115200"), faithful_value("true"), faithful_value("1.10"), faithful_value("")
    (115200, True, '1.10', '')
    """
    value = core_value(text)
    if isinstance(value, bool):
        return value
    return value if value is not None and str(value) == text else text
