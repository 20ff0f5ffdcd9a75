"""The peer of `momus bench desk`: Label Studio with the same people and tasks. A script that needs no momus.

It runs in a Python that has Label Studio, which finds its database in the environment (`POSTGRE_HOST` and so on).
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# the same as a comment of the desk: a place, a category, a severity left at its default, and words
CONFIG = """
<View>
  <Text name="question" value="$question"/>
  <Labels name="category" toName="answer"><Label value="other"/><Label value="off-by-one"/></Labels>
  <Text name="answer" value="$answer" granularity="symbol"/>
  <TextArea name="comment" toName="answer" perRegion="true"/>
</View>
"""


def prepare(spec: dict[str, Any]) -> dict[str, Any]:
    """Make tables, people and a project with its tasks. Returns the project's number and people's keys."""
    from django.core.management import call_command

    call_command("migrate", "--no-color", verbosity=0)
    from organizations.models import Organization
    from projects.models import Project
    from rest_framework.authtoken.models import Token
    from tasks.models import Task
    from users.models import User

    keys = []
    organization = None
    for i in range(spec["people"]):
        user = User.objects.create_user(f"simulated{i}@example.org", f"not a secret {i}", username=f"simulated{i}")
        if organization is None:
            organization = Organization.create_organization(created_by=user, title="Bench")
            organization.jwt.legacy_api_tokens_enabled = True
            organization.jwt.save()
        else:
            organization.add_user(user)
        user.active_organization = organization
        user.save()
        keys.append(Token.objects.get_or_create(user=user)[0].key)
    project = Project.objects.create(
        title="Bench", label_config=CONFIG, organization=organization, created_by=User.objects.first()
    )
    made = [Task(project=project, data=data, inner_id=i + 1) for i, data in enumerate(spec["tasks"])]
    Task.objects.bulk_create(made, batch_size=500)
    project.summary.update_data_columns(made)
    return {"project": project.id, "keys": keys}


if __name__ == "__main__":
    from label_studio import server

    server._setup_env()
    what, where = sys.argv[1:]
    if what == "serve":  # as `label-studio start` does it
        server._app_run("127.0.0.1", int(where))
    else:
        print(json.dumps(prepare(json.loads(Path(where).read_text()))))
