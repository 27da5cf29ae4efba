"""The proxy and its permissions."""
# mypy: ignore-errors
from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = [("viewflow", "__latest__")]
    operations = [migrations.CreateModel(name="Request", fields=[], options={"proxy": True, "indexes": [], "constraints": []}, bases=("viewflow.process",))]
