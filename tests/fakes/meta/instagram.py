"""Instagram: a container, its bytes, its status, the publishing limit, and the one call that makes it public."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from tests.fakes.meta.answers import Refused, unknown
from tests.fakes.meta.state import Container, Page

CAPTION = 2200
SHOWN = frozenset(("id", "permalink", "timestamp", "caption", "media_type", "media_product_type"))


class Instagram:
    """Part of the handler."""

    state: Any
    params: dict[str, str]
    headers: Any
    command: str
    _answer: Any
    _misbehave: Any
    _afterwards: Any
    _own_page: Any
    _upload_token: Any
    _take: Any
    _rupload_error: Any
    _insights: Any

    def _instagram_object(self, name: str, edge: str) -> None:
        page: Page = self._own_page("instagram_basic")
        if name == page.instagram_id:
            routes = {
                ("media", "POST"): self._container,
                ("media", "GET"): self._listing,
                ("media_publish", "POST"): self._publish,
                ("content_publishing_limit", "GET"): self._limit,
            }
            route = routes.get((edge, self.command))
            if route is None:
                raise unknown(name)
            route(page)
            return
        container, media = self.state.containers.get(name), self.state.media.get(name)
        if self.command != "GET":
            raise unknown(name)
        if container is not None and container.instagram_id == page.instagram_id and not edge:
            self._status(container, page)
        elif media is not None and media.instagram_id == page.instagram_id and not media.deleted:
            if edge == "insights":
                self._insights(media, "instagram", page.page_id)
            elif not edge:
                self._misbehave("ig.get", page.page_id)
                self._answer(200, self._media(media))
            else:
                raise unknown(name)
        else:
            raise unknown(name)

    def _container(self, page: Page) -> None:
        self._own_page("instagram_content_publish")
        fault = self._misbehave("ig.container", page.page_id)
        if self.params.get("media_type") != "REELS":
            raise Refused(100, "The parameter media_type must be REELS for a video", subcode=2207023)
        if self.params.get("upload_type") != "resumable" and not self.params.get("video_url"):
            raise Refused(100, "The parameter video_url is required")
        caption = self.params.get("caption", "")
        if len(caption) > CAPTION or caption.count("#") > 30 or caption.count("@") > 20:
            raise Refused(
                100,
                "The caption was too long.",
                subcode=2207010,
                user_message="A caption has at most 2200 characters, 30 hashtags and 20 @ tags.",
            )
        if not self.params.get("thumb_offset", "0").isdigit():
            raise Refused(100, "Invalid parameter: thumb_offset", subcode=2207057)
        kept = ("caption", "thumb_offset", "share_to_feed", "media_type")
        container = Container(
            container_id="17" + str(secrets.randbelow(10**15)).zfill(15),
            instagram_id=str(page.instagram_id),
            params={name: self.params[name] for name in kept if name in self.params},
            created=self.state.now(),
        )
        with self.state.lock:
            self.state.containers[container.container_id] = container
            self.state.record("open", container_id=container.container_id, instagram_id=page.instagram_id)
        self._afterwards(fault)
        uri = f"http://{self.headers['Host']}/ig-rupload/ig-api-upload/v25.0/{container.container_id}"
        self._answer(200, {"id": container.container_id, "uri": uri})

    def _container_bytes(self, container_id: str) -> None:
        try:
            page = self.state.pages[self._upload_token()]
        except Refused as refusal:
            self._rupload_error(401, "NotAuthorizedError", refusal.error["message"])
            return
        container = self.state.containers.get(container_id)
        if container is None or container.instagram_id != page.instagram_id:
            self._rupload_error(404, "NotFound", "no such container")
            return
        try:
            fault = self._misbehave("ig.upload", page.page_id)
            with container.lock:
                self._take(container, fault)
        except Refused as refusal:
            self._rupload_error(refusal.status, "ProcessingFailedError", refusal.error["message"])
            return
        self._afterwards(fault)
        self._answer(200, {"success": True, "message": "Upload successful. "})

    def _status(self, container: Container, page: Page) -> None:
        self._misbehave("ig.status", page.page_id)
        names = set(self.params.get("fields", "id").split(","))
        if names - {"id", "status", "status_code", "video_status"}:
            raise Refused(100, "Tried accessing nonexisting field")
        status = self.state.status_of(container, poll=True)
        words = {"ERROR": f"Error: {container.error}", "EXPIRED": "Expired: not published within 24 hours."}
        whole = {
            "id": container.container_id,
            "status_code": status,
            "status": words.get(status, status.title()),
            "video_status": {"uploading_phase": {"bytes_transferred": container.kept}},
        }
        self._answer(200, {name: value for name, value in whole.items() if name in names | {"id"}})

    def _limit(self, page: Page) -> None:
        self._misbehave("ig.limit", page.page_id)
        used = self.state.published_today(page.instagram_id)
        config = {"quota_total": self.state.instagram_cap, "quota_duration": 86_400}
        whole = {"quota_usage": used, "config": config}
        names = set(self.params.get("fields", "quota_usage").split(","))
        self._answer(200, {"data": [{name: value for name, value in whole.items() if name in names}]})

    def _publish(self, page: Page) -> None:
        self._own_page("instagram_content_publish")
        fault = self._misbehave("ig.publish", page.page_id)
        container = self.state.containers.get(self.params.get("creation_id", ""))
        if container is None or container.instagram_id != page.instagram_id:
            raise Refused(100, "Invalid parameter: creation_id", subcode=2207008)
        with self.state.lock:
            status = self.state.status_of(container)
            if status == "PUBLISHED":
                raise Refused(100, "The media was published already.", subcode=2207006)
            if status == "EXPIRED":
                raise Refused(100, "The media container has expired.", subcode=2207008)
            if status != "FINISHED":
                raise Refused(9007, "The media is not ready for publishing, please wait a moment.", subcode=2207027)
            if self.state.published_today(page.instagram_id) >= self.state.instagram_cap:
                raise Refused(9, "Application request limit reached", subcode=2207042, status=403)
            media = self.state.publish(container)
        self._afterwards(fault)
        self._answer(200, {"id": media.media_id})

    def _listing(self, page: Page) -> None:
        self._misbehave("ig.media", page.page_id)
        found = [each for each in self.state.media.values() if each.instagram_id == page.instagram_id]
        found = sorted((each for each in found if not each.deleted), key=lambda each: -each.published_at)
        self._answer(200, {"data": [self._media(each) for each in found[: int(self.params.get("limit", 25))]]})

    def _media(self, media: Any) -> dict[str, Any]:
        names = set(self.params.get("fields", "id").split(",")) | {"id"}
        if names - SHOWN:
            raise Refused(100, f"Tried accessing nonexisting field ({sorted(names - SHOWN)[0]})")
        at = datetime.fromtimestamp(media.published_at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        whole = {
            "id": media.media_id,
            "permalink": f"https://www.instagram.com/reel/{media.media_id}/",
            "timestamp": at,
            "media_type": "VIDEO",
            "media_product_type": "REELS",
        }
        if media.caption:
            whole["caption"] = media.caption
        return {name: value for name, value in whole.items() if name in names}
