"""Announcements on the portal of the city bureau."""
from __future__ import annotations

from typing import Any

from engine.sdk import TaskContext, service_task
from integrations.portal.client import Portal
from integrations.portal.messages import Announcement


@service_task(title="推送门户网站", mode="queued", reversible=False, help="把公告推送到市局门户网站；网站答复发布日期和网址。")
def publish_announcement(context: TaskContext, *, document_id: str, title: str) -> dict[str, Any]:
    """Publish the sealed announcement; ``published_on`` and ``url`` as the portal says. The effect key makes a retry harmless."""
    client: Portal = context.connector("portal")
    paper = context.document(document_id)
    sent = Announcement(title=title, number=paper["number"] or "", text=paper["text"], unit=paper["unit"], case_number=context.case["number"] or "")
    published = client.publish(sent, key=context.effect_key)
    return {"published_on": published.published_on.isoformat(), "url": published.url}
