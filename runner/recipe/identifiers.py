"""Which words may be names of variables, params, registers and actions."""

from __future__ import annotations

import re

from runner.document import Scalar
from runner.errors import Faults
from runner.recipe.fields import inside

BUILT_IN = ("bench", "benches", "run", "artifacts", "result")
"""Names that every expression may use."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = (
    "and or not in is if else elif endif for endfor recursive set endset true false none True False None "
    "import from include extends block endblock macro endmacro call endcall filter endfilter with without "
    "context raw endraw self super loop varargs kwargs caller range dict lipsum cycler joiner namespace"
)
_JINJA = frozenset(_KEYWORDS.split(" "))


def check_identifier(scalar: Scalar, kind: str, faults: Faults) -> bool:
    """Note a fault when the text cannot be the name of a `kind` (``variable``); tell whether it can."""
    name = scalar.text
    if not _WORD.fullmatch(name):
        fixed = re.sub(r"\W", "_", name)
        hint = f"write {fixed}" if _WORD.fullmatch(fixed) else "use letters, digits and _"
        faults.add("E220", f"{name!r} cannot be the name of a {kind}", at=scalar.at, hint=hint)
        return False
    if name in BUILT_IN:
        faults.add(
            "E220",
            f"{name!r} cannot be the name of a {kind}: it is built in",
            at=inside(scalar),
            hint=f"choose another name, such as my_{name}",
        )
        return False
    if name in _JINJA:
        faults.add(
            "E220",
            f"{name!r} cannot be the name of a {kind}: it means something in expressions",
            at=inside(scalar),
            hint=f"choose another name, such as my_{name}",
        )
        return False
    return True
