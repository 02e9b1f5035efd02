"""Tasks with their windows, precedence and demands, refused where no schedule can exist.

``earliest`` is the longest path of releases and durations into a task, ``latest`` that back from
deadlines and the horizon; ``precedes[i, j]`` says that a path of precedence leads from i to j.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import amounts, instances, name_pairs, number
from gibbsite_models.energies.potential import Array

__all__ = ["Task", "TaskSet", "closure"]


@dataclass(frozen=True, slots=True)
class Task:
    """A task: what it occupies (one machine, amounts of resources) and when it may run.

    Raises: ProgramError for names that are no strings, what is no finite number, durations and
    demands below 0. Whether it fits into its window is `TaskSet`'s to say.
    """

    name: str
    duration: float
    machine: str | None = None
    release: float = 0.0
    deadline: float | None = None
    preference: float | None = None
    demand: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for what, name in (("name", self.name), ("machine", self.machine or "")):
            if not isinstance(name, str):
                raise ProgramError(
                    f"the {what} of a task must be a string and is {name!r:.80}; give one"
                )
        number(f"the duration of {self.name!r}", self.duration, least=0)
        for what in ("release", "deadline", "preference"):
            value = getattr(self, what)
            if what == "release" or value is not None:
                number(f"the {what} of {self.name!r}", value)
        amounts(f"what {self.name!r} demands", self.demand, least=0)


class TaskSet:
    """Tasks, pairs (before, after), capacities of resources, and a horizon that holds every plan.

    Raises: ProgramError for unknown or repeated names, demands beyond capacity, circular
    precedence, windows that are too short for a task, and machines with more work than time.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        precedence: Sequence[tuple[str, str]] = (),
        capacity: Mapping[str, float] = MappingProxyType({}),
        horizon: float | None = None,
    ) -> None:
        self.tasks = tasks = instances("tasks", tasks, Task, least=1)
        self.capacity = amounts("the capacity", capacity, above=0)
        self.names = [task.name for task in tasks]
        self.place = {name: i for i, name in enumerate(self.names)}
        if len(self.place) != len(tasks):
            raise ProgramError(
                f"a schedule needs tasks of different names, at least 1, and has {self.names}"
            )
        self.precedence = name_pairs("precedence", precedence)
        for pair in self.precedence:
            for name in pair:
                if name not in self.place:
                    raise ProgramError(f"precedence {pair} names {name!r}, which is no task")
        self._require_capacity()
        self.duration = np.array([task.duration for task in tasks], dtype=np.float64)
        if horizon is None:
            # serial execution after the last release, or until the last deadline if later
            ends = [task.deadline for task in tasks if task.deadline is not None]
            serial = max(task.release for task in tasks) + float(self.duration.sum())
            horizon = max([serial, *ends])
        self.horizon = number("the horizon", horizon, above=0)
        direct = np.zeros((len(tasks), len(tasks)), dtype=bool)
        for before, after in self.precedence:
            direct[self.place[before], self.place[after]] = True
        self.precedes = closure(direct)
        if np.diag(self.precedes).any():
            at = [self.names[i] for i in np.flatnonzero(np.diag(self.precedes))]
            raise ProgramError(f"precedence must not be circular and is, through {', '.join(at)}")
        self.earliest, self.latest = self._windows()

    def demand(self, resource: str) -> Array:
        """What every task takes of a resource."""
        return np.array([task.demand.get(resource, 0.0) for task in self.tasks])

    def _require_capacity(self) -> None:
        for task in self.tasks:
            for resource, amount in task.demand.items():
                if resource not in self.capacity:
                    raise ProgramError(
                        f"task {task.name!r} asks for {resource!r}, which is no resource; give its "
                        f"capacity"
                    )
                if amount > self.capacity[resource]:
                    raise ProgramError(
                        f"task {task.name!r} asks for {amount:g} of {resource!r}, which has "
                        f"{self.capacity[resource]:g}; lower the demand or raise the capacity"
                    )

    def _windows(self) -> tuple[Array, Array]:
        earliest = np.array([task.release for task in self.tasks], dtype=np.float64)
        ends = [self.horizon if t.deadline is None else t.deadline for t in self.tasks]
        latest = np.minimum(ends, self.horizon) - self.duration
        # a path is never longer than the tasks are many
        for _ in self.tasks:
            for before, after in self.precedence:
                i, j = self.place[before], self.place[after]
                earliest[j] = max(earliest[j], earliest[i] + self.duration[i])
                latest[i] = min(latest[i], latest[j] - self.duration[i])
        short = np.flatnonzero(earliest > latest + 1e-9 * self.horizon)
        if short.size:
            i = int(short[0])
            task = self.tasks[i]
            if task.deadline is not None and task.release + task.duration > task.deadline:
                raise ProgramError(
                    f"task {task.name!r} has release {task.release:g} and duration "
                    f"{task.duration:g}, and must end by its deadline {task.deadline:g}; give a "
                    "later deadline or a shorter duration"
                )
            raise ProgramError(
                f"task {self.names[i]!r} cannot start before {earliest[i]:g} and must start by "
                f"{latest[i]:g}; widen its window or that of tasks before or after it"
            )
        for machine in {task.machine for task in self.tasks} - {None}:
            on = [i for i, task in enumerate(self.tasks) if task.machine == machine]
            room = float((latest + self.duration)[on].max() - earliest[on].min())
            work = float(self.duration[on].sum())
            if work > room + 1e-9 * self.horizon:
                raise ProgramError(
                    f"machine {machine!r} has {work:g} of work and {room:g} of time; widen windows "
                    f"or move a task"
                )
        return earliest, latest


def closure(direct: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The transitive closure of a relation ``[n, n]``."""
    result = direct.copy()
    for k in range(len(result)):
        result |= np.outer(result[:, k], result[k])
    return result
