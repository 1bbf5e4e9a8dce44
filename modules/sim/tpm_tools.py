"""The commands of tpm2-tools on a simulated board, as far as one signs and verifies with them.

Options, output and status are those of tpm2-tools 5.4; a test compares them with the real ones.
"""

from __future__ import annotations

import getopt
from collections.abc import Callable, Mapping
from typing import cast, get_args

from runner.modules.sim.processor import Program, complain, say
from runner.modules.sim.shell import CommandBody, Files, Shell
from runner.modules.sim.tpm import Digest, Key, Tpm, TpmError

_NO_DEVICE = (
    "ERROR:tcti:src/tss2-tcti/tcti-device.c:452:Tss2_Tcti_Device_Init() "
    "Failed to open specified TCTI device file /dev/tpmrm0: No such file or directory \n"
    'ERROR: Could not load tcti, got: "(null)"\n'
)
_NOT_VALID = 0x2DB
_HIERARCHIES = {"e": "e", "endorsement": "e", "o": "o", "owner": "o", "p": "p", "platform": "p", "n": "n"}


class _Refused(Exception):
    """What a tool prints when it cannot do it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class _WronglyCalled(Exception):
    """What a tool prints when it cannot take its options, and its status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


class _Arguments:
    """What a tool was called with; reads and writes the files that are named."""

    def __init__(self, words: list[str], letters: str, files: Files) -> None:
        self._files = files
        try:
            pairs, self.others = getopt.gnu_getopt(words[1:], letters + "Q", ["hex", "quiet"])
        except getopt.GetoptError as error:
            raise _WronglyCalled(f"{words[0]}: invalid option -- '{error.opt}'\n") from error
        self.options = dict(pairs)

    @property
    def quiet(self) -> bool:
        return not {"-Q", "--quiet"}.isdisjoint(self.options)

    def file(self, option: str) -> str:
        """Return the content of the file that an option names."""
        return self.content(self.options.get(option, ""))

    def content(self, name: str) -> str:
        """Return the content of a file."""
        content = self._files.read(name)
        if content is None:
            raise _Refused(f'ERROR: Could not open file "{name}" error No such file or directory\n')
        return content

    def keep(self, option: str, content: str) -> None:
        """Write the file that an option names, if it names one."""
        name = self.options.get(option, "")
        why = self._files.write(name, content) if name else ""
        if why:
            raise _Refused(f'ERROR: Could not open file "{name}" error {why.capitalize()}\n')

    def key(self, option: str) -> Key:
        """Return the key whose context file an option names."""
        name = self.options.get(option, "")
        if not name:
            raise _Refused("ERROR: object string is empty\n")
        kind, _, rest = (self._files.read(name) or "").partition(" ")
        if kind not in _KINDS:
            raise _Refused(f'{_no_handle(name)}ERROR: Cannot make sense of object context "{name}"\n')
        return Key(name=rest.strip(), parent=_KINDS[kind])

    def digest(self) -> Digest:
        """Return the algorithm that -g names."""
        name = self.options.get("-g", "sha256")
        if name not in get_args(Digest):
            raise _WronglyCalled(f'ERROR: Could not convert to number or lookup algorithm, got: "{name}"\n')
        return cast("Digest", name)


_KINDS = {"TPM2-PARENT": True, "TPM2-KEY": False}


def _context(key: Key) -> str:
    return f"{'TPM2-PARENT' if key.parent else 'TPM2-KEY'} {key.name}\n"


def _no_handle(name: str) -> str:
    return f'ERROR: Incorrect handle value, got: "{name}", expected [o|p|e|n|l] or a handle number\n'


def _described(modulus: str) -> str:
    lines = (
        "name-alg:",
        "  value: sha256",
        "  raw: 0xb",
        "type:",
        "  value: rsa",
        "  raw: 0x1",
        "bits: 2048",
    )
    return "".join(f"{line}\n" for line in (*lines, f"rsa: {modulus}"))


def _createprimary(tpm: Tpm, given: _Arguments) -> str:
    wanted = given.options.get("-C", "o")
    if wanted not in _HIERARCHIES:
        raise _Refused(
            f'{_no_handle(wanted)}ERROR: Cannot make sense of object context "{wanted}"\n'
            "ERROR: Invalid hierarchy authorization\n"
        )
    key, modulus = tpm.primary(_HIERARCHIES[wanted])
    given.keep("-c", _context(key))
    return _described(modulus)


