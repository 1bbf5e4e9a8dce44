"""Outlets and objects of net-snmp's agent: every protocol, every refusal, and what gets lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support import snmpd as peer
from support.command import wait_until
from support.context import StepContext
from support.snmpd import APC, APC2, METERS, RARITAN, READ, USERS, WRITE, Snmpd, snmpd
from support.udp_relay import udp_relay

from runner.api import Driver, Duration, LabError, PowerReading, RecipeFault, Secret, Unreachable, Unsupported
from runner.modules.snmp.options import Meter, Readings, StateValues, Values
from runner.modules.snmp.snmp import Snmp
from runner.modules.snmp.snmp_agent import SnmpAgent
from runner.modules.snmp.snmp_get import SnmpGet
from runner.modules.snmp.snmp_set import SnmpSet
from runner.modules.snmp.snmp_walk import SnmpWalk

pytestmark = pytest.mark.peer("snmpd")

PATIENT = Duration("60s")
HASTY = Duration("300ms")
SYSTEM = "1.3.6.1.2.1.1"
Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    with snmpd(tmp_path_factory.mktemp("agent")) as it:
        yield it


@pytest.fixture
def opened() -> Iterator[Opened]:
    with ExitStack() as stack:

        def make(kind: type[Driver], **options: Any) -> Any:
            driver = kind(**{"timeout": PATIENT, **options})
            assert not list(kind.misfits(vars(driver)))
            driver.open()
            stack.callback(driver.close)
            return driver

        yield make


@pytest.mark.parametrize("user", USERS)
def test_every_protocol_switches(agent: Snmpd, opened: Opened, user: str) -> None:
    outlet = opened(Snmp, **agent.v3(user, outlet=3, preset="apc"))

    outlet.on()
    assert outlet.state() == "on"
    outlet.off()
    assert outlet.state() == "off"


@pytest.mark.parametrize("version", [1, "2c"])
def test_communities_switch(agent: Snmpd, opened: Opened, version: Any) -> None:
    outlet = opened(Snmp, **{**agent.v2(outlet=4, preset="apc"), "version": version})

    outlet.on()
    assert outlet.state() == "on"
    outlet.off()
    assert outlet.state() == "off"


@pytest.mark.parametrize(
    ("preset", "states"),
    [("raritan", {"state_oid": RARITAN, "state_values": StateValues(on=1, off=0)}), ("apc2", {})],
)
def test_presets_write_where_their_units_have_it(
    agent: Snmpd, opened: Opened, preset: Any, states: Any
) -> None:
    table, on, off = {"raritan": (RARITAN, 1, 0), "apc2": (APC2, 1, 2)}[preset]
    outlet = opened(Snmp, **agent.v2(outlet=[3, 4], preset=preset, **states))

    outlet.on()
    assert [each.value for each in outlet.get([f"{table}.3", f"{table}.4"])] == [on, on]
    assert outlet.state() == "on"
    outlet.off()
    assert [each.value for each in outlet.get([f"{table}.3", f"{table}.4"])] == [off, off]
    assert outlet.state() == "off"


def test_a_unit_of_ones_own_has_its_own_objects_and_values(agent: Snmpd, opened: Opened) -> None:
    outlet = opened(Snmp, **agent.v2(outlet=3, oid=f".{RARITAN}", values=Values(on=17, off=4)))

    outlet.on()
    assert outlet.get([f"{RARITAN}.3"])[0].value == 17
    assert outlet.state() is None
    with pytest.raises(Unsupported, match="outlet 3 of snmp://.* has no value for a cycle"):
        outlet.cycle()


def test_several_outlets_are_switched_by_one_request_and_are_on_when_all_are(
    agent: Snmpd, opened: Opened
) -> None:
    both = opened(Snmp, **agent.v2(outlet="3-4", preset="apc"))
    second = opened(Snmp, **agent.v2(outlet=4, preset="apc"))
    before = len(agent.calls())

    both.on()
    second.off()
    assert both.state() == "off"
    both.off()
    second.on()
    assert both.state() == "on"
    both.off()
    assert both.state() == "off"

    assert agent.calls()[before:] == ["3=1", "4=1", "4=2", "3=2", "4=2", "4=1", "3=2", "4=2"]


def test_the_unit_cycles_by_itself(agent: Snmpd, opened: Opened) -> None:
    outlet = opened(Snmp, **agent.v2(outlet=2, preset="apc"))
    outlet.off()

    outlet.cycle()

    assert agent.calls()[-1] == "2=3"
    assert outlet.state() == "on"


def test_meters_are_scaled(agent: Snmpd, opened: Opened) -> None:
    readings = Readings(
        voltage=Meter(oid=f"{METERS}.1", scale=0.1), current=Meter(oid=f"{METERS}.2", scale=0.001)
    )
    outlet = opened(Snmp, **agent.v2(outlet=3, preset="apc", readings=readings))

    assert outlet.read() == PowerReading(voltage=230.5, current=0.42)
    assert opened(Snmp, **agent.v2(outlet=3, preset="apc")).read() is None


def test_a_meter_that_reads_words_is_an_error(agent: Snmpd, opened: Opened) -> None:
    readings = Readings(power=Meter(oid=f"{METERS}.3"))
    outlet = opened(Snmp, **agent.v2(outlet=3, preset="apc", readings=readings))

    with pytest.raises(LabError, match="reads 'fifteen' \\(string\\) at .*, expected a number"):
        outlet.read()


REFUSALS = {
    "a user that is not there": (
        {"user": "stranger", "auth_protocol": "sha", "auth_key": Secret("some-passphrase")},
        LabError,
        "could not be asked to set .*4.3 to integer 1.*: it does not know the user 'stranger'",
    ),
    "a wrong key": (
        {"user": "with-sha", "auth_protocol": "sha", "auth_key": Secret("wrong-passphrase")},
        LabError,
        "the key of the user 'with-sha' is wrong \\(wrong digest\\)",
    ),
    "another protocol": (
        {"user": "with-sha", "auth_protocol": "md5", "auth_key": Secret(peer.AUTH_KEY)},
        LabError,
        "the key of the user 'with-sha' is wrong \\(wrong digest\\)",
    ),
    "a user with less than it needs": (
        {"user": "sha-aes128", "auth_protocol": "sha", "auth_key": Secret(peer.AUTH_KEY)},
        LabError,
        "authorizationError \\(who we ask as is not allowed to\\)",
    ),
    "a user with more than it has": (
        {
            "user": "with-sha",
            "auth_protocol": "sha",
            "auth_key": Secret(peer.AUTH_KEY),
            "priv_protocol": "aes128",
            "priv_key": Secret(peer.PRIV_KEY),
        },
        LabError,
        "the user 'with-sha' is not known there with these protocols",
    ),
    "a user with a protocol that the agent does not have at all": (
        {
            "user": "with-sha",
            "auth_protocol": "sha",
            "auth_key": Secret(peer.AUTH_KEY),
            "priv_protocol": "3des",
            "priv_key": Secret(peer.PRIV_KEY),
        },
        LabError,
        "the user 'with-sha' is not known there with these protocols",
    ),
    "a user that may only read": (
        {"user": "reader", "auth_protocol": "sha", "auth_key": Secret(peer.AUTH_KEY)},
        LabError,
        "refused to set .*: noAccess",
    ),
    "a community that may only read": (
        {"version": "2c", "community": Secret(READ)},
        LabError,
        "refused to set .*: noAccess",
    ),
    "a wrong value": (
        {"version": "2c", "community": Secret(WRITE), "values": Values(on=9, off=2)},
        LabError,
        "refused to set .*4.3 to integer 9: wrongValue",
    ),
    "an outlet that is not there": (
        {"version": "2c", "community": Secret(WRITE), "outlet": 30},
        Unsupported,
        "refused to set .*4.30 to integer 1: notWritable",
    ),
    "an outlet that is not there, in version 1": (
        {"version": 1, "community": Secret(WRITE), "outlet": 30},
        Unsupported,
        "refused to set .*4.30 to integer 1: noSuchName",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_told_with_address_and_object(agent: Snmpd, opened: Opened, case: str) -> None:
    options, kind, message = REFUSALS[case]
    address = {"host": "127.0.0.1", "port": agent.port}
    outlet = opened(Snmp, **{**address, "outlet": 3, "preset": "apc", **options})

    with pytest.raises(kind, match=f"^snmp://127.0.0.1:{agent.port} .*{message}") as caught:
        outlet.on()
    assert type(caught.value) is kind
    assert "passphrase" not in f"{caught.value} {caught.value.hint} {caught.value.evidence}"


NOBODY = {
    "a wrong community": ({"version": "2c", "community": Secret("wrong")}, "a wrong 'community' either"),
    "a wrong privacy key": (
        {
            "user": "sha-aes128",
            "auth_protocol": "sha",
            "auth_key": Secret(peer.AUTH_KEY),
            "priv_protocol": "aes128",
            "priv_key": Secret("wrong-passphrase"),
        },
        "what a wrong 'priv_key' encrypted",
    ),
    "a dead port": ({"port": 1, "user": "nothing"}, "is it on"),
}


@pytest.mark.parametrize("case", NOBODY)
def test_who_does_not_answer_is_named_with_the_limit(agent: Snmpd, opened: Opened, case: str) -> None:
    options, hint = NOBODY[case]
    address = {"host": "127.0.0.1", "port": agent.port, "timeout": HASTY, "tries": 1}
    outlet = opened(Snmp, **{**address, "outlet": 3, "preset": "apc", **options})

    with pytest.raises(Unreachable, match="did not answer within 300ms when asked to set") as caught:
        outlet.on()
    assert hint in caught.value.hint
    assert caught.value.evidence["tries"] == 1


def test_a_host_that_is_not_there_is_named() -> None:
    outlet = Snmp(host="pdu.invalid", outlet=1, preset="apc", user="lab")

    with pytest.raises(Unreachable, match="the host 'pdu.invalid' of snmp://pdu.invalid:161 cannot be found"):
        outlet.open()


def test_an_outlet_that_keeps_its_state_reads_so(agent: Snmpd, opened: Opened) -> None:
    outlet = opened(Snmp, **agent.v2(outlet=5, preset="apc"))

    outlet.on()

    assert outlet.state() == "off"


def test_a_state_that_nobody_knows_is_an_error(agent: Snmpd, opened: Opened) -> None:
    outlet = opened(Snmp, **agent.v2(outlet=6, preset="apc"))

    with pytest.raises(LabError, match="reads 9 \\(integer\\) at .*4.6, expected 1 \\(on\\) or 2 \\(off\\)"):
        outlet.state()


def test_an_outlet_without_a_state_is_named(agent: Snmpd, opened: Opened) -> None:
    outlet = opened(Snmp, **agent.v2(outlet=30, preset="apc"))

    with pytest.raises(Unsupported, match=f"has no object {APC}.30: noSuchInstance"):
        outlet.state()


def test_an_answer_that_is_lost_is_asked_for_again(agent: Snmpd, opened: Opened) -> None:
    direct = opened(Snmp, **agent.v2(outlet=3, preset="apc"))
    direct.off()
    with udp_relay(agent.port) as relay:
        outlet = opened(Snmp, **{**agent.v2(outlet=3, preset="apc", tries=60), "port": relay.port})
        relay.lose = 1

        outlet.on()

        assert relay.lose == 0
        assert relay.asked >= 2  # more often where the machine is slow
        assert direct.state() == "on"


def test_a_cycle_whose_answer_is_lost_is_not_asked_for_again(agent: Snmpd, opened: Opened) -> None:
    with udp_relay(agent.port) as relay:
        outlet = opened(Snmp, **{**agent.v2(outlet=2, preset="apc", timeout=HASTY), "port": relay.port})
        relay.lose = 1
        before = len(agent.calls())

        with pytest.raises(
            Unreachable, match="did not answer within 300ms when asked to set .* to integer 3"
        ):
            outlet.cycle()
        wait_until(lambda: agent.calls()[before:] != [], "the unit was told")

        assert relay.asked == 1
        assert agent.calls()[before:] == ["2=3"]


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(agent: Snmpd, opened: Opened) -> None:
    with udp_relay(agent.port) as relay:
        options = agent.v2(outlet=3, preset="apc", timeout=HASTY, tries=1)
        outlet = opened(Snmp, **{**options, "port": relay.port})
        relay.holds = True
        with pytest.raises(Unreachable):
            outlet.get([f"{METERS}.1"])
        relay.holds = False

        deadline = StepContext()
        found = _patiently(lambda: outlet.get([f"{METERS}.2"]), deadline)

        assert found[0].value == 420


def _patiently(call: Callable[[], Any], context: StepContext) -> Any:
    """Call until it is answered in time: the machine may be slow."""
    for _ in range(100):
        try:
            return call()
        except Unreachable:
            context.check_cancelled()
    raise AssertionError("never answered")


def test_an_agent_that_was_restarted_is_used_on(tmp_path: Path, opened: Opened) -> None:
    with snmpd(tmp_path / "agent") as first:
        port = first.port
        options = first.v3("sha-aes128", outlet=3, preset="apc", timeout=Duration("4s"))
        outlet = opened(Snmp, **options)
        outlet.on()
    with snmpd(tmp_path / "another", port=port):
        outlet.on()
        assert outlet.state() == "on"


def test_objects_are_read_with_their_types(agent: Snmpd, opened: Opened) -> None:
    device = opened(SnmpAgent, **agent.v2())
    asked = [f"{SYSTEM}.2.0", f"{SYSTEM}.3.0", f"{METERS}.1", f"{METERS}.3", f".{METERS}.4"]
    read = SnmpGet(oid=asked, snmp=device).run(StepContext())

    assert [each.type for each in read.objects] == ["oid", "timeticks", "integer", "string", "hex"]
    assert read.value == "1.3.6.1.4.1.8072.3.2.10"
    assert read.values[f"{METERS}.3"] == "fifteen"
    assert read.values[f"{METERS}.4"] == "00 FF 10"
    assert SnmpGet(oid=f"{METERS}.1", snmp=device).run(StepContext()).value == 2305


@pytest.mark.parametrize("version", [1, "2c"])
def test_an_object_that_is_not_there_is_named(agent: Snmpd, opened: Opened, version: Any) -> None:
    device = opened(SnmpAgent, **{**agent.v2(), "version": version})

    with pytest.raises(Unsupported, match=f"{METERS}.77.*noSuch"):
        SnmpGet(oid=[f"{METERS}.1", f"{METERS}.77"], snmp=device).run(StepContext())


def test_a_name_instead_of_numbers_is_refused(agent: Snmpd, opened: Opened) -> None:
    device = opened(SnmpAgent, **agent.v2())

    with pytest.raises(RecipeFault, match="'sysName.0' is no object identifier"):
        SnmpGet(oid="sysName.0", snmp=device).run(StepContext())


WRITTEN = {
    "an integer, as it is": (f"{METERS}.2", "auto", -5, "integer", 420),
    "text, as it is": (f"{METERS}.3", "auto", "sechzehn ß", "string", "fifteen"),
    "octets": (f"{METERS}.4", "hex", "00 01 FE", "hex", "00 FF 10"),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_an_object_is_read_before_and_after_it_is_written(agent: Snmpd, opened: Opened, case: str) -> None:
    oid, kind, value, found, before = WRITTEN[case]
    device = opened(SnmpAgent, **agent.v2())

    done = SnmpSet(oid=oid, type=kind, value=value, snmp=device).run(StepContext())

    assert (done.type, done.before, done.after, done.changed) == (found, before, value, True)
    back = SnmpSet(oid=oid, type=kind, value=before, snmp=device).run(StepContext())
    assert back.after == before


def test_writing_is_predicted_by_reading(agent: Snmpd, opened: Opened) -> None:
    device = opened(SnmpAgent, **agent.v2())

    told = SnmpSet(oid=f"{METERS}.1", value=5, snmp=device).predict(StepContext())
    same = SnmpSet(oid=f"{METERS}.1", value=2305, snmp=device).predict(StepContext())

    assert told == f"would set {METERS}.1 from 2305 to 5"
    assert same == f"{METERS}.1 is 2305 already: nothing would change"
    assert device.get([f"{METERS}.1"])[0].value == 2305


def test_what_does_not_fit_is_refused(agent: Snmpd, opened: Opened) -> None:
    device = opened(SnmpAgent, **agent.v2())

    with pytest.raises(RecipeFault, match="'many' is no integer"):
        SnmpSet(oid=f"{METERS}.1", value="many", snmp=device).run(StepContext())
    with pytest.raises(LabError, match=f"refused to set {METERS}.1 to string x: wrongType"):
        SnmpSet(oid=f"{METERS}.1", type="string", value="x", snmp=device).run(StepContext())
    with pytest.raises(Unsupported, match=f"has no object {METERS}.77: noSuch"):
        SnmpSet(oid=f"{METERS}.77", value=1, snmp=device).run(StepContext())


@pytest.mark.parametrize("version", [1, "2c", 3])
def test_a_walk_finds_what_is_below_and_no_more(agent: Snmpd, opened: Opened, version: Any) -> None:
    options = agent.v3("sha-aes128") if version == 3 else {**agent.v2(), "version": version}
    device = opened(SnmpAgent, **options)

    walked = SnmpWalk(oid=METERS, snmp=device).run(StepContext())

    assert list(walked.values) == [f"{METERS}.{number}" for number in (1, 2, 3, 4)]
    assert walked.complete
    some = SnmpWalk(oid=METERS, most=3, snmp=device).run(StepContext())
    assert (len(some.objects), some.complete) == (3, False)
    assert SnmpWalk(oid="1.3.6.1.4.1.99998", snmp=device).run(StepContext()).objects == ()


@pytest.mark.parametrize("version", [1, "2c"])
def test_a_long_walk_ends_at_the_end_of_the_tree(agent: Snmpd, opened: Opened, version: Any) -> None:
    device = opened(SnmpAgent, **{**agent.v2(), "version": version})

    walked = SnmpWalk(oid="1.3.6.1.6", most=100000, snmp=device).run(StepContext())

    assert walked.complete
    assert len(walked.objects) > 40
