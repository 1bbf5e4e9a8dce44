"""``E5xx``: the codes of command lines."""

from __future__ import annotations

from collections.abc import Mapping

from runner.codes.code import Code

COMMAND_LINE: Mapping[str, Code] = {
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
    "E541": Code(
        "a run was not recorded",
        "runner replay needs the file console.rec in the folder of the run; every run writes it.",
    ),
    "E542": Code(
        "a recording is damaged",
        "Each line of console.rec has a check sum, all of them together have one, and so has each console's "
        "log with its index. What was cut off or edited cannot prove anything. What a killed run has "
        "recorded up to its end is not damaged, and can be replayed.",
    ),
    "E543": Code(
        "a recording cannot be replayed in this way",
        "A replay has one clock: it plays one bench, and one step at a time. Background and parallel steps, "
        "and several benches at once, cannot be replayed yet.",
        "runner replay latest",
        "runner replay latest --limit rpi4-01",
    ),
    "E521": Code("no case is left", "What is selected leaves nothing to play."),
    "E522": Code(
        "a step needs a person",
        "A device with the driver 'manual' is switched by hand: whoever sits at the terminal is asked to. "
        "With --no-input, and where standard input is no terminal, nobody can be asked.",
    ),
}
