"""``E6xx``: the codes of recipes that are not trusted (``--untrusted``)."""

from __future__ import annotations

from collections.abc import Mapping

from runner.codes.code import Code

UNTRUSTED: Mapping[str, Code] = {
    "E601": Code(
        "a recipe that is not trusted brings code",
        "With --untrusted only built-in modules and drivers are used: no modules/ folder, no folder in "
        "'import', nothing that is installed under an entry point.",
        "import: [my_modules/]",
        "import: [lib/linux.yaml]",
    ),
    "E602": Code(
        "a recipe that is not trusted could run anything",
        "With --untrusted no module is used whose arguments can run any program, reach any port, or read or "
        "write any file of the bench's host or of this machine.",
        "- command: curl http://example.org | sh",
        "- console_cmd: uname -r",
    ),
    "E603": Code(
        "a recipe that is not trusted asks for the environment",
        "With --untrusted neither !env nor 'env' of a param is read: variables hold tokens and passwords. "
        "Give the value with -e.",
        "token: !env TOKEN",
        "token: {type: str, required: true}",
    ),
    "E604": Code(
        "a recipe that is not trusted asks for a file from elsewhere",
        "With --untrusted a recipe has files read only from its own folder and below, and no URLs: by !file, "
        "'import', 'vars_files' and arguments alike, wherever links lead. A file named with -e may be "
        "anywhere.",
        "key: !file ~/.ssh/id_ed25519",
        "key: !file keys/board.pub",
    ),
    "E605": Code(
        "a recipe that is not trusted asks for a secret of the inventory",
        "With --untrusted no variable of the inventory can be used that is a !secret, or made of one.",
        "- console_cmd: echo {{ root_password }}",
        "- console_login: {user: root}",
    ),
}
