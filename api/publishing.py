"""Publishing over HTTP (H5): plan, look, move, cancel, retry, settle; accounts and the connection to a platform."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import RedirectResponse

from api.dependencies import CurrentActor, Limit, Offset, Scoped
from core import database
from core.errors import BadRequest, NotConfigured, StudioError
from core.models.publishing import PUBLICATION_STATES
from core.publishing import accounts, creators, plan, publications, simulation
from core.publishing.failures import PlatformFailure
from core.publishing.payloads import (
    AccountInput,
    AccountOut,
    PublicationDetail,
    PublicationOut,
    PublicationPlanInput,
    RescheduleInput,
    ReviewInput,
)

router = APIRouter(prefix="/publishing", tags=["publishing"])
PAGE = "/publishing"
Platform = Annotated[str, Path(pattern="^[a-z]{2,20}$")]
States = Annotated[list[str] | None, Query(max_length=len(PUBLICATION_STATES), description="may be repeated")]
_log = logging.getLogger(__name__)


class CreatorOut(BaseModel):
    """What TikTok lets a creator choose at the moment, to be shown before anything is posted for them."""

    model_config = ConfigDict(from_attributes=True)

    username: str
    nickname: str
    privacies: list[str]
    comments: bool
    duets: bool
    stitches: bool
    longest_seconds: float


class IssuesOut(BaseModel):
    """What the preflight found for one account, and what the material asks for: the AI mark that will be set unless
    the plan says otherwise, and the credits that its licences want in the description. ``creator`` for TikTok alone."""

    platform_account_id: UUID
    issues: list[dict[str, Any]]
    synthetic_media: bool
    credits: str
    creator: CreatorOut | None = None


class PlayedOut(BaseModel):
    """How many simulated posts lived through the week."""

    posts: int
    is_simulated: Literal[True] = True


@router.post("/plan", status_code=201)
def make_plan(actor: CurrentActor, wanted: PublicationPlanInput) -> list[PublicationOut]:
    """One publication for each target, all or none."""
    creators.ask_all(actor, (target.platform_account_id for target in wanted.targets))
    with database.session(actor) as session:
        return [PublicationOut.model_validate(row) for row in plan.plan(session, actor, wanted)]


@router.post("/check")
def check_plan(actor: CurrentActor, wanted: PublicationPlanInput) -> list[IssuesOut]:
    """What would stand in the way of a plan; changes nothing. TikTok is asked what its creators allow right now."""
    creators.ask_all(actor, (target.platform_account_id for target in wanted.targets))
    with database.session(actor) as session:
        found = plan.check(session, actor, wanted)
        made_of = {
            target.platform_account_id: plan.material(session, wanted.episode_id, target.asset_id)
            for target in wanted.targets
        }
        allowed = {account_id: creators.of_account(session, account_id) for account_id in found}
    return [
        IssuesOut(
            platform_account_id=account_id,
            issues=[dict(issue.as_dict()) for issue in issues],
            synthetic_media=made_of[account_id].ai_generated,
            credits=made_of[account_id].credits(),
            creator=CreatorOut.model_validate(allowed[account_id]) if allowed[account_id] else None,
        )
        for account_id, issues in found.items()
    ]


@router.get("/publications")
def list_publications(
    session: Scoped, state: States = None, limit: Limit = 100, offset: Offset = 0
) -> list[PublicationOut]:
    """Publications by time, for board and calendar."""
    rows = publications.listed(session, state=state, limit=limit, offset=offset)
    return [PublicationOut.model_validate(row) for row in rows]


@router.get("/episode/{episode_id}")
def of_episode(session: Scoped, episode_id: UUID) -> list[PublicationOut]:
    """Publications of an episode."""
    return [PublicationOut.model_validate(row) for row in publications.of_episode(session, episode_id)]


@router.get("/publication/{publication_id}")
def one_publication(session: Scoped, publication_id: UUID) -> PublicationDetail:
    """A publication with everything that was tried."""
    return publications.detail(session, publication_id)


@router.post("/publication/{publication_id}/reschedule")
def reschedule(session: Scoped, actor: CurrentActor, publication_id: UUID, wanted: RescheduleInput) -> PublicationOut:
    """Give a publication another time."""
    return PublicationOut.model_validate(publications.reschedule(session, actor, publication_id, wanted))


@router.post("/publication/{publication_id}/cancel")
def cancel(session: Scoped, actor: CurrentActor, publication_id: UUID) -> PublicationOut:
    """Take a publication back before it starts."""
    return PublicationOut.model_validate(publications.cancel(session, actor, publication_id))


@router.post("/publication/{publication_id}/retry")
def retry(session: Scoped, actor: CurrentActor, publication_id: UUID) -> PublicationOut:
    """Try a failed, missed or cancelled publication again, now."""
    return PublicationOut.model_validate(publications.retry(session, actor, publication_id))


@router.post("/publication/{publication_id}/review")
def review(session: Scoped, actor: CurrentActor, publication_id: UUID, answer: ReviewInput) -> PublicationOut:
    """Settle a doubt: it is on the platform, or it may be posted again."""
    return PublicationOut.model_validate(publications.review(session, actor, publication_id, answer))


@router.get("/accounts")
def list_accounts(session: Scoped) -> list[AccountOut]:
    """Accounts, never their tokens."""
    return [AccountOut.model_validate(row) for row in accounts.listed(session)]


@router.post("/accounts", status_code=201)
def add_account(session: Scoped, actor: CurrentActor, wanted: AccountInput) -> AccountOut:
    """Add an account with ready tokens, or give new ones to a known account."""
    return AccountOut.model_validate(accounts.add(session, actor, wanted))


@router.delete("/accounts/{account_id}", status_code=204)
def disconnect(session: Scoped, actor: CurrentActor, account_id: UUID) -> None:
    """Forget an account's tokens."""
    accounts.disconnect(session, actor, account_id)


