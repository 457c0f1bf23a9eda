"""What a condition is about, reads and costs, what SQLite can tell of it, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.conditions.condition import Condition
from kstream.core.conditions.dearness import Size
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Kind
from kstream.core.timeline.narrow import Narrow

POD = frozenset([Kind.POD])


@pytest.mark.parametrize(
    ("text", "about", "fields"),
    [
        ('pod.status == "a" && pod.namespace == "b"', Kind.POD, {"status", "namespace"}),
        ('node.labels["pod"] == "x"', Kind.NODE, {"labels"}),
        ("size(pod.containers) > 1", Kind.POD, {"containers"}),
        ("has(namespace.podCount)", Kind.NAMESPACE, {"podCount"}),
        ('"status" in pod', Kind.POD, None),
        ('pod["status"] == "a" || pod.phase == "b"', Kind.POD, None),
        ("pod == pod", Kind.POD, None),
        ("pod.containers.exists(c, c.restartCount > 3)", Kind.POD, {"containers"}),
        ("type(pod.name) == string && pod.nodeName != null", Kind.POD, {"name", "nodeName"}),
        ('pod.labels.and == "a" && [1].all(a, [1].all(b, a == b))', Kind.POD, {"labels"}),
    ],
)
def test_a_condition_is_about_one_kind_and_reads_some_of_its_fields(
    text: str, about: Kind, fields: set[str] | None
) -> None:
    found = Condition.parse(text)
    assert (found.about, found.fields) == (about, fields)


def narrow(**told: object) -> Narrow:
    return Narrow(
        kinds=POD,
        **{name: frozenset(values) for name, values in told.items()},  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    ("text", "wanted", "only_bad"),
    [
        ('pod.status == "Error"', narrow(texts=['"status":"Error"']), True),
        ('"Error" == pod.status', narrow(texts=['"status":"Error"']), True),
        ('pod.status == "Running"', narrow(texts=['"status":"Running"']), False),
        (
            'pod.status in ["Error", "Evicted"]',
            narrow(texts=['"status":"Error"', '"status":"Evicted"']),
            True,
        ),
        (
            'pod.status in ["Error", "Running"]',
            narrow(texts=['"status":"Error"', '"status":"Running"']),
            False,
        ),
        ('pod.namespace == "a" && pod.namespace == "b"', narrow(namespaces=["a"]), False),
        ('pod.name == "a" && pod.uid == "u" && pod.name == "b"', narrow(names=["a"], uids=["u"]), False),
        ('pod.labels["app"] == "web" && pod.status == "Error"', narrow(texts=['"app":"web"']), True),
        ('pod.labels.app == "web"', narrow(texts=['"app":"web"']), False),
        ('pod.nodeName == "n" && size(pod.containers) > 1', narrow(texts=['"nodeName":"n"']), False),
        ('pod.creationTimestamp == "x"', narrow(), False),
        ('pod.status == "größe"', narrow(), False),
        ('pod.status == "a\\"b"', narrow(), False),
        ('pod.status == "a" || pod.namespace == "b"', narrow(), False),
        ('pod.status == "a" ? true : false', narrow(), False),
        ('(pod.status == "a")', narrow(), False),
        ('!(pod.status == "a") && pod.name == "n"', narrow(names=["n"]), False),
        ('pod.status == "a" == true', narrow(), False),
        ("pod.status == pod.phase", narrow(), False),
        ('pod.status in ["a"] == true', narrow(), False),
        ('pod.status in ["a", pod.phase]', narrow(), False),
        ("pod.status in [1]", narrow(), False),
        ('pod.containers.exists(c, c.name == "a" && pod.status == "b")', narrow(), False),
        ('pod.labels[pod.name] == "a"', narrow(), False),
        ('pod.owner.kind == "Job"', narrow(), False),
        ('pod.status != "a"', narrow(), False),
        ("pod.containers[0].ready", narrow(), False),
    ],
)
def test_what_sqlite_can_tell_is_told(text: str, wanted: Narrow, *, only_bad: bool) -> None:
    found = Condition.parse(text)
    assert (found.narrow, found.only_bad) == (wanted, only_bad)


def test_a_namespace_is_in_no_namespace_and_a_node_neither() -> None:
    assert Condition.parse('node.name == "n"').narrow.namespaces is None
    assert Condition.parse('namespace.name == "n"').narrow == Narrow(
        kinds=frozenset([Kind.NAMESPACE]), names=frozenset(["n"])
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pod.status ==", "at character 14, near '.status ==': mismatched input '<EOF>'"),
        ('pod.status == "a" &&\n pod.name = "b"', "at character 32"),
        ('pod.sttaus == "a"', "at character 5, near 'pod.sttaus == \"a\"': a pod has name, uid"),
        ('pod.status = "a"', "at character 12, near 'od.status = \"a\"': CEL writes == for '='"),
        ('pod.status == "a" and pod.name == "b"', "CEL writes && for 'and'"),
        ('pod.status == "a" or pod.name == "b"', "CEL writes || for 'or'"),
        ('not (pod.status == "a")', "CEL writes ! for 'not'"),
        (
            "pod.status == Error",
            "at character 15, near 'status == Error': nothing is called 'Error'; write \"Error\"",
        ),
        ('status == "a" && pod.name == "b"', "nothing is called 'status'; write pod.status, or \"status\""),
        ("pod.name in [a]", "nothing is called 'a'"),
        ("pod.name == ([1].all(a, a == 1) ? a : 'b')", "at character 35"),
        ("pod.name == '' || [1].all(a, [1].all(b, a == b) && b == 1)", "at character 52"),
        ("foo(pod.name)", "there is no function 'foo'"),
        ("1 == 1", "it names none of pod, node and namespace"),
        ("a.pod == 1", "it names none of pod, node and namespace"),
        ('node.status == "a" && pod.name == "b"', "at character 23"),
        (
            r"pod.name.matches('\\w{20}\\w') || pod.name.matches('\\d{20}\\d') || pod.name.matches('\\d{20}\\d')",
            "too dear together",
        ),
        ("pod.name.matches('a') && pod.name.matches('(b')", "at character 43"),
        ("pod.name.matches('(b')", "it is no regular expression: unclosed group"),
        ("pod.name.matches('a{3,1}')", "it is no regular expression: invalid repetition count range"),
        ("[1, 2].all(1, pod.name == 'a')", "at character "),
    ],
)
def test_what_is_none_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        Condition.parse(text)
    assert says in refused.value.details


@given(st.text(alphabet="pod.node namespace status == && || ! ( ) [ ] \" ' a 1 , ? : { } in size matches"))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        found = Condition.parse(text)
    except InvalidMessageError:
        return
    assert found.cost.of(Size(1, 0)) > 0


def test_what_cel_reserves_is_a_variable_all_the_same() -> None:
    found = Condition.parse('namespace.status == "namespace" && namespace.name == "a"')
    assert found.program == 'Namespace.status == "namespace" && Namespace.name == "a"'


def test_bodies_are_not_searched_for_very_many_texts() -> None:
    many = ", ".join(f'"s{number}"' for number in range(17))
    assert Condition.parse(f"pod.status in [{many}]").narrow.texts is None


def test_an_error_without_a_place_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ValueError("it is wrong\nin many ways")

    monkeypatch.setattr("cel.compile", fail)
    with pytest.raises(InvalidMessageError) as refused:
        Condition.parse("pod.name")
    assert refused.value.details == "where: at character 1, near 'pod.name': it is wrong"


@pytest.mark.parametrize(
    "text",
    [r"pod.name.matches('^\\w{20}\\w$')", r"pod.name.matches(r'^\w{20}\w$')", "'matches' == pod.name"],
)
def test_a_class_counts_once_in_a_raw_text_and_in_one_that_is_not(text: str) -> None:
    assert Condition.parse(text).about is Kind.POD
