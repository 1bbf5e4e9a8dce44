"""Plugs as a person has them: a recipe that plays, and what is said when one is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.command import runner
from support.mosquitto import PASSWORD as MQTT_PASSWORD
from support.mosquitto import USER as MQTT_USER
from support.mosquitto import Mosquitto
from support.peers import ROOT
from support.plug import Plug, plug
from support.ssh_server import ssh_server
from support.web_plugs import PASSWORD, USER, ShellyGen1, ShellyGen2, Strip, served

pytestmark = pytest.mark.peer("mosquitto")

SWITCHED = """
benches: all
steps:
  - power_on: {within: 60s}
    expect: [result.previous == 'off', result.state == 'on']
  - power_cycle: {off_time: 10ms}
    expect: result.verified == 'state'
  - power_off:
"""


def benches(devices: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an inventory; only what sticks has a short limit, which has to be over."""
    limits = {name: "5s" if name.endswith("sticks") else "60s" for name in devices}
    return json.dumps(
        {
            "benches": {
                name: {"devices": {"power": options}, "vars": {"limit": limits[name]}}
                for name, options in devices.items()
            }
        }
    )


def played(folder: Path, recipe: str, inventory: str, **environment: str) -> tuple[int, dict[str, list[Any]]]:
    """Play a recipe, and return the exit code and the cases of each bench."""
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    (folder / "lab.json").write_text(inventory, encoding="utf-8")
    done = runner(folder, "play", "recipe.yaml", "-i", "lab.json", **environment)
    for secret in (PASSWORD, MQTT_PASSWORD, "guessed"):
        assert secret not in done.stdout + done.stderr
    result = json.loads((folder / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    cases: dict[str, list[Any]] = {}
    for case in result["cases"]:
        cases.setdefault(case["bench"], []).append(case)
    return done.returncode, cases


@pytest.fixture
def lamp(broker: Mosquitto) -> Iterator[Plug]:
    with plug("lamp", broker.open) as it:
        yield it


def test_plugs_of_every_kind_are_switched_and_read_back(
    broker: Mosquitto, lamp: Plug, tmp_path: Path
) -> None:
    shelly, strip = ShellyGen2(), Strip()
    with ExitStack() as stack:
        for it in (shelly, strip):
            stack.enter_context(served(it))
        code, cases = played(
            tmp_path,
            SWITCHED,
            benches(
                {
                    "mqtt": {
                        "driver": "tasmota",
                        "broker": {
                            "address": f"mqtts://127.0.0.1:{broker.tls}",
                            "ca": broker.ca,
                            "username": MQTT_USER,
                            "password": MQTT_PASSWORD,
                        },
                        "topic": "lamp",
                    },
                    "http": {
                        "driver": "http",
                        "url": shelly.url,
                        "preset": "shelly_gen2",
                        "user": USER,
                        "password": PASSWORD,
                    },
                    "strip": {"driver": "energenie", "host": address_of(strip.url), "socket": 2},
                }
            ),
        )

    assert code == 0
    assert {bench: [case["outcome"] for case in found] for bench, found in cases.items()} == {
        bench: ["passed"] * 3 for bench in ("mqtt", "http", "strip")
    }


def address_of(url: str) -> str:
    return url.removeprefix("http://")


@pytest.mark.peer("sshd")
def test_a_plug_is_switched_from_a_host_that_has_only_python(
    broker: Mosquitto, lamp: Plug, tmp_path: Path
) -> None:
    shelly = ShellyGen2()
    with served(shelly), ssh_server(tmp_path / "sshd") as server:
        devices = {
            "power": {
                "driver": "tasmota",
                "broker": {
                    "address": f"mqtts://127.0.0.1:{broker.tls}",
                    "ca": broker.ca,
                    "username": MQTT_USER,
                    "password": MQTT_PASSWORD,
                },
                "topic": "lamp",
            },
            "lamp": {
                "driver": "http",
                "url": shelly.url,
                "preset": "shelly_gen2",
                "user": USER,
                "password": PASSWORD,
            },
        }
        code, cases = played(
            tmp_path,
            "steps: [{power_on: {device: power}}, {power_on: {device: lamp}}]",
            json.dumps(
                {
                    "hosts": {"shelf": server.options()},
                    "benches": {"desk": {"host": "shelf", "devices": devices}},
                }
            ),
        )

    assert (code, [case["outcome"] for case in cases["desk"]]) == (0, ["passed", "passed"])
    assert lamp.relays == ["ON"]
    assert shelly.relays[0]


def test_what_is_wrong_with_a_plug_names_bench_device_address_and_outlet(
    broker: Mosquitto, lamp: Plug, tmp_path: Path
) -> None:
    lamp.mood = "lies"
    stuck, strip = ShellyGen1(), Strip()
    stuck.stuck = True
    who = {"username": MQTT_USER, "password": "guessed"}
    with ExitStack() as stack:
        for it in (stuck, strip):
            stack.enter_context(served(it))
        shelly = {"driver": "http", "url": stuck.url, "preset": "shelly_gen1", "outlet": 3}
        code, cases = played(
            tmp_path,
            'benches: all\nsteps:\n  - power_on: {within: "{{ limit }}"}\n',
            benches(
                {
                    "mqtt-sticks": {
                        "driver": "tasmota",
                        "broker": f"127.0.0.1:{broker.open}",
                        "topic": "lamp",
                    },
                    "mqtt-refused": {
                        "driver": "tasmota",
                        "broker": {"address": f"127.0.0.1:{broker.password}", **who},
                        "topic": "lamp",
                        "relay": 2,
                    },
                    "http-sticks": {**shelly, "user": USER, "password": PASSWORD},
                    "http-refused": {**shelly, "user": USER, "password": "guessed"},
                    "strip-refused": {
                        "driver": "energenie",
                        "host": address_of(strip.url),
                        "socket": 4,
                        "password": "guessed",
                    },
                }
            ),
        )

    assert code == 3
    said = {bench: found[0]["problem"]["message"] for bench, found in cases.items()}
    assert said == {
        "mqtt-sticks": f"'power' on bench 'mqtt-sticks' (cmnd/lamp/POWER on MQTT broker 127.0.0.1:{broker.open}) "
        "still reads off, 5s after it was switched on",
        "mqtt-refused": "'power' on bench 'mqtt-refused' (cmnd/lamp/POWER2 on MQTT broker "
        f"127.0.0.1:{broker.password}) could not be read: MQTT broker 127.0.0.1:{broker.password} refuses the "
        "connection of user 'lab': Not authorized",
        "http-sticks": f"'power' on bench 'http-sticks' ({stuck.url}/relay/3?turn=on) still reads off, "
        "5s after it was switched on",
        "http-refused": f"'power' on bench 'http-refused' ({stuck.url}/relay/3?turn=on) could not be read: "
        f"{stuck.url} refuses user 'admin': 401 Unauthorized (it asks for Basic)",
        "strip-refused": f"'power' on bench 'strip-refused' (socket 4 of {strip.url}) could not be read: "
        f"{strip.url} shows its log-in page again: the password is wrong",
    }


NONSENSE = """\
benches:
  desk:
    devices:
      a: {driver: tasmota, broker: "amqp://b", topic: x}
      b: {driver: tasmota, broker: {address: b, insecure: true}, topic: x}
      c: {driver: tasmota, broker: {address: "mqtts://b", key: lab.yaml}, topic: x}
      d: {driver: tasmota, broker: b, topic: stat/#}
      e: {driver: tasmota, broker: b, topic: x, full_topic: "%topic%/"}
      f: {driver: tasmota, broker: b, topic: {command: c/+, status: s}}
      g: {driver: http, url: "http://h"}
      h: {driver: http, url: 10.0.0.7, preset: tasmota}
      i: {driver: http, url: "http://me:pw@h", preset: tasmota}
      j: {driver: http, url: "http://h", preset: tasmota, insecure: true}
      k: {driver: http, url: "http://h", turn_on: on, turn_off: {path: /, form: {a: b}, body: c}}
      l: {driver: http, url: "http://h", preset: tasmota, tell_state: {path: /, pattern: state}}
      m: {driver: http, url: "http://h", preset: tasmota, turn_on: {path: /, answers: (}}
      n: {driver: energenie, host: "http://h"}
      o: {driver: energenie, host: h, socket: 5}
"""
SAID = """\
4:36: error[E234]: tasmota: broker: 'amqp://b': no amqp://, but mqtt://, mqtts://, ws://, wss://, unix://
5:46: error[E234]: tasmota: broker: 'b' is not encrypted, so no certificate is looked at
6:64: error[E234]: tasmota: broker: a key is of no use without its certificate
7:46: error[E235]: tasmota: 'stat/#': + and # are for listening
8:61: error[E235]: tasmota: '%topic%/' has no %prefix%
9:56: error[E234]: tasmota: topic: 'c/+': + and # are for listening
10:7: error[E235]: http: a plug without a preset needs the requests turn_on and turn_off
11:30: error[E235]: http: '10.0.0.7' is no URL of a plug: write http://ADDRESS
12:30: error[E235]: http: who one is does not belong into a URL: write user and password
13:30: error[E235]: http: 'http://h' is not encrypted, so no certificate is looked at
14:51: error[E234]: http: turn_on: 'on' is no path: it begins with /
14:95: error[E234]: http: turn_off: a request has a form or a body, and one of them only
15:90: error[E234]: http: tell_state: 'state' has no group around the state
16:87: error[E234]: http: turn_on: '(' is no regular expression: missing ), unterminated subpattern at position 0
17:36: error[E235]: energenie: 'http://h' is no host
18:47: error[E234]: energenie: socket: 5 is above the maximum of 4
""".splitlines()
ASKED = """\
benches: desk
steps:
  - mqtt_publish: {topic: a/#}
  - mqtt_publish: {topic: a, payload: "1", data: "01"}
  - mqtt_subscribe: a+
  - mqtt_expect: a/#/b
  - mqtt_expect: {topic: a, value: 1}
  - mqtt_expect: {topic: a, pattern: (}
"""
ANSWERED = """\
3:27: error[E235]: mqtt_publish: 'a/#': + and # are for listening
4:50: error[E235]: mqtt_publish: a message has a payload or data, not both
5:21: error[E235]: mqtt_subscribe: 'a+': + stands for a whole level, # for the last ones
6:18: error[E235]: mqtt_expect: 'a/#/b': + stands for a whole level, # for the last ones
7:36: error[E235]: mqtt_expect: a value is looked for in JSON
8:38: error[E235]: mqtt_expect: '(' is no regular expression: missing ), unterminated subpattern at position 0
""".splitlines()


def test_what_makes_no_sense_is_said_with_its_place_before_anything_moves(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(NONSENSE, encoding="utf-8")
    (tmp_path / "desk.yaml").write_text(
        "benches: {desk: {devices: {mqtt: {driver: mqtt, broker: b}}}}", encoding="utf-8"
    )
    (tmp_path / "recipe.yaml").write_text(ASKED, encoding="utf-8")

    for inventory, file, said in (("lab.yaml", "lab", SAID), ("desk.yaml", "recipe", ANSWERED)):
        done = runner(tmp_path, "check", "recipe.yaml", "-i", inventory)
        assert done.returncode == 2
        assert [line for line in done.stderr.splitlines() if line.startswith(f"{file}.yaml:")] == [
            f"{file}.yaml:{each}" for each in said
        ]


def test_the_recipe_with_a_plug_and_its_broker_plays(broker: Mosquitto, lamp: Plug, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "switch-plugs.md").read_text(encoding="utf-8")
    inventory, recipe = (block.partition("```")[0] for block in page.split("```yaml\n")[1:3])
    (tmp_path / "lab.yaml").write_text(inventory, encoding="utf-8")
    (tmp_path / "plug.yaml").write_text(recipe, encoding="utf-8")

    done = runner(
        tmp_path,
        "play",
        "plug.yaml",
        "-i",
        "lab.yaml",
        MQTT_BROKER=f"127.0.0.1:{broker.password}",
        MQTT_USER=MQTT_USER,
        MQTT_PASSWORD=MQTT_PASSWORD,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
