"""``E2xx``: the codes of recipes: their structure and their arguments."""

from __future__ import annotations

from collections.abc import Mapping

from runner.codes.code import Code

RECIPE: Mapping[str, Code] = {
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
    "E235": Code(
        "arguments that do not fit together",
        "Each value is right by itself, but not beside the others, or not for the device that it is for: "
        "the module or driver says so before anything runs.",
        'can_send: {id: 0x123, data: "00 01 02 03 04 05 06 07 08"}',
        'can_send: {id: 0x123, fd: true, data: "00 01 02 03 04 05 06 07 08 00 00 00"}',
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
        "The module, or a device's driver, needs an interface (Power, Console …) that no device of "
        "this bench offers.",
    ),
    "E272": Code(
        "several devices can do that",
        "The bench has more than one device that offers the interface: say which.",
        "power_cycle:",
        "power_cycle: {device: main}",
    ),
    "E273": Code(
        "no such device",
        "The bench has no device of that name, or it does not offer the interface that is needed.",
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
