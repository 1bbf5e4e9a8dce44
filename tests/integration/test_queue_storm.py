"""A small storm of clients on one bench; the large one is `make stress`."""

from pathlib import Path

import pytest
from support.queue_storm import free_at_the_end, storm
from support.ssh_server import ssh_server

pytestmark = pytest.mark.peer("sshd")


def test_of_many_clients_some_of_which_are_killed_one_has_the_bench_at_a_time_in_order(
    tmp_path: Path,
) -> None:
    with ssh_server(tmp_path / "shelf1") as server:
        it = storm(server, 30, seed=5, at_once=12, kills=0.7, least_kills=3)

        assert it.failed == []
        assert it.double() == []
        assert it.out_of_order() == []
        assert len(it.served) >= it.clients - sum(it.killed.values())
        assert sum(it.killed.values()) >= 3
        assert max(it.freed, default=0.0) < 25.0  # one that stays is given up after 30 s
        assert free_at_the_end(server)
