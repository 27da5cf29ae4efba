"""Asking the weather board, as small as a queued service task can be."""
from __future__ import annotations

from typing import Any

from engine.sdk import TaskContext, service_task
from integrations.weather_board.client import WeatherBoard


@service_task(title="问天气", mode="queued", help="查去处的降雨概率。查不到时报告 no_forecast。")
def ask_weather(context: TaskContext, *, place: str) -> dict[str, Any]:
    """``chance`` of rain at ``place`` in percent."""
    board: WeatherBoard = context.connector("weather_board")
    return {"chance": board.forecast(place).chance}
