"""Plain data becomes what its types say, or every problem of it is told, with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest

from homeostat.explain import At, Invalid
from homeostat.structure import Checked, Parsed, Tagged, received, stored, written


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    form: Literal["square"]
    side: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    form: Literal["circle"]
    radius: float


def not_odd(value: int) -> None:
    if value % 2:
        raise ValueError("must be even")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One of everything."""

    title: str
    is_old: bool = False
    width: Annotated[int, Parsed(lambda text: int(text.removesuffix("cm"))), Checked(not_odd)] = 2
    weight: float = 1.0
    colour: Colour | None = None
    counts: Mapping[Colour, int] = field(default_factory=dict)
    form: Annotated[Square | Circle, Tagged("form")] | None = None
    pages: tuple[int, ...] = ()
    file: Path | None = None
    class_: Literal["a", 1] = field(default="a", metadata={"key": "class"})

    def __post_init__(self) -> None:
        if self.title == "same":
            raise ExceptionGroup(
                "a picture", [At(("title",), "first"), At(("pages", 0), "second"), ValueError("third")]
            )


def problems(data: object, read=written) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        read(Picture, data)
    return [(".".join(map(str, problem.path)), problem.text) for problem in caught.value.problems]


def test_everything_becomes_what_its_type_says():
    data = {
        "title": "Sea",
        "is_old": True,
        "width": "4cm",
        "weight": 3,
        "colour": "red",
        "counts": {"blue": 2},
        "form": {"form": "circle", "radius": 1.5},
        "pages": [1, 2],
        "file": "a/b",
        "class": 1,
    }

    found = written(Picture, data)

    assert found == Picture(
        title="Sea",
        is_old=True,
        width=4,
        weight=3.0,
        colour=Colour.RED,
        counts={Colour.BLUE: 2},
        form=Circle(form="circle", radius=1.5),
        pages=(1, 2),
        file=Path("a/b"),
        class_=1,
    )
    assert (type(found.weight), type(found.colour), type(next(iter(found.counts)))) == (float, Colour, Colour)


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("Yes", True), ("ON", True), ("0", False), (1, True)])
def test_a_boolean_may_be_given_in_words(text: object, expected: bool):
    assert written(Picture, {"title": "x", "is_old": text}).is_old is expected


WRONG = [
    ({"title": 5}, "title", "5: must be text: quote it"),
    ({"title": None}, "title", "empty: must be text: quote it"),
    ({}, "title", "required, but missing"),
    ({"title": "x", "is_old": 2}, "is_old", "2: must be true or false"),
    ({"title": "x", "is_old": 1.5}, "is_old", "1.5: must be true or false"),
    ({"title": "x", "is_old": [1]}, "is_old", "[1]: must be true or false"),
    ({"title": "x", "is_old": 2**20_000}, "is_old", "a number too long to repeat: must be true or false"),
    ({"title": "x", "width": "3cm"}, "width", "'3cm': must be even"),
    ({"title": "x", "weight": "3"}, "weight", "'3': must be a number"),
    ({"title": "x", "weight": True}, "weight", "true (YAML reads yes, no, on and off so): must be a number"),
    ({"title": "x", "pages": [1, 2.0]}, "pages.1", "2.0: must be a whole number"),
    ({"title": "x", "pages": "12"}, "pages", "'12': must be a list, for example [one, two]"),
    ({"title": "x", "pages": {1, 2}}, "pages", "{1, 2}: must be a list, for example [one, two]"),
    ({"title": "x", "colour": "green"}, "colour", "'green': must be 'red' or 'blue'"),
    ({"title": "x", "counts": []}, "counts", "[]: must be a section with keys below it"),
    ({"title": "x", "counts": {"green": 1}}, "counts.green", "'green': must be 'red' or 'blue'"),
    ({"title": "x", "form": "square"}, "form", "'square': must be a section with keys below it"),
    ({"title": "x", "form": {"side": 1}}, "form.form", "required, but missing"),
    ({"title": "x", "form": {"form": ["square"]}}, "form.form", "['square']: must be one of 'square', 'circle'"),
    ({"title": "x", "form": {"form": "square", "radius": 1}}, "form.radius", "unknown key; allowed: form, side"),
    ({"title": "x", "file": ["a"]}, "file", "['a']: must be a path: quote it"),
    ({"title": "x", "class": True}, "class", "true (YAML reads yes, no, on and off so): must be 'a' or 1"),
    ({"title": "x", 7: 1}, "7", "7: a key must be text: quote it"),
    ([], "", "[]: must be a section with keys below it"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "path", "text"), WRONG, ids=[f"{path} {text}" for _, path, text in WRONG])
def test_what_is_wrong_is_named_with_its_place(data: object, path: str, text: str):
    assert problems(data) == [(path, text)]


def test_all_problems_are_told_at_once_in_the_order_of_the_fields():
    data = {"nonsense": 1, "pages": ["x", 1, "y"], "counts": {"green": "many"}, "weight": "x", "class_": "a"}

    assert [path for path, _ in problems(data)] == [
        *("title", "weight", "counts.green", "counts.green", "pages.0", "pages.2", "nonsense", "class_"),
    ]


def test_what_fields_do_not_agree_on_is_told_together():
    assert problems({"title": "same"}) == [("title", "first"), ("pages.0", "second"), ("", "third")]


def test_what_homeostat_stored_has_plain_types_and_the_same_bounds():
    assert stored(Picture, {"title": "x", "width": 4}).width == 4
    assert problems({"title": "x", "width": "4cm"}, stored) == [("width", "'4cm': must be a whole number")]
    assert problems({"title": "x", "width": 3}, stored) == [("width", "3: must be even")]
    assert problems({"title": "x", "new": 1}, stored)[0][0] == "new"


def test_what_other_programs_send_may_have_more_keys():
    assert received(Picture, {"title": "x", "new": 1, "form": {"form": "square", "new": 2}}).form == Square(
        form="square"
    )


def test_a_mistake_in_our_own_code_is_no_mistake_of_the_data():
    def broken(bug: type[Exception]) -> object:
        raise bug("a bug")

    @dataclass(frozen=True)
    class Broken:
        value: Annotated[str, Parsed(broken)]

    for bug in (TypeError, KeyError):
        with pytest.raises(bug, match="a bug"):
            written(Broken, {"value": bug})
