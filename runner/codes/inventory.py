"""``E4xx``: the codes of inventories and benches."""

from __future__ import annotations

from collections.abc import Mapping

from runner.codes.code import Code

INVENTORY: Mapping[str, Code] = {
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
        "Following aliases, devices that work through others, groups of groups or hosts on the way "
        "must come to an end.",
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
        "host; 'dead_after' is 3 s or longer.",
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
    "E425": Code(
        "a play asks to hold a bench for longer than it may be held",
        "'max_hold' of a bench limits how long one run has it; 'hold' of a play's 'reserve' can be less.",
        "reserve: {hold: 8h}",
        "reserve: {hold: 90m}",
    ),
    "E450": Code("an option of a device cannot be rendered", "A template of the inventory has no value."),
    "E451": Code("an option of a device has the wrong type", "The template gave a value that does not fit."),
    "E452": Code(
        "an option of a device does not fit the others",
        "A driver looks at its options together before anything is opened: one may need another, or rule "
        "it out.",
        "{driver: snmp, host: pdu1, outlet: 3, version: 3}",
        "{driver: snmp, host: pdu1, outlet: 3, version: 3, user: lab}",
    ),
}
