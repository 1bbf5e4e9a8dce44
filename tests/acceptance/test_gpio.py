"""GPIO on a host that has nothing but Python and a real chip: an emulated PL061 under Debian's arm64 kernel."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.command import runner
from support.reports import Report
from support.shelf_guest import shelf_guest
from support.ssh_lab import inventory

RECIPE = """\
name: A real chip
tests:
  - test: an output is driven as the kernel sees it
    steps:
      - gpio_set: {device: lamp, value: active}
        expect: result.previous == 'inactive' and result.value == 'active'
      - command: grep lamp-of-desk /sys/kernel/debug/gpio
        expect: result.stdout is search('gpio-509 .*lamp-of-desk.* out hi')
      - gpio_pulse: {device: lamp, width: 20ms, gap: 20ms, count: 3}
        expect: result.rests == 'active'
      - gpio_set: {device: lamp, value: inactive}
      - command: grep lamp-of-desk /sys/kernel/debug/gpio
        expect: result.stdout is search('out lo')
  - test: a relay is switched, low and active
    steps:
      - power_on:
        expect: result.state == 'on'
      - command: grep relay /sys/kernel/debug/gpio
        expect: result.stdout is search('gpio-510 .* out lo ACTIVE LOW')
      - power_cycle: {off_time: 50ms}
        expect: result.verified == 'state'
      - power_off:
      - command: grep relay /sys/kernel/debug/gpio
        expect: result.stdout is search('out hi')
  - test: a button is seen with the kernel's times
    steps:
      - gpio_wait: {device: button, edge: rising, count: 2, within: 100s}
        register: pressed
        expect:
          - pressed.events[1].time - pressed.events[0].time > 0.01
          - pressed.events[1].time - pressed.events[0].time < 60
      - gpio_wait: {device: button, edge: falling, since: last, within: 100s}
        expect: result.events[0].number == pressed.events[1].number + 1
      - gpio_read: {device: button}
        expect: result.value == 'inactive'
  - test: a line of somebody else is named
    steps:
      - command: [sh, -c, "echo 504 > /sys/class/gpio/export"]
      - gpio_read: {device: taken}
        expect_error: {class: device_error, match: "line 0 of /dev/gpiochip0 is used by 'sysfs'"}
  - test: a chip that is not there is told with those that are
    steps:
      - gpio_read: {device: missing}
        expect_error: {match: "no line 1 of gpiochip9; the chips are: /dev/gpiochip0 .9030000.pl061, 8 lines."}
"""


@pytest.mark.peer("python_guest")
def test_a_real_chip_on_a_host_that_has_only_python(tmp_path: Path) -> None:
    chip = {"chip": "/dev/gpiochip0"}
    devices = {
        "lamp": {"driver": "gpio", **chip, "line": 5, "direction": "output", "consumer": "lamp-of-desk"},
        "button": {"driver": "gpio", "chip": "9030000.pl061", "line": 3, "direction": "input"},
        "taken": {"driver": "gpio", **chip, "line": 0, "direction": "input"},
        "missing": {"driver": "gpio", "chip": "gpiochip9", "line": 1, "direction": "input"},
        "power": {"driver": "gpio_power", **chip, "line": 6, "active_low": True, "consumer": "relay"},
    }
    (tmp_path / "r.yaml").write_text(RECIPE, encoding="utf-8")
    with shelf_guest(tmp_path) as shelf:
        benches = {"desk": {"host": "shelf", "devices": devices}}
        lab = inventory(tmp_path, {"shelf": shelf.options}, benches)
        ended = threading.Event()

        def press() -> None:
            while not ended.wait(0.4):
                shelf.press()

        pressing = threading.Thread(target=press)
        pressing.start()
        try:
            done = runner(tmp_path, "play", "r.yaml", "-i", lab)
        finally:
            ended.set()
            pressing.join()

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
