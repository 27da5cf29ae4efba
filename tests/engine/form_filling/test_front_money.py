"""The page and the server write one amount in one way."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from random import Random

from engine.form_filling.money import capital, grouped

MODULE = Path(__file__).resolve().parents[3] / "engine" / "web" / "front" / "form" / "money.js"
SCRIPT = """
const { capital, centsOf, grouped } = await import(process.argv[1]);
const amounts = JSON.parse(await new Promise((done) => { let text = ""; process.stdin.on("data", (part) => { text += part; }).on("end", () => done(text)); }));
console.log(JSON.stringify(amounts.map((amount) => { const cents = centsOf(amount); return [capital(cents), grouped(cents)]; })));
"""


def test_both_write_capital_words_and_thousands_alike() -> None:
    random = Random(20261120)
    sizes = [random.choice((1, 100, 10_000, 10**6, 10**9, 10**13)) for _ in range(300)]
    amounts = [Decimal(random.randrange(size * 100) // random.choice((1, 1, 100)) * random.choice((1, 10, 1000))) / 100 for size in sizes]
    amounts += [Decimal(text) for text in ("0", "-3.2", "1000500000000", "100010000", "9999999999999999.99", "325.04")]
    answer = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT, MODULE.as_uri()],
        input=json.dumps([f"{a:.2f}" for a in amounts]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == [[capital(amount), grouped(amount)] for amount in amounts]
