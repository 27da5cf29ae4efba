"""How an act answers."""
from __future__ import annotations

from flask import Flask, get_flashed_messages

from engine.web.answers import MESSAGES, done


def test_messages_that_nobody_reads_do_not_pile_up_in_the_cookie() -> None:
    app = Flask("answers")
    app.secret_key = "k"
    with app.test_request_context("/"):
        for number in range(MESSAGES + 5):
            done("/desk", f"第 {number} 件")
        assert get_flashed_messages() == [f"第 {number} 件" for number in range(5, MESSAGES + 5)]
