"""Directed graphs of names, for pipelines and lineage: layers, cycles, reach.

Order is deterministic: by layer, then in the order in which the names were given.
"""

from collections import deque
from collections.abc import Iterable, Mapping

Graph = Mapping[str, list[str]]  # a name -> the names it leads to; every name is a key


def layers(graph: Graph) -> list[list[str]]:
    """Each layer needs only earlier ones.  Names on a cycle, or behind one, are in none."""
    incoming = dict.fromkeys(graph, 0)
    for targets in graph.values():
        for target in targets:
            incoming[target] += 1
    layer = [name for name in graph if incoming[name] == 0]
    found = []
    while layer:
        found.append(layer)
        following: set[str] = set()
        for name in layer:
            for target in graph[name]:
                incoming[target] -= 1
                if incoming[target] == 0:
                    following.add(target)
        layer = [name for name in graph if name in following]
    return found


def cycle(graph: Graph) -> list[str]:
    """One cycle, its first name repeated at the end; empty when there is none."""
    placed = {name for layer in layers(graph) for name in layer}
    left = {
        name: [t for t in graph[name] if t not in placed] for name in graph if name not in placed
    }
    if not left:
        return []
    backward = reverse(left)  # what is left has an edge coming in, so walking back never ends
    walk: list[str] = []
    at: dict[str, int] = {}
    name = next(iter(left))
    while name not in at:
        at[name] = len(walk)
        walk.append(name)
        name = backward[name][0]
    return [*reversed([*walk[at[name] :], name])]


def reach(graph: Graph, start: str) -> dict[str, int]:
    """Every name that can be reached from `start`, with the number of steps to it."""
    steps = {start: 0}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for target in graph[name]:
            if target not in steps:
                steps[target] = steps[name] + 1
                queue.append(target)
    del steps[start]
    return steps


def reverse(graph: Graph) -> dict[str, list[str]]:
    backward: dict[str, list[str]] = {name: [] for name in graph}
    for name, targets in graph.items():
        for target in targets:
            backward[target].append(name)
    return backward


def of_edges(edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Names in order of first appearance; a repeated edge counts once."""
    graph: dict[str, list[str]] = {}
    for source, target in edges:
        targets = graph.setdefault(source, [])
        graph.setdefault(target, [])
        if target not in targets:
            targets.append(target)
    return graph
