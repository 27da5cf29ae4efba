"""Random structured processes: a tree of blocks, and the BPMN that draws it."""
from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import count, pairwise

NS = 'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1"'
FACTS = ("x0", "x1", "x2", "x3")
RACERS = ("message", "timer", "signal")


@dataclass
class Block:
    """One structured piece. ``kind``: task, count, seq, xor, and, or, loop, bound, race, sub, call, many, vote; ``by``: what a boundary waits for, or the
    rule of a vote."""

    kind: str
    id: str
    children: list[Block] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    interrupting: bool = True
    sequential: bool = False
    times: int = 0
    enough: int | None = None
    fact: str = ""
    by: str = "message"


@dataclass
class Weights:
    """How often each kind of block is drawn."""

    xor: int = 3
    parallel: int = 3
    inclusive: int = 3
    loop: int = 2
    bound: int = 2
    race: int = 1
    sub: int = 1
    call: int = 1
    many: int = 1
    vote: int = 1


class Generator:
    """Makes a random process from a seed."""

    def __init__(self, seed: int, weights: Weights | None = None) -> None:
        self.random = random.Random(seed)
        self.weights = weights or Weights()
        self.numbers = count(1)

    def process(self) -> Block:
        return self.sequence(depth=3, most=4)

    def sequence(self, *, depth: int, most: int = 3, plain: bool = False) -> Block:
        size = self.random.randint(1, most)
        return Block("seq", self.name("seq"), [self.block(depth=depth, plain=plain) for _ in range(size)])

    def name(self, kind: str) -> str:
        return f"{kind}{next(self.numbers)}"

    def block(self, *, depth: int, plain: bool = False) -> Block:
        """``plain`` blocks stand in the way of a non-interrupting event, where several runs must stay alike: no concurrency in them."""
        w = self.weights
        kinds = {"task": 6, "count": 1}
        if depth > 0:
            kinds |= {"xor": w.xor, "loop": w.loop, "race": w.race}
            if not plain:
                kinds |= {"and": w.parallel, "or": w.inclusive, "bound": w.bound, "sub": w.sub, "call": w.call, "many": w.many, "vote": w.vote}
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        return getattr(self, "make_" + kind)(depth - 1, plain)

    def make_task(self, depth: int, plain: bool) -> Block:
        return Block("task", self.name("t"))

    def make_count(self, depth: int, plain: bool) -> Block:
        name = self.name("c")
        return Block("count", name, fact=f"n_{name}")

    def make_xor(self, depth: int, plain: bool) -> Block:
        return self._branches("xor", depth, plain)

    def make_and(self, depth: int, plain: bool) -> Block:
        return self._branches("and", depth, plain)

    def make_or(self, depth: int, plain: bool) -> Block:
        return self._branches("or", depth, plain)

    def _branches(self, kind: str, depth: int, plain: bool) -> Block:
        size = self.random.randint(2, 3)
        children = [self.sequence(depth=depth, most=2, plain=plain) for _ in range(size)]
        return Block(kind, self.name(kind), children, [self.random.choice(FACTS) for _ in range(size - 1)])

    def make_loop(self, depth: int, plain: bool) -> Block:
        body = Block("seq", self.name("seq"), [self.make_task(0, plain), self.sequence(depth=depth, most=2, plain=plain)])
        return Block("loop", self.name("loop"), [body], [self.random.choice(FACTS)])

    def make_bound(self, depth: int, plain: bool) -> Block:
        host = self.make_task(0, plain) if self.random.random() < 0.5 else self.make_sub(depth, plain)
        interrupting = self.random.random() < 0.6
        handler = self.sequence(depth=depth, most=2, plain=not interrupting)
        by = self.random.choice(["message", "message", "timer", "cycle", "signal"])
        return Block("bound", self.name("b"), [host, handler], interrupting=interrupting, by=by)

    def make_race(self, depth: int, plain: bool) -> Block:
        children = [self.sequence(depth=depth, most=1, plain=plain) for _ in range(3)]
        return Block("race", self.name("r"), children)

    def make_sub(self, depth: int, plain: bool) -> Block:
        return Block("sub", self.name("sub"), [self.sequence(depth=depth, most=2, plain=plain)])

    def make_call(self, depth: int, plain: bool) -> Block:
        return Block("call", self.name("call"), [self.sequence(depth=depth, most=2)])

    def make_many(self, depth: int, plain: bool) -> Block:
        body = self.make_task(0, True) if self.random.random() < 0.6 else Block("sub", self.name("sub"), [self.sequence(depth=min(depth, 1), most=2, plain=True)])
        times = self.random.randint(0, 4)
        enough = self.random.choice([None, None, 1, 2])
        return Block("many", self.name("m"), [body], times=times, enough=enough, sequential=self.random.random() < 0.5)


    def make_vote(self, depth: int, plain: bool) -> Block:
        rule, people = self.random.choice(["all", "sequential", "veto", "ratio", "count"]), self.random.randint(1, 4)
        return Block("vote", self.name("v"), times=people, by=rule, enough=self.random.randint(1, people))


