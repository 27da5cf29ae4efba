"""The direct return on the simulator's side: which targets are legal, and what a return does, told from the blocks alone."""
from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.engine.runtime.bpmn.random_blocks import Block
from tests.engine.runtime.bpmn.simulator import BoundRun, BranchRun, LoopRun, Place, RaceRun, Run, Scope, SeqRun, make

Way = list[tuple[Block, int]]


def way_to(block: Block, identifier: str) -> Way | None:
    """(block, number of the child) from ``block`` down to the task, or None; called processes are processes of their own."""
    if block.id == identifier:
        return []
    for number, child in enumerate(block.children if block.kind != "call" else []):
        below_it = way_to(child, identifier)
        if below_it is not None:
            return [(block, number), *below_it]
    return None


def levels(way: Way) -> list[Way]:
    """A way cut where it enters a body."""
    cut: list[Way] = [[]]
    for step in way:
        if step[0].kind == "sub":
            cut.append([])
        else:
            cut[-1].append(step)
    return cut


def entered(way: Way) -> list[str]:
    """The bodies that a way enters."""
    return [block.id for block, _ in way if block.kind == "sub"]


def is_handler(block: Block, number: int) -> bool:
    return block.kind == "bound" and not block.interrupting and number == 1


def concurrent(way: Way) -> list[tuple[str, int]]:
    """The concurrent branches that a way enters."""
    return [(block.id, number) for block, number in way if block.kind in ("and", "or") or is_handler(block, number)]


def legal_targets(process: Block, here: str) -> set[str]:
    """The tasks of a process that a return from ``here`` may go to."""
    return {target for target in tasks_of(process) if target != here and _legal(process, here, target)}


def tasks_of(block: Block) -> set[str]:
    """Every task of a process."""
    if block.kind in ("task", "vote"):
        return {block.id}
    return set().union(*(tasks_of(child) for child in block.children)) if block.kind != "call" else set()


def _legal(process: Block, here: str, target: str) -> bool:
    there, own = way_to(process, target), way_to(process, here)
    if there is None or own is None or entered(there) != entered(own)[: len(entered(there))]:
        return False
    depth = len(entered(there))
    there_here, own_here = levels(there)[depth], levels(own)[depth]
    outer, inner = concurrent(there_here), concurrent(own_here)
    leaves_a_handler = any(is_handler(block, number) and (block.id, number) not in outer for block, number in own_here)
    return all(branch in inner for branch in outer) and not (leaves_a_handler and outer) and _before(there_here, own_here)


def _before(there: Way, own: Way) -> bool:
    """True when a token at ``there`` can come to ``own``."""
    shared = 0
    while shared < min(len(there), len(own)) and there[shared] == own[shared]:
        shared += 1
    ending = max((place + 1 for place, (block, number) in enumerate(there) if is_handler(block, number)), default=0)
    if any(block.kind == "loop" for block, _ in there[ending:shared]):
        return True
    if shared in (len(there), len(own)):
        return False
    block, number = there[shared]
    if block.kind == "seq":
        return number < own[shared][1]
    return block.kind == "bound" and number == 0 and own[shared][1] == 1


def chain_to(run: Run, wanted: Run) -> list[Run] | None:
    """The runs from ``run`` down to ``wanted``."""
    if run is wanted:
        return [run]
    for inner in run.inner():
        if not inner.gone:
            chain = chain_to(inner, wanted)
            if chain is not None:
                return [run, *chain]
    return None


def bring_back(process: Scope, chain: list[Run], target: str) -> None:
    """Return from the run at the end of ``chain`` (which begins with ``process``) to ``target``."""
    whole = way_to(process.block, target)
    assert whole is not None
    depth = len(entered(whole))
    scope = [run for run in chain if isinstance(run, Scope)][depth]
    way = levels(whole)[depth]
    inside = [number for number, (block, index) in enumerate(way) if block.kind in ("and", "or") or is_handler(block, index)]
    if not inside:
        fresh, go = placed(scope.block, way, scope.place, scope._one_over)
        scope.replace(list(scope.runs), fresh)
        go()
        return
    block, number = way[inside[-1]]
    rest = way[inside[-1] + 1:]
    if block.kind == "bound":
        mine = chain[chain.index(scope) + 1]
        fresh, go = placed(block.children[1], rest, mine.place, scope._one_over)
        scope.replace([mine], fresh)
        go()
        return
    branch = next(run for run in everything(scope) if isinstance(run, BranchRun) and run.block is block and not run.gone)
    _replace_branch(scope, branch, block.children[number], rest)


def _replace_branch(scope: Scope, branch: BranchRun, child: Block, rest: Way) -> None:
    for run in [*branch.runs, *scope.runs]:
        stray = run in scope.runs and run.block is not scope.block and contains(child, run.block)
        if run.block is child or stray:
            run.gone = True
    scope.runs = [run for run in scope.runs if not run.gone]
    scope.left = len(scope.runs)
    branch.runs = [run for run in branch.runs if run.block is not child]
    fresh, go = placed(child, rest, branch.place, branch._one_over)
    branch.runs.append(fresh)
    go()


def contains(block: Block, wanted: Block) -> bool:
    """True when ``wanted`` stands somewhere in ``block``."""
    return block is wanted or any(contains(child, wanted) for child in block.children)


def everything(scope: Run) -> Iterator[Run]:
    """Every run in a body, not looking into bodies inside."""
    for run in scope.inner():
        yield run
        if not isinstance(run, Scope):
            yield from everything(run)


def placed(block: Block, way: Way, place: Place, over: Callable[[], None]) -> tuple[Run, Callable[[], None]]:
    """A run of ``block`` that stands at the end of ``way``, and what starts it once it hangs in its place."""
    run = make(block, place, over)
    if not way or block.kind == "many":
        return run, run.start
    number, rest = way[0][1], way[1:]
    child = block.children[number]
    if isinstance(run, SeqRun):
        run.position = number
        run.current, go = placed(child, rest, place, run.start)
    elif isinstance(run, BranchRun):
        run.left = 1
        inner, go = placed(child, rest, place, run._one_over)
        run.runs = [inner]
    elif isinstance(run, LoopRun):
        run.current, go = placed(child, rest, place, run._round_over)
    elif isinstance(run, RaceRun):
        run.current, go = placed(child, rest, place, run._done)
    elif isinstance(run, BoundRun) and number == 1:
        run.times = 0
        run.host = make(block.children[0], place, run._done)
        run.host.gone = True
        run.handler, go = placed(child, rest, place, run._done)
    else:
        return run, run.start
    return run, go
