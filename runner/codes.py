"""The codes of errors in recipes, inventories and command lines: what each means, wrong and right.

``E1xx`` YAML, ``E2xx`` structure and arguments, ``E3xx`` names and expressions, ``E4xx``
inventory, ``E5xx`` command line. A code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Code:
    """What ``runner doc CODE`` shows. `wrong` and `right` are YAML or a command line; both may be empty."""

    title: str
    explanation: str
    wrong: str = ""
    right: str = ""


_YAML: dict[str, Code] = {
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

_RECIPE: dict[str, Code] = {
    "E200": Code(
        "a key has a value of the wrong kind",
        "Each key of a play, test or step takes one kind of value: text, true or false, a number, "
        "a duration, "
        "a list, a mapping. `yes` and `on` are words, not booleans.",
        "defer: yes",
        "defer: true",
    ),
    "E201": Code(
        "no such module",
        "The key names neither a module nor an action that the play imports. 'runner list modules' "
        "shows all.",
        "- comand: ls",
        "- command: ls",
    ),
    "E202": Code(
        "no such key",
        "Plays, tests and other mappings of the language have a fixed set of keys.",
        "- test: boots\n  setps: []",
        "- test: boots\n  steps: []",
    ),
    "E204": Code(
        "a key of a step that means nothing",
        "Beside its module a step has modifiers only (when, loop, register, expect …). Arguments "
        "of the module "
        "stand below it, indented.",
        "- uboot_cmd: printenv\n  check: false",
        "- uboot_cmd: {command: printenv, check: false}",
    ),
    "E205": Code(
        "something is missing",
        "A test has a name and steps, a play has tests or steps, a step has a module, a measure has a value.",
        "- test: boots",
        "- test: boots\n  steps:\n    - power_cycle:",
    ),
    "E206": Code(
        "two modules in one step",
        "A step does one thing. Begin a new step with a dash.",
        "- power_off:\n  power_on:",
        "- power_off:\n- power_on:",
    ),
    "E207": Code(
        "a word of another tool",
        "The word is known from Ansible or another tool, and something else stands for it here.",
        "hosts: all\ntasks: []",
        "benches: all\nsteps: []",
    ),
    "E209": Code(
        "a name stands twice",
        "The name of a test is a part of its case's id, and the history of results hangs on it.",
        "- test: boots\n  steps: []\n- test: boots\n  steps: []",
        "- test: boots cold\n  steps: []\n- test: boots warm\n  steps: []",
    ),
    "E210": Code(
        "two classes for one name",
        "The name of a module or driver is its class's name in snake_case; each name stands for one class.",
    ),
    "E211": Code(
        "a file of modules cannot be imported", "Python refused the file; the message is Python's own."
    ),
    "E212": Code(
        "a class is not what it seems",
        "The class is called a module or driver, but does not derive from runner.api.Module or Driver.",
    ),
    "E214": Code(
        "a file cannot be imported",
        "'import' takes files with 'actions:' and folders of modules in Python; 'vars_files' takes "
        "files of "
        "variables. Paths are relative to the file that names them.",
        "import: [lib/linus.yaml]",
        "import: [lib/linux.yaml]",
    ),
    "E215": Code(
        "files import each other",
        "A file cannot need itself. Move what both of them use into a third file.",
        "# a.yaml\nimport: [b.yaml]\n# b.yaml\nimport: [a.yaml]",
        "# a.yaml\nimport: [common.yaml]\n# b.yaml\nimport: [common.yaml]",
    ),
    "E216": Code(
        "an action calls itself",
        "Actions are steps written in one place, not functions: repetition is 'until' or 'loop'.",
        "actions:\n  again:\n    steps:\n      - again:",
        "actions:\n  again:\n    steps:\n      - console_cmd: probe\n"
        "        until: result.status == 0\n        retries: 3",
    ),
    "E217": Code(
        "the name of an action is taken",
        "An action is used like a module, so it cannot have the name of a module, of another "
        "action, or of a "
        "key of steps.",
    ),
    "E218": Code(
        "the recipe was written for another version",
        "'requires_runner' names the versions that can play it.",
        "requires_runner: 0.1",
        'requires_runner: ">=0.1"',
    ),
    "E219": Code(
        "no such background step",
        "'stop' and 'join' end a step of the same list that was started before, by its 'background' name.",
        "- stop: capture",
        "- console_expect: {pattern: panic}\n  background: capture\n- stop: capture",
    ),
    "E220": Code(
        "a name that cannot be used",
        "Names of variables, params, registers and actions are letters, digits and _; they do not "
        "begin with "
        "a digit and do not mean something in expressions.",
        "register: boot-time",
        "register: boot_time",
    ),
    "E221": Code(
        "'requires' names no earlier test",
        "Tests run in the order in which they are written, so a test can require only those above it.",
        "requires: boot into Linux",
        "requires: boots into Linux",
    ),
    "E222": Code(
        "the matrix is wrong",
        "A matrix has one list of values for each variable; 'exclude' lists combinations of these values.",
        "matrix: {rate: [10, 100], exclude: [{rate: 1000}]}",
        "matrix: {rate: [10, 100], exclude: [{rate: 100}]}",
    ),
    "E223": Code(
        "a modifier needs another one",
        "'retries' and 'delay' belong to 'until' or 'retry_on', 'label' to 'loop'; 'until' needs an end.",
        "- console_cmd: probe\n  retries: 3",
        "- console_cmd: probe\n  retries: 3\n  retry_on: [failed]",
    ),
    "E224": Code(
        "a param is declared wrongly",
        "A param has a type (str int float bool duration size bytes path list map any) or choices, and is "
        "either required or has a default.",
        "params:\n  port: {type: integer}",
        "params:\n  port: {type: int}",
    ),
    "E225": Code(
        "a modifier that does not fit this step",
        "What judges a result needs a step that has one; blocks, actions and stop/join lack some of them.",
        "- block: []\n  expect: result.status == 0",
        "- block:\n    - console_cmd: probe\n      expect: result.status == 0",
    ),
    "E226": Code(
        "the recipe has the wrong shape",
        "A recipe is a play or a list of plays; a play has 'tests', or 'steps' as the short form.",
        "- test: boots\n  steps: []",
        "tests:\n  - test: boots\n    steps: []",
    ),
    "E227": Code(
        "nested loops share a variable",
        "The inner loop would hide the item of the outer one: name its variable.",
        '- block:\n    - log: "{{ item }}"\n      loop: [1, 2]\n  loop: [a, b]',
        '- block:\n    - log: "{{ item }} {{ n }}"\n      loop: [1, 2]\n      loop_var: n\n  loop: [a, b]',
    ),
    "E229": Code(
        "a template where none can be",
        "Names of tests, tags, benches and the matrix decide which cases there are: they are known "
        "before the "
        "run, so they hold no templates.",
        'test: "boots {{ image }}"',
        "test: boots the image",
    ),
    "E231": Code(
        "no such argument",
        "'runner doc MODULE' shows the arguments of a module.",
        "uboot_cmd: {command: printenv, tiemout: 5s}",
        "uboot_cmd: {command: printenv, timeout: 5s}",
    ),
    "E232": Code(
        "an argument is missing",
        "An argument without a default must be given.",
        "console_login: {password: x}",
        "console_login: {user: root, password: x}",
    ),
    "E233": Code(
        "the module takes a mapping",
        "A bare value sets the primary argument of a module, and this one has none.",
        "power_cycle: 2s",
        "power_cycle: {off_time: 2s}",
    ),
    "E234": Code(
        "an argument has a value of the wrong type",
        "Arguments are typed: durations as 2s or 1m30s, sizes as 4KiB, booleans as true and false.",
        "uboot_cmd: {command: printenv, timeout: soon}",
        "uboot_cmd: {command: printenv, timeout: 5s}",
    ),
    "E242": Code(
        "lockstep needs all benches at once",
        "In lockstep every bench waits for the others before each step, so all of them run at the same time.",
        "strategy: lockstep\nmax_parallel: 2",
        "strategy: lockstep",
    ),
    "E243": Code(
        "not a watcher of consoles",
        "A play may allow what the watchers know by name, and add patterns of its own under other names. "
        "The names are in docs/explanation/watchers.md, and in the message.",
        "watch: {allow: [ooops]}",
        "watch:\n  allow: [oops]\n  add:\n    - {name: sensor lost, pattern: 'sensor [0-9]+ lost'}",
    ),
    "E261": Code(
        "a class has no docstring", "The first line of its docstring is the summary that users read."
    ),
    "E262": Code("an argument has no help", "Every argument is declared with arg(help=…)."),
    "E263": Code("an argument has a type that YAML cannot hold", "See the list of types in runner.schema."),
    "E265": Code("run does not say what it returns", "The return annotation of run declares the result."),
    "E266": Code(
        "a device field asks for no interface", "Its type is the interface: power: Power = device()."
    ),
    "E267": Code("a child offers no interface", "The return annotation of a child is an interface."),
    "E271": Code(
        "no device can do that",
        "The module needs an interface (Power, Console …) that no device of this bench offers.",
    ),
    "E272": Code(
        "several devices can do that",
        "The bench has more than one device that offers the interface: say which.",
        "power_cycle:",
        "power_cycle: {device: main}",
    ),
    "E273": Code(
        "no such device",
        "The bench has no device of that name, or it does not offer the interface that the module needs.",
        "power_cycle: {device: mian}",
        "power_cycle: {device: main}",
    ),
    "E274": Code(
        "one device is named twice",
        "'device' is another name for the only device of a module; give one of the two.",
    ),
    "E275": Code(
        "the step's bench is not one of the play's",
        "'bench' runs a step on another bench of the same play.",
    ),
    "E299": Code(
        "not supported yet",
        "The recipe is right, but this version cannot do it. Nothing is ever ignored silently.",
    ),
}

_NAMES: dict[str, Code] = {
    "E301": Code(
        "an unknown name",
        "No param, variable, matrix variable, loop variable or register of that name can be seen "
        "here. A text "
        "in an expression stands in quotes.",
        "when: stage == nightly",
        "when: stage == 'nightly'",
    ),
    "E302": Code(
        "an unknown field",
        "Modules declare the fields of their results; 'runner doc MODULE' lists them.",
        "expect: boot.elapsd < 40",
        "expect: boot.elapsed < 40",
    ),
    "E303": Code(
        "an action returns a name as text",
        "Values of 'returns' are values like all others: a register's value stands in {{ }}.",
        "returns: {time: boot.elapsed}",
        'returns: {time: "{{ boot.elapsed }}"}',
    ),
    "E304": Code(
        "braces in an expression",
        "when, until, expect, failed_when and that are expressions already.",
        'when: "{{ stage == 1 }}"',
        "when: stage == 1",
    ),
    "E305": Code(
        "a variable that some bench does not have",
        "The play runs on several benches, and each of them needs the variable or label.",
    ),
    "E306": Code(
        "a name that has no value yet",
        "A register can be used by later steps of its test; those of 'setup' by all tests. What a "
        "background "
        "step gives can be used after 'join'.",
        '- log: "{{ boot.elapsed }}"\n- console_login: {user: root}\n  register: boot',
        '- console_login: {user: root}\n  register: boot\n- log: "{{ boot.elapsed }}"',
    ),
    "E307": Code(
        "a register hides a variable",
        "Whoever reads the later steps could not tell which of the two is meant.",
        "vars: {boot: cold}\n# …\nregister: boot",
        "vars: {boot: cold}\n# …\nregister: booted",
    ),
    "E308": Code("a module without a result", "There is nothing to register, expect or measure."),
    "E309": Code(
        "a variable is defined by itself",
        "The definitions of variables go in a circle.",
        'vars: {a: "{{ b }}", b: "{{ a }}"}',
        'vars: {a: "{{ b }}", b: 1}',
    ),
    "E310": Code("a template or expression is not valid", "The message is Jinja's own."),
    "E311": Code(
        "braces in an expression",
        "An expression stands without {{ }}.",
        'that: "{{ a == 1 }}"',
        "that: a == 1",
    ),
    "E312": Code("no such filter", "Jinja's filters can be used, and those of 'runner doc'."),
    "E313": Code(
        "no such test", "What follows 'is' is a test: defined, match, search, file, version and Jinja's own."
    ),
    "E320": Code(
        "two steps give one name a value",
        "A register is set once in a test, so that every use of it can be followed.",
    ),
}

_INVENTORY: dict[str, Code] = {
    "E401": Code(
        "there is no inventory",
        "-i takes a file that ends in .yaml, .yml or .json, a folder with such files, or a program that "
        "prints JSON.",
    ),
    "E402": Code(
        "a part of an inventory is of the wrong kind",
        "Hosts, benches, groups, labels, vars and devices are mappings; names are text.",
        "benches:\n  rpi4:\n    devices:\n      power: tasmota",
        "benches:\n  rpi4:\n    devices:\n      power: {driver: tasmota}",
    ),
    "E403": Code(
        "no such key in an inventory",
        "An inventory, a bench and a group have a fixed set of keys. What you make up yourself is a label "
        "or a variable.",
        "benches:\n  rpi4: {site: es}",
        "benches:\n  rpi4: {labels: {site: es}}",
    ),
    "E404": Code(
        "a range of names cannot be read",
        "A range counts upward from a number or a letter to another; zeros in front of the first are kept.",
        "benches:\n  rpi4-[04:01]: {}",
        "benches:\n  rpi4-[01:04]: {}",
    ),
    "E405": Code(
        "a name that cannot be used in an inventory",
        "Benches, hosts, groups and labels: letters, digits, _ . and -. Devices: letters, digits, _ and -. "
        "Variables: letters, digits and _. No name is a word of patterns or of expressions.",
        "vars: {shell-prompt: text}",
        "vars: {shell_prompt: text}",
    ),
    "E406": Code(
        "one word for two things",
        "Patterns name benches, groups and labels alike, so a word can stand for one of them only.",
        "benches:\n  arm64: {}\ngroups:\n  arm64: {benches: [arm64]}",
        "benches:\n  rpi4: {}\ngroups:\n  arm64: {benches: [rpi4]}",
    ),
    "E407": Code(
        "an inventory program failed",
        "The program is run without arguments, ends with status 0 within 30 s, and prints one JSON object "
        "with hosts, benches, groups and vars.",
    ),
    "E408": Code(
        "a file of variables for nobody",
        "group_vars/NAME.yaml is for the group NAME (all: every bench), bench_vars/NAME.yaml for the bench "
        "NAME.",
    ),
    "E410": Code(
        "no such driver",
        "'runner list drivers' shows the built-in and installed ones, and those of a modules/ folder.",
        "power: {driver: tasmata}",
        "power: {driver: tasmota}",
    ),
    "E411": Code(
        "a device without a driver",
        "A device has a driver and its options, or is an alias with 'ref' and nothing else.",
        "power: {address: 10.0.0.9}",
        "power: {driver: snmp, address: 10.0.0.9}",
    ),
    "E412": Code(
        "an alias leads nowhere",
        "'ref' names a device of the same bench, or a part of one that its driver has: DEVICE.PART.",
        "board: {driver: sim}\nsupply: {ref: board.powr}",
        "board: {driver: sim}\nsupply: {ref: board.power}",
    ),
    "E413": Code(
        "a circle",
        "Following aliases, groups of groups or hosts on the way must come to an end.",
        "a: {ref: b}\nb: {ref: a}",
        "a: {ref: board.power}\nb: {ref: a}",
    ),
    "E414": Code(
        "no such host",
        "'host' of a bench is a name of 'hosts', or localhost.",
        "hosts: {shelf1: {}}\nbenches: {rpi4: {host: shelf2}}",
        "hosts: {shelf1: {}}\nbenches: {rpi4: {host: shelf1}}",
    ),
    "E415": Code(
        "a group has an unknown member",
        "'benches' of a group holds names, ranges and globs of benches; 'groups' holds names of groups.",
        "groups: {arm64: {benches: [rpi5-01]}}",
        "groups: {arm64: {benches: [rpi4-01]}}",
    ),
    "E416": Code(
        "groups that disagree",
        "Two groups of which neither is part of the other give one bench different values, so none of them "
        "is the nearer one. The value of the bench itself, or of a group inside both, would count.",
        "groups:\n  arm64: {benches: [rpi4], vars: {tty: S0}}\n  es: {benches: [rpi4], vars: {tty: S1}}",
        "groups:\n  arm64: {benches: [rpi4], vars: {tty: S0}}\n  es: {benches: [rpi4]}",
    ),
    "E417": Code(
        "out of service without a reason",
        "Everybody who wants the bench is shown the reason.",
        "enabled: {by: ana}",
        'enabled: {reason: "fan dead", by: ana}',
    ),
    "E418": Code(
        "a template where none can be",
        "Hosts, labels, groups, drivers and aliases are known before any variable has its value. Templates "
        "can be used in vars and in the options of devices.",
        'host: "shelf{{ bench.index }}"',
        "host: shelf1",
    ),
    "E419": Code(
        "a host's option has a value that means nothing",
        "'host_key' is strict, accept-new or a SHA256 fingerprint; 'cache' is true, false or a folder on the "
        "host.",
        "cache: yes",
        "cache: true",
    ),
    "E420": Code("no bench is selected", "The pattern of 'benches', with --limit, leaves no bench."),
    "E421": Code("more benches are taken than there are", "'take' counts benches that the pattern selects."),
    "E422": Code(
        "a pattern of benches cannot be read",
        "Names, globs, ranges, groups and labels are joined by , (or) & (and) ! (not); & binds more tightly "
        "than ','. Labels: board=rpi4, site!=es, board in (rpi4,rpi5), has-can.",
        "benches: rpi4-*,!rpi4-03",
        "benches: rpi4-*&!rpi4-03",
    ),
    "E423": Code(
        "a pattern names something unknown",
        "Each name of a pattern is a bench, a group or a label of the inventory; globs and ranges find "
        "benches.",
        "benches: bord=rpi4",
        "benches: board=rpi4",
    ),
    "E424": Code(
        "the ladder of recovery is wrong",
        "'recover' lists modules that are tried in turn between two attempts, from the mildest up, with "
        "or without arguments; 'quarantine' may be the last.",
        "recover: [quarantine, power_cycle]",
        "recover: [ctrl_c, power_cycle, {power_cycle: {off_time: 10s}}, quarantine]",
    ),
    "E450": Code("an option of a device cannot be rendered", "A template of the inventory has no value."),
    "E451": Code("an option of a device has the wrong type", "The template gave a value that does not fit."),
}

_COMMAND_LINE: dict[str, Code] = {
    "E501": Code(
        "-e is written wrongly",
        "Values are given as -e name=value, or -e @file.yaml.",
        "-e speed",
        "-e speed=3",
    ),
    "E502": Code("a file of values is no mapping", "-e @file.yaml takes a file of 'name: value' lines."),
    "E503": Code("no such schema", "'runner schema' lists them."),
    "E504": Code("nothing of that name to explain", "'runner doc' lists modules, drivers and codes."),
    "E505": Code("one bench is needed", "This command works with one bench; the pattern names several."),
    "E511": Code(
        "-e gives a value to nobody",
        "A name of -e is a param or variable of a play that is played.",
        "runner play boot.yaml -e imge=x.img",
        "runner play boot.yaml -e image=x.img",
    ),
    "E512": Code(
        "the value of a param has the wrong type",
        "What -e, the environment or the default gives must fit the param's type; a file must exist.",
    ),
    "E513": Code(
        "a param has no value",
        "A required param is given with -e, or by the environment variable that it names.",
        "runner play boot.yaml",
        "runner play boot.yaml -e image=x.img",
    ),
    "E520": Code("no test to start from", "--from takes the name or id of a test."),
    "E530": Code("no such run", "The results folder holds no run of that name; 'latest' is the last one."),
    "E531": Code("the results cannot be written", "The folder of --results cannot be made or written to."),
    "E532": Code("a report cannot be written", "The file of --junit, or its folder, cannot be written to."),
    "E533": Code(
        "the events of a run cannot be read",
        "Each line of events.jsonl is an event of the same or an older version of runner.",
    ),
    "E521": Code("no case is left", "What is selected leaves nothing to play."),
}

CODES: Mapping[str, Code] = MappingProxyType({**_YAML, **_RECIPE, **_NAMES, **_INVENTORY, **_COMMAND_LINE})


def page(code: str) -> str:
    """Return what ``runner doc CODE`` prints; raise KeyError for an unknown code."""
    entry = CODES[code]
    parts = [f"{code}: {entry.title}", entry.explanation]
    if entry.wrong:
        parts.append(f"Wrong:\n\n{_indented(entry.wrong)}")
    if entry.right:
        parts.append(f"Right:\n\n{_indented(entry.right)}")
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
