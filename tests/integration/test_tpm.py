"""The simulated TPM beside tpm2-tools on a software TPM: the same commands end in the same way."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk import Desk
from support.software_tpm import software_tpm

from runner.modules.sim.tpm import Tpm

pytestmark = pytest.mark.peer("tpm")

PRIMARY = "tpm2_createprimary -Q -C e -c {0}/primary.ctx"
CREATE = "tpm2_create -Q -G rsa -u {0}/key.pub -r {0}/key.priv -C {0}/primary.ctx"
LOAD = "tpm2_load -C {0}/primary.ctx -u {0}/key.pub -r {0}/key.priv -c {0}/key.ctx"
SIGN = "tpm2_sign -c {0}/key.ctx -g sha256 -o {0}/signature {0}/message"
VERIFY = "tpm2_verifysignature -c {0}/key.ctx -g sha256 -s {0}/signature -m {0}/message"
COMMANDS = [
    PRIMARY,
    CREATE,
    LOAD,
    "echo hello > {0}/message",
    SIGN,
    VERIFY,
    "echo hallo > {0}/message",
    VERIFY,
    SIGN,
    VERIFY,
    SIGN.replace("sha256", "md9"),
    SIGN.replace("sha256", "sha512"),
    VERIFY.replace("sha256", "sha512"),
    VERIFY.replace("signature ", "nothing "),
    VERIFY.replace("{0}/signature ", "{0}/message "),
    SIGN.replace("message", "nothing"),
    SIGN.replace("key.ctx", "primary.ctx"),
    SIGN.replace("key.ctx", "nothing"),
    LOAD.replace("key.priv", "key.pub"),
    LOAD.replace("primary.ctx", "key.ctx"),
    LOAD.replace("primary.ctx", "nothing"),
    CREATE.replace(" -C {0}/primary.ctx", ""),
    PRIMARY.replace("-C e", "-C x"),
    "tpm2_sign",
    "tpm2_sign -y",
    "tpm2_getrandom --hex 8",
    "tpm2_getrandom many",
]
TELLING = re.compile(r"tpm:[^\r\n]*|\[o\|p\|e\|n\|l\]|Unable to run \w+|name: 000b|Verify signature failed!")
"""What a person, or a recipe, goes by; the rest names source files of the library."""
Ended = tuple[str, int, list[str]]


def real(folder: Path, environment: dict[str, str]) -> Iterator[Ended]:
    for command in COMMANDS:
        done = subprocess.run(
            ["sh", "-c", command.format(folder)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=600,
            check=False,
        )
        yield command, done.returncode, TELLING.findall(done.stdout + done.stderr)
        subprocess.run(["tpm2_flushcontext", "-t"], env=environment, timeout=600, check=True)


def simulated() -> Iterator[Ended]:
    desk = Desk(tpm=Tpm()).at_shell()
    for command in COMMANDS:
        printed = desk.run(command.format("/tmp"))
        yield command, int(desk.run("echo $?")), TELLING.findall(printed)


def test_the_simulated_one_ends_as_the_real_one_does(tmp_path: Path) -> None:
    with software_tpm(tmp_path) as environment:
        expected = list(real(tmp_path, environment))

    assert [status for _, status, _ in expected[:6]] == [0] * 6
    for found, wanted in zip(simulated(), expected, strict=True):
        assert found == wanted
