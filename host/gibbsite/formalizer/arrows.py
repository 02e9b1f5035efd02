"""Arrows: chains such as "A -> B -> C", each line a chain of its own."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from gibbsite.formalizer.facts import add_predecessors
from gibbsite.formalizer.mentions import Item
from gibbsite.formalizer.names import number_label
from gibbsite.formalizer.scene import Entity, Scene

__all__ = ["read_arrows"]

_CLAUSE: Final = ("after", "before", "needs", "follows", "precedes", "until", "only", "not", "on")


def read_arrows(items: list[Item], scene: Scene) -> list[Item]:
    """Read chains of arrows; gives back the items that are not part of them."""
    rest: list[Item] = []
    groups: list[list[Entity]] = [[]]
    joined: list[bool] = []
    end = 0
    linked = False
    for position, item in enumerate(items):
        entity = _task_of(item, scene)
        if entity:
            chained = position + 1 < len(items) and _next_is_arrow(items, position + 1)
            if not linked and not chained and not groups[-1] and not joined:
                rest.append(item)
                continue
            if groups[-1] and not linked and joined and chained and len(groups[-1]) == 1:
                groups, joined = _closed(groups, joined)
            elif (
                groups[-1]
                and not linked
                and joined
                and not chained
                and _clause_follows(items, position)
            ):
                end = position
                break
            groups[-1].extend(entity)
            item.lexeme.used = True
            linked = False
        elif item.kind == "lexeme" and item.lexeme.kind == "arrow":
            groups.append([])
            joined.append(True)
            linked = True
        elif item.kind == "lexeme" and item.lexeme.is_time and item.lexeme.used:
            continue
        elif item.is_mark(",;&+/(){}[]:") or item.has("and", "then", "filler", "task", "task_weak"):
            if item.is_mark(":") and not joined:
                rest.append(item)
        elif joined and not linked:
            end = position
            break
        elif not joined:
            rest.append(item)
        end = position + 1
    _closed(groups, joined)
    return rest + items[end:]


def _next_is_arrow(items: list[Item], at: int) -> bool:
    while at < len(items):
        item = items[at]
        if item.kind == "lexeme" and item.lexeme.kind == "arrow":
            return True
        passed = item.is_mark("(),&+/)]}") or item.has("and") or item.kind == "task"
        passed = passed or (item.kind == "lexeme" and item.lexeme.is_time and item.lexeme.used)
        if not passed:
            return False
        if (item.is_mark(",") or item.has("and")) and at + 1 < len(items):
            following = items[at + 1]
            if following.kind != "task":
                return False
        at += 1
    return False


def _clause_follows(items: list[Item], at: int) -> bool:
    return any(item.has(*_CLAUSE) for item in items[at + 1 : at + 4])


def _task_of(item: Item, scene: Scene) -> list[Entity]:
    if item.kind == "task" and not item.every:
        return item.things
    if item.kind == "lexeme":
        label = number_label(item.lexeme)
        thing = scene.named("task", label) if label else None
        return [thing] if thing else []
    return []


def _closed(
    groups: list[list[Entity]], joined: list[bool]
) -> tuple[list[list[Entity]], list[bool]]:
    """Write down a chain; the last group may open the next one."""
    for before, after in pairwise(groups):
        if before and after:
            for task in after:
                add_predecessors(task, before)
    del joined[:]
    return [[]], []
