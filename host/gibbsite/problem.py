"""Problem documents: the typed, frozen form of a request, before it becomes an energy.

A document is what the formalizer writes and what an agent reads. Field names, their order and what
is left out are part of the format, so `Problem.document()` and `model_dump_json()` give back
exactly the JSON that was read: optional fields not given stay absent, whole numbers stay whole.

Only `schedule` exists in this version. A later kind is added in one place: its model class joins
`KINDS` and the `Problem` alias below it.

Units: every time is a number in the document's own `unit`, counted from the start of the plan (or
from midnight of the planning day where the text spoke of clock times).

Raises: `ProblemError` (a document that is malformed) and `ContradictionError` (well formed, but it
contradicts itself), both with one sentence that names the field, the value and the next step.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

import networkx as nx
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from gibbsite_hw.spec.errors import GibbsiteError

__all__ = [
    "KINDS",
    "LARGEST_TIME",
    "REASONS",
    "ContradictionError",
    "ErrorDocument",
    "Machine",
    "Objective",
    "Problem",
    "ProblemError",
    "Reason",
    "ScheduleProblem",
    "Task",
    "Unit",
    "parse_problem",
]

LARGEST_TIME: Final = 1_000_000_000
"""No time in a document is larger: every product with it stays exact in a double."""

LATER_KINDS: Final = ("allocate", "route", "optimize", "plan", "sample", "generate", "classic")
"""Kinds that the format knows and this version does not solve."""

Reason: TypeAlias = Literal[
    "missing_durations", "missing_capacity", "missing_sites", "contradiction", "not_understood"
]
REASONS: Final[tuple[Reason, ...]] = (
    "missing_durations",
    "missing_capacity",
    "missing_sites",
    "contradiction",
    "not_understood",
)
Unit: TypeAlias = Literal["hour", "minute", "day"]
Objective: TypeAlias = Literal["makespan", "total_completion", "total_tardiness"]


class ErrorDocument(BaseModel):
    """The document of a refused request: `{"kind": "error", "reason": ...}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["error"] = "error"
    reason: Reason


class ProblemError(GibbsiteError):
    """A malformed problem document; the sentence names field, value and next step."""

    reason: Reason = "not_understood"

    def document(self) -> ErrorDocument:
        """The error document that a command prints for this refusal."""
        return ErrorDocument(reason=self.reason)


class ContradictionError(ProblemError):
    """A well-formed document that contradicts itself: a cycle, or a deadline before its release.

    `tasks` are the ids of the tasks that contradict each other, in the order of the sentence.
    """

    reason: Reason = "contradiction"

    def __init__(self, message: str, tasks: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.tasks = tasks


def _checked_number(value: float) -> float:
    """Refuse what is not finite or too large, and write whole numbers as integers."""
    if not math.isfinite(value) or abs(value) > LARGEST_TIME:
        raise PydanticCustomError(
            "number", "a time is finite and at most {limit}", {"limit": LARGEST_TIME}
        )
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _checked_duration(
    value: float | tuple[float, float],
) -> float | tuple[float, float]:
    ends = value if isinstance(value, tuple) else (value,)
    if min(ends) <= 0:
        raise PydanticCustomError("duration", "a duration is larger than 0")
    if ends[0] > ends[-1]:
        raise PydanticCustomError("range", "a range starts at its smaller end")
    return value


def _checked_moment(value: float) -> float:
    if value < 0:
        raise PydanticCustomError("moment", "a time is not before the start of the plan, 0")
    return value


def _checked_window(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise PydanticCustomError("window", "a window ends after it starts")
    return value


Number: TypeAlias = Annotated[StrictInt | StrictFloat, AfterValidator(_checked_number)]
Moment: TypeAlias = Annotated[Number, AfterValidator(_checked_moment)]
Duration: TypeAlias = Annotated[Number | tuple[Number, Number], AfterValidator(_checked_duration)]
Window: TypeAlias = Annotated[tuple[Moment, Moment], AfterValidator(_checked_window)]
Id: TypeAlias = Annotated[StrictStr, Field(min_length=1)]


class _Document(BaseModel):
    """Frozen, closed to unknown fields, and dumped without the fields that were not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        return {name: value for name, value in fields.items() if value is not None}

    def document(self) -> dict[str, Any]:
        """The document as JSON values (dicts, lists, strings, numbers)."""
        return self.model_dump(mode="json")


class Task(_Document):
    """One task: how long it takes, and what limits when and where it may run."""

    id: Id
    duration: Duration
    release: Moment | None = None
    deadline: Moment | None = None
    after: Annotated[tuple[Id, ...], Field(min_length=1)] | None = None
    machines: Annotated[tuple[Id, ...], Field(min_length=1)] | None = None

    @property
    def shortest(self) -> int | float:
        """The duration, or the lower end of its range."""
        return self.duration[0] if isinstance(self.duration, tuple) else self.duration

    @property
    def longest(self) -> int | float:
        """The duration, or the upper end of its range (what plans hold for by default)."""
        return self.duration[1] if isinstance(self.duration, tuple) else self.duration


class Machine(_Document):
    """One machine; without `windows` it is always available, else a task lies inside one window."""

    id: Id
    windows: Annotated[tuple[Window, ...], Field(min_length=1)] | None = None


class ScheduleProblem(_Document):
    """Tasks on machines that each do one thing at a time, with one of three objectives."""

    kind: Literal["schedule"] = "schedule"
    unit: Unit
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    machines: Annotated[tuple[Machine, ...], Field(min_length=1)]
    objective: Objective

    @model_validator(mode="after")
    def _consistent(self) -> ScheduleProblem:
        _refuse_repeated("tasks", [task.id for task in self.tasks])
        _refuse_repeated("machines", [machine.id for machine in self.machines])
        task_ids = {task.id for task in self.tasks}
        machine_ids = {machine.id for machine in self.machines}
        for task in self.tasks:
            place = f"task {task.id!r}"
            _refuse_unknown(f"{place}: after", task.after or (), task_ids, "tasks")
            _refuse_unknown(f"{place}: machines", task.machines or (), machine_ids, "machines")
            if (
                task.release is not None
                and task.deadline is not None
                and task.deadline < task.release
            ):
                raise PydanticCustomError(
                    "contradiction",
                    "task {id}: its deadline {deadline} is before its release {release}; "
                    "a deadline must not be earlier, so correct one of the two",
                    {
                        "id": repr(task.id),
                        "deadline": task.deadline,
                        "release": task.release,
                        "tasks": (task.id,),
                    },
                )
        _refuse_cycle(self.tasks)
        return self


Problem: TypeAlias = ScheduleProblem
KINDS: Final[Mapping[str, type[Problem]]] = {"schedule": ScheduleProblem}


def parse_problem(source: str | bytes | Mapping[str, Any]) -> Problem:
    """Read one problem document from JSON text or from the values JSON would give.

    Raises: `ProblemError` when the JSON, the kind or a field is wrong; `ContradictionError` when
    the fields are right and contradict each other.
    """
    values = _json_values(source)
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        known = ", ".join(KINDS)
        if kind in LATER_KINDS:
            raise ProblemError(
                f"kind: problems of kind {kind!r} are for a later version, this one solves "
                f"{known}; give a document of kind {known}"
            )
        raise ProblemError(
            f"kind: a problem document is of kind {known}, found {_shown(kind)}; "
            f'write "kind": "{next(iter(KINDS))}"'
        )
    try:
        return KINDS[kind].model_validate(values)
    except ValidationError as error:
        raise _translated(error.errors()) from None


def _json_values(source: str | bytes | Mapping[str, Any]) -> dict[str, Any]:
    try:
        # A mapping takes the same way as text, so that both are held to what JSON can say.
        text = source if isinstance(source, str | bytes) else json.dumps(source)
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ProblemError(
            f"a problem document is JSON, and this text is not: {error.msg} at line "
            f"{error.lineno}, column {error.colno}; correct it there"
        ) from None
    except (TypeError, ValueError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(
            f"a problem document holds JSON values only, and this one does not: {error}; "
            "use numbers, strings, lists and objects"
        ) from None
    if not isinstance(values, dict):
        raise ProblemError(
            f"a problem document is one JSON object, found {_shown(values)}; "
            'start it with {"kind": "schedule", ...}'
        )
    return values


def _refuse_repeated(field: str, ids: list[str]) -> None:
    name, times = Counter(ids).most_common(1)[0]
    if times > 1:
        raise PydanticCustomError(
            "semantic",
            "{field}: an id stands for one thing, found {name} {times} times; rename the others",
            {"field": field, "name": repr(name), "times": times},
        )


def _refuse_unknown(place: str, ids: tuple[str, ...], known: set[str], field: str) -> None:
    for name, times in Counter(ids).items():
        if name not in known:
            raise PydanticCustomError(
                "semantic",
                "{place} names {name}, none of the {field}; add it there or remove it here",
                {"place": place, "name": repr(name), "field": field},
            )
        if times > 1:
            raise PydanticCustomError(
                "semantic",
                "{place} names each id once, found {name} {times} times; remove the repetition",
                {"place": place, "name": repr(name), "times": times},
            )


def _refuse_cycle(tasks: tuple[Task, ...]) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((before, task.id) for task in tasks for before in task.after or ())
    if nx.is_directed_acyclic_graph(graph):
        return
    edges = nx.find_cycle(graph)
    ids = (edges[0][0], *(edge[1] for edge in edges))
    path = " -> ".join(ids)
    raise PydanticCustomError(
        "contradiction",
        "precedences must not form a cycle, found {path}; remove one of these arrows",
        {"path": path, "tasks": ids},
    )


def _translated(errors: list[ErrorDetails]) -> ProblemError:
    """One sentence for the first error of pydantic: field, value found, next step."""
    first = next((error for error in errors if error["type"] == "contradiction"), errors[0])
    if first["type"] == "contradiction":
        return ContradictionError(first["msg"], first["ctx"]["tasks"])
    if first["type"] == "semantic":
        return ProblemError(first["msg"])
    place = _place(first["loc"])
    value = _shown(first["input"])
    match first["type"]:
        case "missing":
            return ProblemError(f"{place}: this field must be given and is missing; add it")
        case "extra_forbidden":
            return ProblemError(f"{place}: no such field in a problem document; remove it")
        case "literal_error":
            expected = first["ctx"]["expected"]
            return ProblemError(f"{place}: must be {expected}, found {value}; use one of these")
        case "too_short" | "string_too_short":
            return ProblemError(
                f"{place}: must not be empty, found {value}; fill it"
                + ("" if place in ("tasks", "machines") else ", or leave the field out")
            )
        case "number" | "duration" | "range" | "moment" | "window":
            return ProblemError(f"{place}: {first['msg']}, found {value}; correct it")
    if "duration" in place:
        return ProblemError(
            f"{place}: a duration is a number or [lowest, highest], found {value}; write e.g. 2"
        )
    wanted = first["msg"].removeprefix("Input should be ").replace("valid tuple", "list")
    return ProblemError(f"{place}: must be {wanted}, found {value}; correct its type")


def _place(location: tuple[int | str, ...]) -> str:
    """A location as `tasks[2].duration`; pydantic's names for union branches are left out."""
    text = ""
    names = {*ScheduleProblem.model_fields, *Task.model_fields, *Machine.model_fields}
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step in names or (step == location[-1] and not _is_branch(step)):
            text += f".{step}" if text else step
    return text or "document"


def _is_branch(step: str) -> bool:
    return any(mark in step for mark in ("[", "(")) or step in ("int", "float", "function-after")


def _shown(value: object) -> str:
    """A value as JSON, cut to what fits into a sentence."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."
