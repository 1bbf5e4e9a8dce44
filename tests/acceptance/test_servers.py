"""Servers for boards, as recipes use them."""

from __future__ import annotations

from pathlib import Path

from support.command import runner
from support.reports import Report

LAB = """
benches:
  desk:
    devices:
      tftp: {driver: tftp_server, bind: 127.0.0.1, port: 0}
      http: {driver: http_server, bind: 127.0.0.1, uploads: true}
"""
SERVE = """
name: Files for boards
benches: desk
tests:
  - test: a board loads its kernel
    steps:
      - tftp_serve: {files: {boot/kernel: kernel.img}}
        register: tftp
        expect: result.changed and result.files[0].size == 100000
      - tftp_get: {host: "{{ tftp.host }}", port: "{{ tftp.port }}", file: boot/kernel, dest: by_tftp.img}
        expect: result.sha256 == tftp.files[0].sha256
      - tftp_serve_wait: {file: boot/kernel, within: 60s}
        expect: result.transfers[0].blocks == 69
      - tftp_get: {host: "{{ tftp.host }}", port: "{{ tftp.port }}", file: ../secret, expect_error: 2}
      - tftp_serve_wait: {file: boot/kernel, within: 10ms}
        expect_error: {class: timeout, match: "not completely fetched within 10ms: the board asked for '../secret'"}
      - tftp_serve: {state: stopped}
        expect: result.changed
  - test: a board fetches its image
    steps:
      - http_serve: {files: {nightly.img: kernel.img}}
        register: web
      - http_request: {url: "{{ web.urls['nightly.img'] }}", headers: {Range: bytes=0-9}, expect_status: [206]}
        expect: result.size == 10
      - http_request: {url: "{{ web.urls['nightly.img'] }}", dest: by_http.img}
        expect: result.sha256 == web.files[0].sha256
      - http_serve_wait: nightly.img
        expect: result.bytes == 100000
      - http_request: {url: "{{ web.url }}status.json", method: PUT, json: {relays: [{ison: true}]}, expect_status: [201]}
      - http_request: {url: "{{ web.url }}status.json", expect_json: {"relays.0.ison": true}, expect_body: ison}
      - http_request: {url: "{{ web.url }}status.json", expect_json: {"relays.0.ison": false}}
        expect_error: {class: assertion, match: "relays.0.ison is True, expected False"}
      - http_request: {url: "{{ web.url }}nothing"}
        expect_error: {class: assertion, match: "status 404, expected 200"}
"""


def test_a_board_loads_files_by_tftp_and_http(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(LAB, encoding="utf-8")
    (tmp_path / "kernel.img").write_bytes(bytes(range(250)) * 400)
    (tmp_path / "serve.yaml").write_text(SERVE, encoding="utf-8")
    done = runner(tmp_path, "play", "-i", "lab.yaml", "serve.yaml")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert (tmp_path / "by_tftp.img").read_bytes() == (tmp_path / "kernel.img").read_bytes()
    assert (tmp_path / "by_http.img").read_bytes() == (tmp_path / "kernel.img").read_bytes()
    report = Report(tmp_path / "results" / "latest")
    assert list(report.outcomes.values()) == ["passed"] * 2