@router.get("/accounts/{platform}/connect", status_code=303, response_class=RedirectResponse)
def connect(request: Request, session: Scoped, actor: CurrentActor, platform: Platform) -> RedirectResponse:
    """Go to the platform's consent page."""
    redirect_uri = str(request.url.replace(query="")).removesuffix("/connect") + "/callback"
    try:
        target = accounts.connect_url(session, actor, platform, redirect_uri)
    except StudioError as error:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        target = _outcome(platform, error)  # a person followed the link: the page tells them
    return RedirectResponse(target, 303)


def _outcome(platform: str, error: StudioError | None, code: str = "made") -> str:
    """The page that says what came of a connection; the codes are message keys under ``connection``."""
    if error is None:
        pass
    elif isinstance(error, BadRequest):
        code = "expired"
    elif isinstance(error, NotConfigured):
        code = "no_client"
    elif isinstance(error, PlatformFailure) and error.code == "youtubeSignupRequired":
        code = "no_channel"
    else:
        code = "failed"
    return f"{PAGE}?connection={code}&platform={platform}"


@router.get(
    "/accounts/{platform}/callback",
    status_code=303,
    response_class=RedirectResponse,
    openapi_extra={"security": []},
)
def callback(
    platform: Platform,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
) -> RedirectResponse:
    """The platform sends the browser back here; the state says whose connection it is. A person is looking, so the
    outcome is shown by the Publishing page."""
    if not code:
        return RedirectResponse(_outcome(platform, None, "declined"), 303)
    try:
        with database.session() as session:
            accounts.complete_connection(session, platform, state, code)
    except StudioError as error:
        _log.warning("%s could not be connected: %s", platform, error)
        return RedirectResponse(_outcome(platform, error), 303)
    return RedirectResponse(_outcome(platform, None), 303)


@router.post("/simulated/account", status_code=201)
def simulated_account(session: Scoped, actor: CurrentActor) -> AccountOut:
    """The account on the simulated platform, the same one every time."""
    return AccountOut.model_validate(accounts.add_simulated(session, actor))


@router.post("/simulated/week")
def play_week(session: Scoped, actor: CurrentActor) -> PlayedOut:
    """Give the simulated posts a week of audience. Simulated figures never mix with real ones."""
    return PlayedOut(posts=simulation.play_simulated_week(session, actor))
