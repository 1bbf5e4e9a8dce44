"""Hosts and their options are typed; what is left out is left to ~/.ssh/config."""

from __future__ import annotations

import pytest
from support.shelf import Lab

from runner.api.values import Secret

PRINT = "SHA256:" + "A" * 43


def test_only_what_is_written_is_an_option(lab: Lab) -> None:
    hosts = lab.read("hosts: {a: {user: hil, port: 2222}, b: }").hosts

    assert hosts["a"].options == {"user": "hil", "port": 2222}
    assert hosts["b"].options == {}
    assert not hosts["a"].local


def test_every_option_has_its_type(lab: Lab) -> None:
    text = f"""\
hosts:
  "shelf[1:2]":
    address: shelf.lab
    port: 22
    user: hil
    identity_file: keys/id
    password: !secret abc
    jump: [gateway, ana@10.0.0.1:2222]
    known_hosts: /etc/ssh/known
    host_key: {PRINT}
    transport: openssh
    python: /usr/bin/python3.11
    cache: /var/cache/runner
    policy: /etc/runner/policy.yaml
"""
    options = lab.read(text).hosts["shelf2"].options

    assert options == {
        "address": "shelf.lab",
        "port": 22,
        "user": "hil",
        "identity_file": str(lab.folder / "keys/id"),
        "password": "abc",
        "jump": ("gateway", "ana@10.0.0.1:2222"),
        "known_hosts": "/etc/ssh/known",
        "host_key": PRINT,
        "transport": "openssh",
        "python": "/usr/bin/python3.11",
        "cache": "/var/cache/runner",
        "policy": "/etc/runner/policy.yaml",
    }
    assert isinstance(options["password"], Secret)


def test_a_key_can_be_in_the_home_folder(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ana")

    options = lab.read("hosts: {a: {identity_file: ~/.ssh/id}}").hosts["a"].options
    assert options["identity_file"] == "/home/ana/.ssh/id"


def test_jumps_can_be_written_as_ssh_has_them(lab: Lab) -> None:
    assert lab.read('hosts: {a: {jump: "b, c"}}').hosts["a"].options["jump"] == ("b", "c")


def test_a_host_can_be_this_machine_under_another_name(lab: Lab) -> None:
    assert lab.read("hosts: {here: {transport: local}}").hosts["here"].local


@pytest.mark.parametrize(
    ("option", "code", "message"),
    [
        ("adress: x", "E231", "a host has no argument 'adress'"),
        ("port: 99999", "E234", "a host: port: 99999 is above the maximum of 65535"),
        ("port: ssh", "E234", "a host: port: expected a whole number, got 'ssh'"),
        ("transport: telnet", "E234", "a host: transport: expected "),
        ("host_key: strickt", "E419", "'strickt' is not a way to check a host key"),
        ("host_key: SHA256:abc", "E419", "'SHA256:abc' is not a way to check a host key"),
        ("cache: yes", "E419", "'yes' is not a folder on the host"),
        ("user: '{{ x }}'", "E418", "a host's 'user' cannot hold a template"),
        ("jump: a", "E413", "hosts jump over one another in a circle: a → a"),
    ],
)
def test_a_wrong_option_is_told(lab: Lab, option: str, code: str, message: str) -> None:
    fault = lab.fault(f"hosts: {{a: {{{option}}}}}")

    assert fault.code == code
    assert fault.message.startswith(message)


def test_hosts_cannot_jump_in_a_circle(lab: Lab) -> None:
    fault = lab.fault("hosts: {a: {jump: b}, b: {jump: [x, c]}, c: {jump: b}}")

    assert fault.message == "hosts jump over one another in a circle: b → c → b"
