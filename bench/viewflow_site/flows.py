"""Asked by one person, checked in three steps."""
# mypy: ignore-errors
from viewflow import this
from viewflow.workflow import flow
from viewflow.workflow.flow.views import CreateProcessView, UpdateProcessView

from .models import Request

FIELDS = ["place", "days"]
MAY = "viewflow_site.view_request"


def step():
    return flow.View(UpdateProcessView.as_view(fields=FIELDS)).Permission(MAY).Assign(this.start.owner)


class RequestFlow(flow.Flow):
    process_class = Request
    start = flow.Start(CreateProcessView.as_view(fields=FIELDS)).Permission(MAY).Next(this.first)
    first = step().Next(this.second)
    second = step().Next(this.third)
    third = step().Next(this.end)
    end = flow.End()
