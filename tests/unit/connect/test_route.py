from pathlib import Path

import pytest

from runner.api import LabError
from runner.connect.route import Hop, route
from runner.connect.ssh_config import SshConfig
from runner.model import Host


def way(folder: Path, host: Host, *others: Host, config: str = "") -> list[Hop]:
    (folder / "config").write_text(config, encoding="utf-8")
    hosts = {each.name: each for each in (host, *others)}
    return list(route(host, hosts, SshConfig(folder / "config", folder / "none")))


def names(hops: list[Hop]) -> list[str]:
    return [f"{each.user}@{each.address}:{each.port}" for each in hops]


def test_the_inventory_wins_over_the_configuration(tmp_path: Path) -> None:
    config = "Host shelf1\n  HostName 10.0.0.1\n  User hil\n  Port 2222\n  IdentityFile /keys/a\n"
    (said,) = way(tmp_path, Host(name="shelf1"), config=config)
    (hop,) = way(
        tmp_path,
        Host(name="shelf1", options={"user": "me", "identity_file": "/keys/b", "port": 22}),
        config=config,
    )

    assert (names([said]), said.keys) == (["hil@10.0.0.1:2222"], (Path("/keys/a"),))
    assert (names([hop]), hop.keys, hop.own_keys_only) == (["me@10.0.0.1:22"], (Path("/keys/b"),), True)


def test_jumps_are_hosts_of_the_inventory_or_written_out(tmp_path: Path) -> None:
    gate = Host(name="gate", options={"address": "10.0.0.1", "user": "g", "jump": ("x@door:7",)})
    shelf = Host(name="shelf1", options={"user": "s", "jump": ("gate", "h@[::1]:2222")})

    assert names(way(tmp_path, shelf, gate)) == ["x@door:7", "g@10.0.0.1:22", "h@::1:2222", "s@shelf1:22"]


def test_proxyjump_is_followed_as_ssh_follows_it(tmp_path: Path) -> None:
    config = (
        "User u\nHost shelf1\n  ProxyJump gate,hall\nHost gate\n  ProxyJump door\nHost hall\n  ProxyJump no-one\n"
        "Host near\n  ProxyJump none\n"
    )
    assert [each.address for each in way(tmp_path, Host(name="shelf1"), config=config)] == [
        "door",
        "gate",
        "hall",
        "shelf1",
    ]
    assert len(way(tmp_path, Host(name="near"), config=config)) == 1


def test_a_proxycommand_goes_before_a_proxyjump_and_a_jump_of_the_inventory_before_both(
    tmp_path: Path,
) -> None:
    config = "Host *\n  ProxyCommand nc %h %p\nHost shelf1\n  ProxyJump gate\n"
    (hop,) = way(tmp_path, Host(name="shelf1"), config=config)
    assert hop.proxy_command == "nc shelf1 22"
    last = way(tmp_path, Host(name="shelf1", options={"jump": ("gate",)}), config=config)[-1]
    assert last.proxy_command == ""


def test_a_way_in_a_circle_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="more than 16 hops: is it a circle"):
        way(tmp_path, Host(name="a"), config="Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")


def test_files_of_known_hosts_come_from_the_inventory_else_from_the_configuration(tmp_path: Path) -> None:
    (hop,) = way(tmp_path, Host(name="a", options={"known_hosts": "/lab/known hosts"}))
    assert hop.known_hosts == (Path("/lab/known hosts"),)
    (hop,) = way(
        tmp_path,
        Host(name="a"),
        config="UserKnownHostsFile /x /y\nGlobalKnownHostsFile none\nConnectTimeout 3\n",
    )
    assert (hop.known_hosts, hop.within) == ((Path("/x"), Path("/y")), 3.0)
