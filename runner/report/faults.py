"""Faults of the input as a person reads them: place, message, the line, a caret, what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from runner.errors import Fault
from runner.report.colours import Paint

MOST = 20


def render(faults: Sequence[Fault], *, color: bool) -> str:
    """Return the text for at most 20 faults, and how many more there are."""
    paint = Paint(on=color)
    blocks = [_block(fault, paint) for fault in faults[:MOST]]
    if len(faults) > MOST:
        blocks.append(f"… and {len(faults) - MOST} more\n")
    return "".join(blocks)


def as_json(faults: Sequence[Fault]) -> str:
    """Return the faults for tools: one object with a list."""
    return json.dumps({"faults": [_object(fault) for fault in faults]}, ensure_ascii=False)


def _object(fault: Fault) -> dict[str, object]:
    at = fault.at
    place = {"path": at.path, "line": at.line, "column": at.column, "length": at.length} if at else {}
    chain = [{"what": what, "at": str(where)} for what, where in fault.chain]
    found: dict[str, object] = {"code": fault.code, "message": fault.message, "hint": fault.hint, **place}
    return {**found, "chain": chain} if chain else found


def _block(fault: Fault, paint: Paint) -> str:
    place = f"{fault.at}: " if fault.at else ""
    lines = [f"{paint('bold', place)}{paint('red', f'error[{fault.code}]')}: {fault.message}"]
    source = _source(fault)
    if source is not None and fault.at is not None:
        number = str(fault.at.line).rjust(5)
        before = _blank(source[: fault.at.column - 1])
        length = max(1, min(fault.at.length, len(source) - fault.at.column + 1))
        carets = paint("red", "^" * length)
        lines.append(f"{number} | {source}")
        lines.append(f"      | {before}{carets}" + (f" {paint('cyan', fault.hint)}" if fault.hint else ""))
    elif fault.hint:
        lines.append(f"  hint: {paint('cyan', fault.hint)}")
    lines.extend(f"  {what} at {where}" for what, where in fault.chain)
    return "\n".join(lines) + "\n"


def _source(fault: Fault) -> str | None:
    if fault.at is None or not fault.at.path:
        return None
    try:
        lines = Path(fault.at.path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return lines[fault.at.line - 1] if 0 < fault.at.line <= len(lines) else None


def _blank(text: str) -> str:
    return "".join("\t" if each == "\t" else " " for each in text)
