"""The interpreter behind both prompts of a simulated board: runs what `syntax` has parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from runner.modules.sim import syntax
from runner.modules.sim.arithmetic import calculate
from runner.modules.sim.processor import INTERRUPT, Out, Program, Sleep, captured, complain
from runner.modules.sim.words import Arithmetic, Part, Substitution, Text, Variable, Word, Wrong

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=", re.DOTALL)


_WILD = {"*": ".*", "?": "."}
_ROUNDS = 64
"""Rounds of a loop in a millisecond."""


def _translated(pattern: str) -> str:
    """Return a file name pattern as a regular expression."""
    pieces = re.findall(r"\*|\?|\[!?\]?[^\]]*\]|.", pattern, re.DOTALL)
    return "".join(_WILD.get(piece) or _class_or_text(piece) for piece in pieces)


def _class_or_text(piece: str) -> str:
    if len(piece) < 2:
        return re.escape(piece)
    return "[" + piece[1:-1].replace("\\", r"\\").replace("!", "^", 1 if piece[1] == "!" else 0) + "]"


def _cut_front(pattern: str, text: str) -> str:
    match = re.match(pattern, text, re.DOTALL)
    return text[match.end() :] if match else text


def _cut_little_back(pattern: str, text: str) -> str:
    match = re.fullmatch(f"(.*)(?:{pattern})", text, re.DOTALL)
    return match[1] if match else text


def _cut_much_back(pattern: str, text: str) -> str:
    match = re.search(f"(?:{pattern})\\Z", text, re.DOTALL)
    return text[: match.start()] if match else text


_CUTS: Mapping[str, Callable[[str, str], str]] = {
    "#": lambda pattern, text: _cut_front(pattern.replace(".*", ".*?"), text),
    "##": _cut_front,
    "%": _cut_little_back,
    "%%": _cut_much_back,
}


class Leave(Exception):
    """The shell ends with a status (``exit``)."""

    def __init__(self, status: int) -> None:
        """Keep the status."""
        super().__init__(status)
        self.status = status


class Return(Exception):
    """A function ends with a status (``return``)."""

    def __init__(self, status: int) -> None:
        """Keep the status."""
        super().__init__(status)
        self.status = status


class Interrupted(Exception):
    """Ctrl-C ended what was running."""


class Files(Protocol):
    """The files that redirections can reach."""

    def read(self, path: str) -> str | None:
        """Return the content; None when there is no such file."""

    def write(self, path: str, content: str) -> str:
        """Replace the content; return why not, or an empty text."""


@dataclass(eq=False, kw_only=True)
class Shell:
    """Variables, a status and commands by name."""

    commands: Mapping[str, CommandBody]
    unknown: Callable[[str], Program[int]]
    variables: dict[str, str] = field(default_factory=dict)
    files: Files | None = None
    functions: dict[str, syntax.Command] = field(default_factory=dict)
    parameters: list[str] = field(default_factory=list)
    status: int = 0
    _rounds: int = 0

    def run(self, text: str) -> Program[int]:
        """Run a command line; raise Unfinished when it goes on in the next line."""
        try:
            return (yield from self._sequence(syntax.parse(text)))
        except Wrong as error:
            self.status = yield from complain(f"sh: {error}\n", 2)
            return self.status

    def call(self, words: list[str], stdin: str = "") -> Program[int]:
        """Run a command whose words are known."""
        function = self.functions.get(words[0])
        if function is not None:
            return (yield from self._function(function, words[1:], stdin))
        body = self.commands.get(words[0])
        if body is None:
            return (yield from self.unknown(words[0]))
        return (yield from body(self, words, stdin))

    def _sequence(self, sequence: syntax.Sequence) -> Program[int]:
        for joint, pipeline in sequence.items:
            if (joint == "&&" and self.status) or (joint == "||" and not self.status):
                continue
            status = yield from self._pipeline(pipeline)
            self.status = int(not status) if pipeline.negated else status
        return self.status

    def _pipeline(self, pipeline: syntax.Pipeline) -> Program[int]:
        stdin = ""
        for command in pipeline.commands[:-1]:
            stdin, _ = yield from captured(self._command(command, stdin))
        return (yield from self._command(pipeline.commands[-1], stdin))

    def _command(self, command: syntax.Command, stdin: str) -> Program[int]:
        if isinstance(command, syntax.Simple):
            return (yield from self._simple(command, stdin))
        if isinstance(command, syntax.Group):
            body = self._own(command.body) if command.own else self._sequence(command.body)
            return (yield from self._redirected(body, command.redirections))
        if isinstance(command, syntax.If):
            return (yield from self._if(command))
        if isinstance(command, syntax.For):
            return (yield from self._for(command))
        if isinstance(command, syntax.Function):
            self.functions[command.name] = command.body
            return 0
        return (yield from self._while(command))

    def _function(self, body: syntax.Command, arguments: list[str], stdin: str) -> Program[int]:
        outer, self.parameters = self.parameters, arguments
        try:
            return (yield from self._command(body, stdin))
        except Return as end:
            return end.status
        finally:
            self.parameters = outer

    def _if(self, command: syntax.If) -> Program[int]:
        for condition, body in command.branches:
            self.status = 0
            if (yield from self._sequence(condition)) == 0:
                self.status = 0
                return (yield from self._sequence(body))
        self.status = 0
        return (yield from self._sequence(command.otherwise))

    def _for(self, command: syntax.For) -> Program[int]:
        self.status = 0
        for value in (yield from self._expanded(command.words)):
            self.variables[command.name] = value
            yield from self._sequence(command.body)
            yield from self._breathe()
        return self.status

    def _while(self, command: syntax.While) -> Program[int]:
        status = 0
        while True:
            self.status = 0
            holds = (yield from self._sequence(command.condition)) == 0
            if holds == command.until:
                return status
            self.status = 0
            status = yield from self._sequence(command.body)
            yield from self._breathe()

    def _breathe(self) -> Program[None]:
        """Let some time pass, after some rounds of a loop."""
        self._rounds = (self._rounds + 1) % _ROUNDS
        if not self._rounds:
            yield from breathe()

    def _own(self, body: syntax.Sequence) -> Program[int]:
        """Run a body in a shell of its own."""
        inner = Shell(
            commands=self.commands,
            unknown=self.unknown,
            variables=dict(self.variables),
            files=self.files,
            functions=dict(self.functions),
            parameters=list(self.parameters),
            status=self.status,
        )
        try:
            return (yield from inner._sequence(body))
        except Leave as leave:
            return leave.status

    def _simple(self, command: syntax.Simple, stdin: str) -> Program[int]:
        assignments, words = _split(command.words)
        values: dict[str, str] = {}
        for name, word in assignments:
            values[name] = " ".join((yield from self._fields(word, split=False)))
        arguments = yield from self._expanded(words)
        if not arguments:
            self.variables.update(values)
            return (yield from self._redirected(_nothing(), command.redirections))
        for redirection in command.redirections:
            if redirection.how == "<":
                path = (yield from self._expanded((redirection.target,)))[0]
                content = self.files.read(path) if self.files else None
                if content is None:
                    return (yield from complain(f"sh: can't open {path}: no such file\n", 1))
                stdin = content
        return (yield from self._redirected(self._with(values, arguments, stdin), command.redirections))

    def _with(self, values: Mapping[str, str], arguments: list[str], stdin: str) -> Program[int]:
        before = {name: self.variables.get(name) for name in values}
        self.variables.update(values)
        try:
            return (yield from self.call(arguments, stdin))
        finally:
            for name, value in before.items():
                if value is None:
                    self.variables.pop(name, None)
                else:
                    self.variables[name] = value

    def _redirected(self, body: Program[int], how: tuple[syntax.Redirection, ...]) -> Program[int]:
        writing = [each for each in how if each.how != "<"]
        if not writing:
            return (yield from body)
        targets = {"1": "", "2": ""}
        kept: dict[str, str] = {}
        for each in writing:
            path = (yield from self._expanded((each.target,)))[0]
            targets[each.stream] = targets.get(path, "") if each.how == ">&" else path
            if each.how == ">&" and not targets[each.stream]:
                targets[each.stream] = f"&{path}"
            elif each.how in (">", ">>"):
                old = self.files.read(path) if self.files and each.how == ">>" else ""
                kept[path] = old or ""
        status = yield from _routed(body, targets, kept)
        for path, content in kept.items():
            refusal = self.files.write(path, content) if self.files else "no files here"
            if refusal:
                return (yield from complain(f"sh: can't create {path}: {refusal}\n", 1))
        return status

    def _expanded(self, words: tuple[Word, ...]) -> Program[list[str]]:
        found: list[str] = []
        for word in words:
            found += yield from self._fields(word, split=True)
        return found

    def _fields(self, word: Word, *, split: bool) -> Program[list[str]]:
        fields: list[str] = []
        current = ""
        solid = False
        for part in word.parts:
            if isinstance(part, Variable) and part.name == "@" and part.quoted and split:
                fields += [current + first for first in self.parameters[:1]] + self.parameters[1:]
                current = fields.pop() if self.parameters else current
                solid = solid or bool(self.parameters)
                continue
            text = yield from self._value(part)
            solid = solid or part.quoted
            if part.quoted or isinstance(part, Text) or not split:
                current += text
                continue
            pieces = text.split()
            if text[:1].isspace() and (current or solid):
                fields.append(current)
                current = ""
            fields += [current + pieces[0], *pieces[1:-1]] if len(pieces) > 1 else []
            current = pieces[-1] if len(pieces) > 1 else current + "".join(pieces)
            if pieces and text[-1:].isspace():
                fields.append(current)
                current = ""
        return [*fields, current] if current or solid or not split else fields

    def _value(self, part: Part) -> Program[str]:
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Variable):
            return (yield from self._variable(part))
        if isinstance(part, Substitution):
            text, _ = yield from captured(self._own(syntax.parse(part.source)))
            return text.rstrip("\n")
        return (yield from self._arithmetic(part))

    def _variable(self, part: Variable) -> Program[str]:
        value = self._lookup(part.name)
        operator, other = part.operator, part.other
        if operator == "length":
            return str(len(value or ""))
        if not operator or other is None:
            return value or ""
        if operator in _CUTS:
            return _CUTS[operator]((yield from self._pattern(other)), value or "")
        present = value is not None and (value != "" or not operator.startswith(":"))
        if operator.endswith("+"):
            return (yield from self._text(other)) if present else ""
        if present:
            return value or ""
        text = yield from self._text(other)
        if operator.endswith("="):
            self.variables[part.name] = text
        elif operator.endswith("?"):
            raise Wrong(f"{part.name}: {text or 'parameter not set'}")
        return text

    def _lookup(self, name: str) -> str | None:
        if name.isdigit() and name != "0":
            place = int(name) - 1
            return self.parameters[place] if place < len(self.parameters) else None
        joined = " ".join(self.parameters)
        special = {"?": str(self.status), "$": "201", "#": str(len(self.parameters)), "0": "sh"}
        if name in ("@", "*"):
            return joined
        return special[name] if name in special else self.variables.get(name)

    def _text(self, word: Word) -> Program[str]:
        return " ".join((yield from self._fields(word, split=False)))

    def _pattern(self, word: Word) -> Program[str]:
        """Return a pattern as a regular expression; what is quoted stands for itself."""
        found = ""
        for part in word.parts:
            text = yield from self._value(part)
            found += re.escape(text) if part.quoted else _translated(text)
        return found

    def _arithmetic(self, part: Arithmetic) -> Program[str]:
        try:
            return str(calculate((yield from self._text(part.source)), self.variables))
        except ValueError as error:
            raise Wrong(str(error)) from error


CommandBody = Callable[[Shell, list[str], str], Program[int]]


def breathe() -> Program[None]:
    """Let time pass between two rounds of a loop, so that Ctrl-C can end it."""
    if (yield Sleep(0.001, interruptible=True)) == INTERRUPT:
        raise Interrupted


def _nothing() -> Program[int]:
    return 0
    yield Out(b"")


def _split(words: tuple[Word, ...]) -> tuple[list[tuple[str, Word]], tuple[Word, ...]]:
    assignments: list[tuple[str, Word]] = []
    for position, word in enumerate(words):
        first = word.parts[0]
        if not isinstance(first, Text) or first.quoted or not (match := _ASSIGNMENT.match(first.text)):
            return assignments, words[position:]
        rest = Text(first.text[match.end() :], quoted=False)
        assignments.append((match[1], Word((rest, *word.parts[1:]))))
    return assignments, ()


def _routed(body: Program[int], targets: Mapping[str, str], kept: dict[str, str]) -> Program[int]:
    """Run a body with its outputs sent to files, to each other, or on."""
    try:
        wish = next(body)
        while True:
            target = targets["2" if wish.error else "1"] if isinstance(wish, Out) else ""
            if not isinstance(wish, Out) or not target:
                wish = body.send((yield wish))
            elif target.startswith("&"):
                yield Out(wish.data, error=target == "&2")
                wish = body.send(b"")
            else:
                kept[target] += wish.data.decode("latin-1")
                wish = body.send(b"")
    except StopIteration as end:
        status: int = end.value
        return status
