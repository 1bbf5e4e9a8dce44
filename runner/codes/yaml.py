"""``E1xx``: the codes of YAML."""

from __future__ import annotations

from collections.abc import Mapping

from runner.codes.code import Code

YAML: Mapping[str, Code] = {
    "E101": Code(
        "the text is not valid YAML",
        "YAML could not read the file from this place on. A value that begins with {{ needs quotes, "
        "because { begins a mapping; so does a text with ': ' in it. Tabs cannot indent.",
        "image: {{ image }}",
        'image: "{{ image }}"',
    ),
    "E102": Code(
        "a key stands twice in one mapping",
        "Only one of two equal keys could count, and which one is anybody's guess: leave one out.",
        "vars: {speed: 1, speed: 2}",
        "vars: {speed: 2}",
    ),
    "E103": Code(
        "a number starts with a zero",
        "YAML 1.1 reads 0644 as an octal number, YAML 1.2 as six hundred and forty-four. Say which is meant.",
        "mode: 0644",
        'mode: 0o644      # or "0644" for the text',
    ),
    "E104": Code(
        "a key is not a word",
        "A key is a single word or text; a list or mapping cannot be one.",
        "[a, b]: 1",
        "a: 1\nb: 1",
    ),
    "E105": Code("nested too deeply", "A file may be nested 64 levels deep. Move inner parts into actions."),
    "E106": Code(
        "too many values",
        "Aliases (*name) make copies; followed, they make this file larger than any recipe needs to be.",
    ),
    "E107": Code(
        "<<: merges something that is no mapping",
        "The merge key takes an alias of a mapping, or a list of such aliases.",
        "<<: text",
        "slow: &slow {timeout: 5m}\nboot:\n  <<: *slow",
    ),
    "E108": Code(
        "an unknown tag",
        "There are three tags: !env NAME, !file PATH and !secret VALUE.",
        "token: !vault abc",
        "token: !secret {env: TOKEN}",
    ),
    "E109": Code(
        "a tag is written wrongly",
        "!env takes a name or {name: X, default: y}; !file takes a path; !secret takes a text, "
        "{env: NAME} or {file: PATH}.",
        "token: !env [TOKEN]",
        "token: !env TOKEN",
    ),
    "E110": Code("a file cannot be read", "The file does not exist, or may not be read by you."),
    "E111": Code("a file is not text", "Recipes and inventories are UTF-8 text."),
    "E112": Code(
        "an environment variable is not set",
        "!env needs the variable when the file is read. A default makes it optional.",
        "user: !env LAB_USER",
        "user: !env {name: LAB_USER, default: hil}",
    ),
    "E113": Code("a file that !file names cannot be read", "The path is relative to the file that names it."),
}
