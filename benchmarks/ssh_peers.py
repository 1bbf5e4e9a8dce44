"""What the peers are told to do over SSH: the same steps, on the same servers, as they are meant to be used."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measure import have

if TYPE_CHECKING:
    from support.ssh_server import SshServer


def ansible(folder: Path, server: SshServer, steps: int, hosts: int = 1) -> Sequence[str]:
    """Give Ansible pipelining, and a fork for each host."""
    book = folder / f"true{steps}.ansible.yaml"
    tasks = "    - command: /bin/true\n" * steps
    book.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}", encoding="utf-8")
    options = server.options()
    given = {
        "ansible_host": options["address"],
        "ansible_port": options["port"],
        "ansible_user": options["user"],
        "ansible_ssh_private_key_file": options["identity_file"],
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={options['known_hosts']}",
        "ansible_python_interpreter": options["python"],
        "ansible_pipelining": True,
    }
    named = {"all": {"hosts": {f"shelf{number}": given for number in range(hosts)}}}
    lab = folder / f"ansible{hosts}.json"
    lab.write_text(json.dumps(named), encoding="utf-8")
    return [str(have("ansible-playbook")), "-f", str(hosts), "-i", str(lab), str(book)]


def mitogen(folder: Path, server: SshServer, steps: int, hosts: int = 1) -> Sequence[str]:
    """Give Ansible Mitogen in the place of its connections and its way to run modules."""
    found = importlib.util.find_spec("ansible_mitogen")
    if found is None or not found.submodule_search_locations:
        raise LookupError("Mitogen is not installed")
    plugins = f"{found.submodule_search_locations[0]}/plugins/strategy"
    chosen = (f"ANSIBLE_STRATEGY_PLUGINS={plugins}", "ANSIBLE_STRATEGY=mitogen_linear")
    return ["env", *chosen, *ansible(folder, server, steps, hosts)]


def pyinfra(folder: Path, server: SshServer, steps: int, hosts: int = 1) -> Sequence[str]:
    """Give pyinfra an operation for each step, as a person would write the deploy file."""
    deploy = folder / f"true{steps}_pyinfra.py"
    operations = 'server.shell(commands=["/bin/true"])\n' * steps
    deploy.write_text(f"from pyinfra.operations import server\n{operations}", encoding="utf-8")
    options = server.options()
    given: dict[str, Any] = {
        "ssh_hostname": options["address"],
        "ssh_port": options["port"],
        "ssh_user": options["user"],
        "ssh_key": options["identity_file"],
        "ssh_known_hosts_file": options["known_hosts"],
        "ssh_strict_host_key_checking": "yes",
    }
    lab = folder / f"pyinfra{hosts}.py"
    named = [(f"shelf{number}", given) for number in range(hosts)]
    lab.write_text(f"hosts = {named!r}\n", encoding="utf-8")
    return [str(have("pyinfra")), "-y", str(lab), str(deploy)]
