"""Hides secrets: each value, and the forms in which it may turn up elsewhere."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse

MASK = "******"
_SHORTEST = 3
"""Shorter values are not masked: they would blacken every text and still be guessed."""


class Masker:
    """Knows the secrets of a run; false in a condition while there are none.

    >>> masker = Masker()
    >>> masker.add("hunter2")
    >>> masker.mask("password=hunter2 aHVudGVyMg==")
    'password=****** ******'
    """

    def __init__(self) -> None:
        """Know of no secret yet."""
        self._forms: set[str] = set()
        self._text: re.Pattern[str] | None = None
        self._bytes: re.Pattern[bytes] | None = None
        self._beginnings: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to hide."""
        return self._text is not None

    def add(self, secret: str) -> None:
        """Hide a value from now on, also as base64, in a URL and in JSON."""
        if len(secret) < _SHORTEST or secret in self._forms:
            return
        self._forms |= {
            secret,
            base64.b64encode(secret.encode()).decode(),
            urllib.parse.quote(secret, safe=""),
            urllib.parse.quote_plus(secret),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
        }
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._text = re.compile("|".join(map(re.escape, longest_first)))
        self._beginnings = tuple({form.encode()[:-1] for form in self._forms})
        self._bytes = re.compile(b"|".join(re.escape(form.encode()) for form in longest_first))

    def mask(self, text: str) -> str:
        """Return a text without secrets."""
        return text if self._text is None else self._text.sub(MASK, text)

    def mask_bytes(self, data: bytes) -> bytes:
        """Return bytes of the same length without secrets, so that offsets stay right."""
        return data if self._bytes is None else self._bytes.sub(lambda match: b"*" * len(match[0]), data)

    def unfinished(self, data: bytes) -> int:
        """Return how many bytes at the end may be the beginning of a secret.

        >>> masker = Masker()
        >>> masker.add("hunter2")
        >>> masker.unfinished(b"password=hunt"), masker.unfinished(b"# ")
        (4, 0)
        """
        longest = 0
        for form in self._beginnings:
            if not data or data[-1] not in form:
                continue
            fitting = (
                size for size in range(min(len(form), len(data)), longest, -1) if data.endswith(form[:size])
            )
            longest = next(fitting, longest)
        return longest