class Drawing:
    """Turns blocks into BPMN; ``calls`` collects the XML of called processes by name."""

    def __init__(self) -> None:
        self.calls: dict[str, bytes] = {}
        self.messages: list[str] = []

    def process(self, name: str, block: Block) -> bytes:
        body = self.body(name, block)
        facts = "".join(f'<gc:fact name="{fact}"/>' for fact in FACTS)
        messages = "".join(f'<message id="msg_{m}" name="{m}"/>' for m in self.messages)
        return (
            f'<definitions {NS}>{messages}<signal id="sig" name="alarm"/><process id="{name}" isExecutable="true"><extensionElements>{facts}</extensionElements>{body}</process></definitions>'
        ).encode()

    def body(self, name: str, block: Block) -> str:
        text, first, last = self.draw(block)
        return f'<startEvent id="s_{name}"/>{flow(f"s_{name}", first)}{text}{flow(last, f"e_{name}")}<endEvent id="e_{name}"/>'

    def draw(self, block: Block) -> tuple[str, str, str]:
        """(XML, id of the first node, id of the last node)."""
        return getattr(self, "draw_" + block.kind)(block)

    def draw_task(self, block: Block, inside: str = "") -> tuple[str, str, str]:
        return f'<userTask id="{block.id}" gc:role="r">{inside}</userTask>', block.id, block.id

    def draw_count(self, block: Block) -> tuple[str, str, str]:
        value = f"if {block.fact} = null then 1 else {block.fact} + 1"
        text = f'<scriptTask id="{block.id}"><extensionElements><gc:set fact="{block.fact}" value="{value}"/></extensionElements></scriptTask>'
        return text, block.id, block.id

    def draw_vote(self, block: Block) -> tuple[str, str, str]:
        people = ", ".join(f"&quot;p{number}&quot;" for number in range(1, block.times + 1))
        threshold = f' threshold="{block.enough}"' if block.by == "count" else ""
        rule = f'<gc:countersign mode="{block.by}" people="[{people}]"{threshold} prefix="{block.id}_"/>'
        text = f'<userTask id="{block.id}" gc:role="r"><extensionElements>{rule}</extensionElements></userTask>'
        fact, count = f"n_{block.id}", f"{block.id}_count"
        value = f"(if {fact} = null then 0 else {fact}) + (if {block.id}_agreed then 1 else 0)"
        text += f'<scriptTask id="{count}"><extensionElements><gc:set fact="{fact}" value="{value}"/></extensionElements></scriptTask>'
        return text + flow(block.id, count), block.id, count

    def draw_seq(self, block: Block) -> tuple[str, str, str]:
        parts = [self.draw(child) for child in block.children]
        text = "".join(part[0] for part in parts)
        text += "".join(flow(left[2], right[1]) for left, right in pairwise(parts))
        return text, parts[0][1], parts[-1][2]

    def draw_xor(self, block: Block) -> tuple[str, str, str]:
        return self._split(block, "exclusiveGateway", conditional=True)

    def draw_or(self, block: Block) -> tuple[str, str, str]:
        return self._split(block, "inclusiveGateway", conditional=True)

    def draw_and(self, block: Block) -> tuple[str, str, str]:
        return self._split(block, "parallelGateway", conditional=False)

    def _split(self, block: Block, tag: str, *, conditional: bool) -> tuple[str, str, str]:
        split, join = f"{block.id}_split", f"{block.id}_join"
        last = len(block.children) - 1
        default = f' default="f_{split}_{last}"' if conditional else ""
        text = f'<{tag} id="{split}"{default}/><{tag} id="{join}"/>'
        for number, child in enumerate(block.children):
            inner, first, end = self.draw(child)
            condition = f"{block.facts[number]} = {number}" if conditional and number < last else ""
            text += inner + flow(split, first, f"f_{split}_{number}", condition) + flow(end, join, f"f_{join}_{number}")
        return text, split, join

    def draw_loop(self, block: Block) -> tuple[str, str, str]:
        enter, leave = f"{block.id}_in", f"{block.id}_out"
        inner, first, end = self.draw(block.children[0])
        text = f'<exclusiveGateway id="{enter}"/>{flow(enter, first)}{inner}{flow(end, leave)}'
        text += f'<exclusiveGateway id="{leave}" default="f_{leave}_on"/><exclusiveGateway id="{leave}_after"/>'
        text += flow(leave, enter, f"f_{leave}_again", f"{block.facts[0]} = 0") + flow(leave, f"{leave}_after", f"f_{leave}_on")
        return text, enter, f"{leave}_after"

    def draw_bound(self, block: Block) -> tuple[str, str, str]:
        host, handler = block.children
        text, first, last = self.draw(host)
        inner, inner_first, inner_last = self.draw(handler)
        definition = self._definition(block.id, block.by)
        cancel = "" if block.interrupting else ' cancelActivity="false"'
        text += f'<boundaryEvent id="{block.id}" attachedToRef="{host.id}"{cancel}>{definition}</boundaryEvent>'
        text += inner + flow(block.id, inner_first)
        if not block.interrupting:
            return text + flow(inner_last, f"e_{block.id}") + f'<endEvent id="e_{block.id}"/>', first, last
        merge = f"{block.id}_merge"
        text += f'<exclusiveGateway id="{merge}"/>' + flow(last, merge, f"f_{merge}_1") + flow(inner_last, merge, f"f_{merge}_2")
        return text, first, merge

    def _definition(self, name: str, by: str) -> str:
        if by == "message":
            self.messages.append(name)
            return f'<messageEventDefinition messageRef="msg_{name}"/>'
        if by == "signal":
            return '<signalEventDefinition signalRef="sig"/>'
        inner = "<timeCycle>R2/P1D</timeCycle>" if by == "cycle" else "<timeDuration>P1D</timeDuration>"
        return f"<timerEventDefinition>{inner}</timerEventDefinition>"

    def draw_race(self, block: Block) -> tuple[str, str, str]:
        merge = f"{block.id}_merge"
        text = f'<eventBasedGateway id="{block.id}"/><exclusiveGateway id="{merge}"/>'
        for number, (child, by) in enumerate(zip(block.children, RACERS, strict=True)):
            event = f"{block.id}_{by}"
            inner, first, end = self.draw(child)
            text += f'<intermediateCatchEvent id="{event}">{self._definition(event, by)}</intermediateCatchEvent>'
            text += inner + flow(block.id, event) + flow(event, first) + flow(end, merge, f"f_{merge}_{number}")
        return text, block.id, merge

    def draw_sub(self, block: Block, inside: str = "") -> tuple[str, str, str]:
        return f'<subProcess id="{block.id}">{inside}{self.body(block.id, block.children[0])}</subProcess>', block.id, block.id

    def draw_call(self, block: Block) -> tuple[str, str, str]:
        own = Drawing()
        self.calls[block.id] = own.process(block.id, block.children[0])
        self.calls.update(own.calls)
        return f'<callActivity id="{block.id}" calledElement="{block.id}"/>', block.id, block.id

    def draw_many(self, block: Block) -> tuple[str, str, str]:
        sequential = ' isSequential="true"' if block.sequential else ""
        enough = f"<completionCondition>completed &gt;= {block.enough}</completionCondition>" if block.enough else ""
        inside = f"<multiInstanceLoopCharacteristics{sequential}><loopCardinality>{block.times}</loopCardinality>{enough}</multiInstanceLoopCharacteristics>"
        body = block.children[0]
        return self.draw_task(body, inside) if body.kind == "task" else self.draw_sub(body, inside)


def flow(source: str, target: str, identifier: str = "", condition: str = "") -> str:
    """A sequence flow."""
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{identifier or f"f_{source}_{target}"}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
