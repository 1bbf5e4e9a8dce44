"""The grammar of the simulated board's shells: text to commands (POSIX.1-2017, Shell Command Language 2.9).

Left out: case, here-documents, file name patterns, jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from runner.modules.sim.words import Operator, Text, Token, Unfinished, Word, Wrong, tokens

_CLOSING = frozenset({"then", "elif", "else", "fi", "do", "done", "}"})
_REDIRECTIONS = (">", "<")


@dataclass(frozen=True)
class Redirection:
    """``2>file``: which stream, how (``>``, ``>>``, ``>&``, ``<``) and where to."""

    stream: str
    how: str
    target: Word


@dataclass(frozen=True)
class Simple:
    """Assignments and a command with its arguments."""

    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """Commands of which each reads what the one before prints."""

    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True)
class Sequence:
    """Commands with what joins each to the one before: ``;``, ``&&`` or ``||``."""

    items: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True)
class Group:
    """``{ …; }``, or in parentheses with variables of its own."""

    body: Sequence
    own: bool
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True)
class If:
    """Branches of condition and body, and what to do otherwise."""

    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence


@dataclass(frozen=True)
class While:
    """A body repeated while (or until) the condition holds."""

    condition: Sequence
    body: Sequence
    until: bool


@dataclass(frozen=True)
class For:
    """A body repeated for each word."""

    name: str
    words: tuple[Word, ...]
    body: Sequence


@dataclass(frozen=True)
class Function:
    """A command that is given a name."""

    name: str
    body: Command


Command = Union[Simple, Group, If, While, For, Function]


def parse(text: str) -> Sequence:
    """Parse a command line; raise Unfinished when it goes on, Wrong when it cannot.

    >>> len(parse("true && echo yes; false").items)
    3
    """
    reader = _Reader(tokens(text))
    found = reader.sequence()
    if reader.token is not None:
        raise Wrong(f'syntax error: unexpected "{reader.shown}"')
    return found


class _Reader:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._position = 0

    @property
    def token(self) -> Token | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    @property
    def shown(self) -> str:
        return self._operator or self._keyword or "word"

    @property
    def _operator(self) -> str:
        return self.token.text if isinstance(self.token, Operator) else ""

    @property
    def _keyword(self) -> str:
        return self.token.plain if isinstance(self.token, Word) else ""

    def sequence(self) -> Sequence:
        items: list[tuple[str, Pipeline]] = []
        joint = ";"
        while True:
            while self._operator == "\n":
                self._position += 1
            if self.token is None and joint != ";":
                raise Unfinished
            if self.token is None or self._ends():
                return Sequence(tuple(items))
            items.append((joint, self._pipeline()))
            joint = {"\n": ";", "": ";"}.get(self._operator, self._operator)
            if self._operator in ("&&", "||", ";", "\n"):
                self._position += 1
            elif self.token is not None and not self._ends():
                raise Wrong(f'syntax error: unexpected "{self.shown}"')

    def _ends(self) -> bool:
        return self._operator == ")" or self._keyword in _CLOSING

    def _pipeline(self) -> Pipeline:
        negated = self._keyword == "!"
        self._position += negated
        commands = [self._command()]
        while self._operator == "|":
            self._position += 1
            if self.token is None:
                raise Unfinished
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        if self._operator == "(" or self._keyword == "{":
            return self._group()
        if self._keyword == "if":
            return self._if()
        if self._keyword in ("while", "until"):
            return self._while()
        if self._keyword == "for":
            return self._for()
        if self._keyword and self._next_are("(", ")"):
            return self._function()
        return self._simple()

    def _next_are(self, *texts: str) -> bool:
        following = self._tokens[self._position + 1 : self._position + 1 + len(texts)]
        return [token.text for token in following if isinstance(token, Operator)] == list(texts)

    def _function(self) -> Function:
        name = self._keyword
        self._position += 3
        while self._operator == "\n":
            self._position += 1
        if self.token is None:
            raise Unfinished
        return Function(name, self._command())

    def _simple(self) -> Simple:
        words: list[Word] = []
        redirections: list[Redirection] = []
        while self.token is not None:
            if isinstance(self.token, Word):
                words.append(self.token)
                self._position += 1
            elif self.token.text.strip("012>&<") == "" and self.token.text not in ("&", "&&"):
                redirections.append(self._redirection())
            else:
                break
        if not words and not redirections:
            raise Wrong(f'syntax error: unexpected "{self.shown}"')
        return Simple(tuple(words), tuple(redirections))

    def _redirection(self) -> Redirection:
        text = self._operator
        self._position += 1
        if not isinstance(self.token, Word):
            raise Wrong(f'syntax error: unexpected "{self.shown}"')
        target = self.token
        self._position += 1
        how = text.lstrip("012")
        stream = text[: len(text) - len(how)] or ("0" if how == "<" else "1")
        return Redirection(stream, how, target)

    def _redirections(self) -> tuple[Redirection, ...]:
        found: list[Redirection] = []
        while self._operator.strip("012").startswith(_REDIRECTIONS):
            found.append(self._redirection())
        return tuple(found)

    def _group(self) -> Group:
        own = self._operator == "("
        self._position += 1
        body = self.sequence()
        self._expect(")" if own else "}")
        return Group(body, own, self._redirections())

    def _if(self) -> If:
        branches: list[tuple[Sequence, Sequence]] = []
        otherwise = Sequence(())
        while self._keyword in ("if", "elif"):
            self._position += 1
            condition = self.sequence()
            self._expect("then")
            branches.append((condition, self.sequence()))
        if self._keyword == "else":
            self._position += 1
            otherwise = self.sequence()
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _while(self) -> While:
        until = self._keyword == "until"
        self._position += 1
        condition = self.sequence()
        return While(condition, self._body(), until)

    def _for(self) -> For:
        self._position += 1
        name = self._keyword
        self._position += 1
        words: list[Word] = []
        if self._keyword == "in":
            self._position += 1
            while isinstance(self.token, Word):
                words.append(self.token)
                self._position += 1
        while self._operator in (";", "\n"):
            self._position += 1
        return For(name, tuple(words), self._body())

    def _body(self) -> Sequence:
        self._expect("do")
        body = self.sequence()
        self._expect("done")
        return body

    def _expect(self, wanted: str) -> None:
        if self.token is None:
            raise Unfinished
        if wanted not in (self._operator, self._keyword):
            raise Wrong(f'syntax error: unexpected "{self.shown}" (expecting "{wanted}")')
        self._position += 1


def words(text: str) -> tuple[Word, ...]:
    """Split text into words at blanks only, as U-Boot's simple parser does: no quotes, no operators."""
    return tuple(Word((Text(each, quoted=True),)) for each in text.split())


def goes_on(text: str) -> bool:
    """Tell whether a command line is not finished: a quote or a construct is open."""
    try:
        parse(text)
    except Unfinished:
        return True
    except Wrong:
        return False
    return False
