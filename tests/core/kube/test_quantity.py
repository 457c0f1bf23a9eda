"""kstream.core.kube.quantity: CPU and memory in the contract's spelling."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.kube.quantity import binary_bytes, millicores

FACTORS = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{suffix: Fraction(1000 ** (i + 1)) for i, suffix in enumerate("kMGTPE")},
    **{f"{suffix}i": Fraction(1024 ** (i + 1)) for i, suffix in enumerate("KMGTPE")},
}


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [
        ("4", "4000m"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("2.", "2000m"),
        ("0", "0m"),
        ("1e3", "1000000m"),
        ("1E-1", "100m"),
        ("2k", "2000000m"),
        ("1Ki", "1024000m"),
        ("100u", "1m"),  # rounded up, as Kubernetes does
        ("1500001u", "1501m"),
        ("+2", "2000m"),
        ("-2", "-2000m"),
        ("-1500u", "-1m"),  # up is towards zero
        ("1n", "1m"),
        ("1e+2", "100000m"),
        ("0" * 63 + "4", "4000m"),
    ],
)
def test_cpu_is_in_millicores(cpu: str, expected: str) -> None:
    assert millicores(cpu) == expected


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ("8388608Ki", "8Gi"),
        ("8130288Ki", "8130288Ki"),
        ("8Gi", "8Gi"),
        ("1.5Gi", "1536Mi"),
        ("2048Gi", "2Ti"),
        ("1Ei", "1Ei"),
        ("1024Pi", "1Ei"),
        ("1024Ti", "1Pi"),
        ("1024", "1Ki"),
        ("1023", "1023"),
        ("1000000000", "1000000000"),
        ("1G", "1000000000"),
        ("1024k", "1000Ki"),
        ("512M", "500000Ki"),
        ("1e3", "1000"),
        ("1024e3", "1000Ki"),
        ("1E", "976562500000000Ki"),
        ("128974848000m", "123Mi"),
        ("1500m", "2"),  # there is no half a byte
        ("0", "0"),
        ("0Gi", "0"),
        ("-8388608Ki", "-8Gi"),
        ("-1500m", "-1"),
        ("1M", "1000000"),
        ("1T", "976562500Ki"),
        ("1P", "976562500000Ki"),
    ],
)
def test_memory_is_in_the_largest_binary_unit_that_is_exact(memory: str, expected: str) -> None:
    assert binary_bytes(memory) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1.2.3",
        "4 Gi",
        "Gi",
        ".",
        "1e999",
        "٣",
        "1gi",
        "9" * 10000,
        "0" * 64 + "4",
        "1\n",
        "1e",
        "1e3k",
        "--1",
    ],
)
def test_what_is_no_quantity_stays_as_it_is(text: str) -> None:
    assert millicores(text) == text
    assert binary_bytes(text) == text


@given(st.integers(0, 10**15), st.sampled_from(list(FACTORS)))
def test_a_converted_memory_is_the_same_number_of_bytes_in_the_largest_unit(number: int, suffix: str) -> None:
    found = re.fullmatch(r"(\d+)((?:[KMGTPE]i)?)", binary_bytes(f"{number}{suffix}"))
    assert found is not None
    value = int(found[1]) * FACTORS[found[2]]
    exact = number * FACTORS[suffix]
    assert exact <= value < exact + 1
    larger = [factor for name, factor in FACTORS.items() if name.endswith("i") and factor > FACTORS[found[2]]]
    assert not value or all(value % factor for factor in larger)


@given(st.decimals(0, 10**9, places=3))
def test_a_converted_cpu_is_the_same_number_of_cores(cores: object) -> None:
    assert millicores(str(cores)) == f"{int(Fraction(str(cores)) * 1000)}m"


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(millicores(text) + binary_bytes(text), str)