def _create(tpm: Tpm, given: _Arguments) -> str:
    if "-C" not in given.options:
        raise _WronglyCalled("ERROR: Must specify parent object via -C.\n", 2)
    public, private = tpm.create(given.key("-C"))
    given.keep("-u", public)
    given.keep("-r", private)
    return _described(public)


def _load(tpm: Tpm, given: _Arguments) -> str:
    key = tpm.load(given.key("-C"), given.file("-u"), given.file("-r"))
    given.keep("-c", _context(key))
    return f"name: {key.name}\n"


def _sign(tpm: Tpm, given: _Arguments) -> str:
    key, digest = given.key("-c"), given.digest()
    message = given.content(given.others[0] if given.others else "")
    given.keep("-o", f"TPM2-SIGNATURE {tpm.sign(key, digest, message)}\n")
    return ""


def _verifysignature(tpm: Tpm, given: _Arguments) -> str:
    key, digest = given.key("-c"), given.digest()
    message, signature = given.file("-m"), given.file("-s")
    kind, _, rest = signature.partition(" ")
    if kind != "TPM2-SIGNATURE":
        raise _Refused(
            "ERROR: Error deserializing signature structure: 0x9000b\n"
            "ERROR: The input file needs to be a valid TPMT_SIGNATURE data structure\n"
        )
    tpm.verify(key, digest, message, rest.strip())
    return ""


def _getrandom(tpm: Tpm, given: _Arguments) -> str:
    count = given.others[0] if given.others else "32"
    if not count.isdigit():
        raise _WronglyCalled(f'ERROR: Error converting size to a number, got: "{count}".\n')
    data = tpm.random(int(count))
    text = data.hex() if "--hex" in given.options else data.decode("latin-1")
    if "-o" in given.options:
        given.keep("-o", text)
        return ""
    return text


def _flushcontext(tpm: Tpm, _given: _Arguments) -> str:
    """Forget the keys that are loaded; those of a context file are loaded when they are used."""
    tpm.random(0)
    return ""


_TOOLS: Mapping[str, tuple[str, Callable[[Tpm, _Arguments], str]]] = {
    "tpm2_create": ("C:G:g:u:r:", _create),
    "tpm2_createprimary": ("C:G:g:c:", _createprimary),
    "tpm2_flushcontext": ("tls", _flushcontext),
    "tpm2_getrandom": ("o:", _getrandom),
    "tpm2_load": ("C:u:r:c:", _load),
    "tpm2_sign": ("c:g:o:", _sign),
    "tpm2_verifysignature": ("c:g:s:m:", _verifysignature),
}


def tpm_tools(tpm: Tpm) -> dict[str, CommandBody]:
    """Return the commands of a board that has this chip."""
    return {name: _tool(name, tpm) for name in _TOOLS}


def _tool(name: str, tpm: Tpm) -> CommandBody:
    letters, work = _TOOLS[name]

    def body(shell: Shell, words: list[str], _stdin: str) -> Program[int]:
        if tpm.fault == "absent":
            return (yield from complain(_NO_DEVICE))
        try:
            given = _Arguments(words, letters, _files(shell))
            text = work(tpm, given)
        except _WronglyCalled as refused:
            return (yield from complain(refused.text, refused.status))
        except _Refused as refused:
            return (yield from complain(f"{refused.text}ERROR: Unable to run {name}\n"))
        except TpmError as error:
            return (yield from complain(_refusal(name, error)))
        shown = "" if given.quiet and name != "tpm2_getrandom" else text
        return (yield from say(shown))

    return body


def _files(shell: Shell) -> Files:
    if shell.files is None:
        raise _Refused("ERROR: there is no file system\n")
    return shell.files


def _refusal(name: str, error: TpmError) -> str:
    command = {"tpm2_verifysignature": "VerifySignature", "tpm2_createprimary": "CreatePrimary"}.get(
        name, name.removeprefix("tpm2_").capitalize()
    )
    what = "ERROR: Verify signature failed!\n" if error.code == _NOT_VALID else ""
    return (
        f"WARNING:esys:src/tss2-esys/api/Esys_{command}.c:Esys_{command}_Finish() Received TPM Error \n"
        f"ERROR: Esys_{command}(0x{error.code:X}) - {error.meaning}\n{what}ERROR: Unable to run {name}\n"
    )
