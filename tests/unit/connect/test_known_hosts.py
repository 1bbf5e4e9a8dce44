from pathlib import Path

import pytest

from runner.connect.known_hosts import judge, known_kinds, read_known_hosts

ONE, TWO = b"one key of a host!", b"two key of a host!"
B64 = {ONE: "b25lIGtleSBvZiBhIGhvc3Qh", TWO: "dHdvIGtleSBvZiBhIGhvc3Qh"}


def keys(tmp_path: Path, text: str) -> tuple[object, ...]:
    file = tmp_path / "known"
    file.write_text(text.format(one=B64[ONE], two=B64[TWO]), encoding="utf-8")
    return read_known_hosts([file, tmp_path / "none"])


@pytest.mark.parametrize(
    ("hosts", "name", "standing"),
    [
        ("shelf1", "shelf1", "known"),
        ("shelf1,10.0.0.1", "10.0.0.1", "known"),
        ("SHELF1", "shelf1", "known"),
        ("*.lab,!gate.lab", "shelf1.lab", "known"),
        ("*.lab,!gate.lab", "gate.lab", "unknown"),
        ("shelf?", "shelf12", "unknown"),
        ("[shelf1]:2222", "[shelf1]:2222", "known"),
        ("[shelf1]:2222", "s", "unknown"),
        ("shelf1", "[shelf1]:2222", "unknown"),
        ("|1|broken", "shelf1", "unknown"),
        ("!shelf1", "shelf1", "unknown"),
    ],
)
def test_a_line_is_about_the_hosts_it_names(tmp_path: Path, hosts: str, name: str, standing: str) -> None:
    found = keys(tmp_path, f"{hosts} ssh-ed25519 {{one}} a comment\n")
    assert judge(found, name, ONE).standing == standing  # type: ignore[arg-type]


def test_several_keys_of_a_kind_are_all_known(tmp_path: Path) -> None:
    found = keys(tmp_path, "a ssh-rsa {one}\na ssh-rsa {two}\na ecdsa-sha2-nistp256 {two}\n")
    assert judge(found, "a", TWO).standing == "known"  # type: ignore[arg-type]
    assert known_kinds(found, "a") == ("ssh-rsa", "ecdsa-sha2-nistp256")  # type: ignore[arg-type]


def test_lines_that_cannot_be_read_are_passed_over_and_authorities_noted(tmp_path: Path) -> None:
    text = "# comment\n\nshort\na ssh-ed25519 ???\n@cert-authority *.lab ssh-ed25519 {one}\n"
    judged = judge(keys(tmp_path, text), "a.lab", ONE)  # type: ignore[arg-type]
    assert (judged.standing, judged.authority) == ("unknown", f"{tmp_path / 'known'}:5")


def test_another_key_is_a_changed_one_and_a_revoked_one_is_never_known(tmp_path: Path) -> None:
    found = keys(tmp_path, "a ssh-ed25519 {one}\na ssh-ed25519 {two}\n@revoked * ssh-ed25519 {two}\n")
    assert judge(found, "a", b"three").standing == "changed"  # type: ignore[arg-type]
    assert judge(found, "a", TWO).standing == "revoked"  # type: ignore[arg-type]
