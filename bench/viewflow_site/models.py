"""What is asked for."""
# mypy: ignore-errors
from viewflow import jsonstore
from viewflow.workflow.models import Process


class Request(Process):
    place = jsonstore.CharField(max_length=50)
    days = jsonstore.IntegerField()

    class Meta:
        proxy = True
