"""When a board's stages came: measured by itself, and in every report."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from support.command import runner

RECIPE = """
setup:
  - power_on:
tests:
  - test: boots
    steps:
      - console_login: {user: root, within: 60s}
        register: shell
        expect: result.boot.kernel < result.boot.login
      - uboot_enter: {off_time: 10ms}
        expect: result.boot.uboot < result.boot.prompt
      - uboot_boot:
        expect: result.first_line is search('Linux version') and result.elapsed < 60
"""


def test_a_boot_is_timed_without_a_word_in_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")

    done = runner(tmp_path, "play", "recipe.yaml")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "boot of sim: first byte " in done.stdout
    folder = tmp_path / "results" / "latest"
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    first, second = results["starts"]["sim"]
    assert first["kind"] == second["kind"] == "boot"
    order = ["first_byte", "spl", "uboot", "kernel", "userspace", "login"]
    assert [name for name in first if name in order] == order
    assert [first[name] for name in order] == sorted(first[name] for name in order)
    assert {"prompt", "kernel"} <= set(second)
    measured = {each["name"] for each in results["cases"][0]["measures"]}
    assert {"boot.kernel", "boot.login", "boot.prompt"} <= measured
    properties = {each.get("name") for each in ET.parse(folder / "junit.xml").getroot().iter("property")}
    assert "boot.kernel" in properties
