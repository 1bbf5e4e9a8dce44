"""Patterns select benches by name, glob, range, group and label; what they cannot mean is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import Fault, InputError, Location
from runner.inventory.pattern import PatternError, parse
from runner.inventory.select import select
from runner.model import Bench, Host, Inventory

HERE = Host(name="localhost")
LABELS = {
    "rpi4-01": {"board": "rpi4", "site": "es", "has-can": ""},
    "rpi4-02": {"board": "rpi4", "site": "de"},
    "rpi5-01": {"board": "rpi5", "site": "es", "has-can": ""},
    "qemu": {"board": "virt"},
}
INVENTORY = Inventory(
    hosts={"localhost": HERE},
    benches={
        name: Bench(name=name, index=1, at=None, host=HERE, labels=labels) for name, labels in LABELS.items()
    },
    groups={"arm": ("rpi4-01", "rpi4-02", "rpi5-01"), "none": ()},
)


def chosen(pattern: str) -> str:
    return " ".join(bench.name for bench in select(pattern, INVENTORY, None))


def fault(pattern: str, at: Location | None = None) -> Fault:
    with pytest.raises(InputError) as raised:
        select(pattern, INVENTORY, at)
    return raised.value.faults[0]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("all", "rpi4-01 rpi4-02 rpi5-01 qemu"),
        ("!all", ""),
        ("rpi4-02", "rpi4-02"),
        ("qemu,rpi4-02", "rpi4-02 qemu"),
        ("rpi4-*", "rpi4-01 rpi4-02"),
        ("rpi?-01", "rpi4-01 rpi5-01"),
        ("rpi[45]-01", "rpi4-01 rpi5-01"),
        ("rpi4-[01:02]", "rpi4-01 rpi4-02"),
        ("arm", "rpi4-01 rpi4-02 rpi5-01"),
        ("none", ""),
        ("!arm", "qemu"),
        ("board=rpi4", "rpi4-01 rpi4-02"),
        ("board = rpi4", "rpi4-01 rpi4-02"),
        ("site!=es", "rpi4-02 qemu"),
        ("!site=es", "rpi4-02 qemu"),
        ("!site!=es", "rpi4-01 rpi5-01"),
        ("board in (rpi4,rpi5)", "rpi4-01 rpi4-02 rpi5-01"),
        ("board in ( virt )", "qemu"),
        ("!board in (rpi4, rpi5)", "qemu"),
        ("has-can", "rpi4-01 rpi5-01"),
        ("!has-can", "rpi4-02 qemu"),
        ("board=rpi4&site=es", "rpi4-01"),
        ("board=rpi4 & !has-can", "rpi4-02"),
        ("qemu, arm & site=es", "rpi4-01 rpi5-01 qemu"),
        ("rpi4-01, site!=es", "rpi4-01 rpi4-02 qemu"),
        ("arm&!rpi4-02", "rpi4-01 rpi5-01"),
        ("all&!rpi4-*", "rpi5-01 qemu"),
        ("board=rpi9", ""),
    ],
)
def test_a_pattern_selects_in_the_order_of_the_inventory(pattern: str, names: str) -> None:
    assert chosen(pattern) == names


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        ("rpi5-1", "no bench, group or label 'rpi5-1'", "did you mean 'rpi5-01'?"),
        ("amr", "no bench, group or label 'amr'", "did you mean 'arm'?"),
        ("zzzz", "no bench, group or label 'zzzz'", "known: rpi4-01, rpi4-02, rpi5-01, qemu, arm"),
        ("zz-*", "no bench is called 'zz-*'", ""),
        ("bord=rpi4", "no bench has a label 'bord'", "did you mean 'board'?"),
        ("arm=1", "no bench has a label 'arm'", ""),
        ("rpi4-[01:03]", "not all of 'rpi4-[01:03]' are benches of the inventory", ""),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_one(pattern: str, message: str, hint: str) -> None:
    found = fault(pattern)

    assert (found.code, found.message) == ("E423", message)
    assert hint in found.hint


def test_all_unknown_names_are_told_with_their_places() -> None:
    with pytest.raises(InputError) as raised:
        select("rpi4-01 , amr&!bord=x", INVENTORY, Location("r.yaml", 2, 10, 21))

    assert [each.at for each in raised.value.faults] == [
        Location("r.yaml", 2, 20, 3),
        Location("r.yaml", 2, 25, 4),
    ]


@pytest.mark.parametrize(
    ("pattern", "offset", "hint"),
    [
        ("", 0, ""),
        ("a,", 2, ""),
        (",a", 0, ""),
        ("a&&b", 2, ""),
        ("a b", 2, "join names with"),
        ("a:b", 1, "write , for or, & for and"),
        ("a|b", 1, "write , for or"),
        ("a and b", 2, "write & for and"),
        ("a or b", 2, "write , for or"),
        ("not a", 0, "write ! for not"),
        ("board==x", 5, "write = to compare a label"),
        ("board=", 6, ""),
        ("board!=", 7, ""),
        ("board=rpi*", 6, "write label in (one,other)"),
        ("bo*=x", 0, ""),
        ("board in x", 9, "write label in (one,other)"),
        ("board in (x", 11, "close it with )"),
        ("board in ()", 10, ""),
        ("board not in (x)", 6, "write ! for not"),
        ("(a,b)&c", 0, "& binds more tightly than ,"),
        ("!!a", 1, ""),
        ("a>b", 1, ""),
        ("all,!a", 5, "to leave benches out, write &!: all&!a"),
        ("a,b, !c", 6, "to leave benches out, write &!"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place(pattern: str, offset: int, hint: str) -> None:
    with pytest.raises(PatternError) as raised:
        parse(pattern)

    assert (raised.value.offset, hint in raised.value.hint) == (offset, True), raised.value.hint


def test_the_fault_of_a_pattern_stands_at_its_column() -> None:
    found = fault("arm and qemu", Location("r.yaml", 2, 10, 12))

    assert (found.code, found.at) == ("E422", Location("r.yaml", 2, 14, 3))
    assert found.message == "pattern 'arm and qemu': 'and' cannot stand here"
    assert fault("arm and qemu").at is None


_TERMS = ["all", "qemu", "rpi4-*", "arm", "board=rpi4", "site!=es", "board in (rpi4,virt)", "has-can"]


@given(st.lists(st.lists(st.sampled_from(_TERMS), min_size=1, max_size=3), min_size=1, max_size=3))
def test_or_unites_and_and_intersects(alternatives: list[list[str]]) -> None:
    pattern = ", ".join(" & ".join(terms) for terms in alternatives)

    each = {term: set(chosen(term).split()) for term in _TERMS}
    meant = set[str]().union(*(set.intersection(*(each[term] for term in terms)) for terms in alternatives))
    assert set(chosen(pattern).split()) == meant


@given(st.sampled_from(_TERMS))
def test_not_turns_round(term: str) -> None:
    assert set(chosen(f"!{term}").split()) == set(LABELS) - set(chosen(term).split())


@given(st.text("ab,&!=()* in[:]-", max_size=15))
def test_any_text_is_a_pattern_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        parse(text)
    except PatternError as error:
        places = range(len(text) + 1)
        if error.offset not in places or error.length < 1:
            raise AssertionError(text) from error
