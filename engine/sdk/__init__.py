"""The only door for handlers, integrations and devices.

>>> @service_task(title="查询天气", mode="queued")
... def ask_weather(context: TaskContext, *, place: str) -> dict:
...     return {"rain": context.connector("weather_board").rain_at(place)}
"""
from engine.kernel.errors import BusinessError, GuichengError, Invalid, TryAgain, Unavailable
from engine.runtime.handlers import ConnectorConfig, connector, service_task
from engine.runtime.task_context import TaskContext

__all__ = ["BusinessError", "ConnectorConfig", "GuichengError", "Invalid", "TaskContext", "TryAgain", "Unavailable", "connector", "service_task"]
