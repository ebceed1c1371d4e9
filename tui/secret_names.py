"""Which names mean that their value is a secret: in a URL, in options, in task arguments."""

from __future__ import annotations

import re

# What a key must hold, besides its own prefix and suffix, for its value to be a secret.
WORD = re.compile(
    r"passw|passphrase|passcode|(?<![a-z])pass(?![a-z])|pwd|secret(?!ar)|token(?!i[sz])"
    r"|api[_ -]?key|access[_ -]?key|account[_ -]?key|private[_ -]?key|credential"
    r"|(?<![a-z])o?auth(?![a-z])"
    r"|authoriz|authoris|bearer|cookie|session[_ -]?id|csrf|xsrf"
    r"|(?<![a-z])(?:credit|debit)?[_ -]?card(?![a-z])|card[_ -]?(?:num|no(?![a-z])|holder)"
    r"|cvv|(?<![a-z])cvc|(?<![a-z])(?:pin|ssn|iban|otp|dsn)(?![a-z])",
    re.IGNORECASE,
)


def is_secret(key: object) -> bool:
    """Whether a value under this key is hidden."""
    return isinstance(key, str) and WORD.search(key[:200]) is not None
