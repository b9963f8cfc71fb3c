"""The application: its routes, the door every request goes through, and problems for whatever goes wrong."""

import logging
from typing import Any, cast

from litestar import Litestar, Response
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import (
    HTTPScope,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Message,
    Receive,
    Scope,
    Send,
)

from dispatcher.errors import DispatcherError
from dispatcher.telemetry import REQUEST_FAILED, about_error
from dispatcher.web import (
    audit,
    blocking,
    events,
    explaining,
    health,
    incentives,
    metrics,
    openapi,
    orders,
    pauses,
    phrases,
    policies,
    previews,
    publishing,
    reminders,
    steering,
    tasks,
    templates,
)
from dispatcher.web.access import Access, door
from dispatcher.web.bodies import SMALL_BYTES
from dispatcher.web.parts import Asked, Parts
from dispatcher.web.paths import MAX_PATH_BYTES
from dispatcher.web.problems import Problem, of_code, problem_of, refused
from dispatcher.wiring import Service
from dispatcher.workflow.grouping import GroupedIntake

ROUTES = (
    events.post_events,
    orders.get_order,
    reminders.list_reminders,
    reminders.get_reminder,
    steering.send_by_hand,
    steering.cancel_reminder,
    steering.send_now,
    steering.postpone_reminder,
    explaining.explain_reminder,
    explaining.explain_order,
    explaining.explain_customer,
    audit.list_audit,
    tasks.list_tasks,
    tasks.claim_task,
    tasks.release_task,
    tasks.complete_task,
    policies.get_policy,
    policies.put_policy,
    policies.list_versions,
    policies.check_policy,
    policies.replan_shop,
    templates.list_templates,
    templates.get_template,
    templates.list_template_versions,
    templates.get_draft,
    publishing.put_draft,
    publishing.discard_draft,
    publishing.check_template,
    publishing.publish_template,
    publishing.roll_back_template,
    publishing.withdraw_template,
    previews.preview_template,
    phrases.list_phrases,
    pauses.get_pauses,
    pauses.pause_shop,
    pauses.resume_shop,
    blocking.list_blocked,
    blocking.block_address,
    blocking.unblock_address,
    incentives.get_incentives,
    incentives.top_up_incentive,
    health.live,
    health.ready,
    metrics.get_metrics,
    openapi.get_openapi,
)

OF_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
"""What the framework refuses by itself; any other of its 4xx is `invalid-input`."""

_log = logging.getLogger(__name__)


class App(Litestar):
    """The application. Routes see the path as it was sent, so that `%2F` in an id does not part it."""

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] == ScopeType.HTTP:
            await self._answer(cast(HTTPScope, scope), cast(Receive, receive), cast(Send, send))
        else:
            await super().__call__(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        raw = scope["raw_path"]
        if len(raw) > MAX_PATH_BYTES:
            await refused(of_code("path-too-long"))(scope, receive, send)
            return
        scope["path"] = raw.decode("latin-1")
        if scope["method"] == "HEAD":
            scope = scope | {"method": "GET"}
            send = _without_body(send)
        await super().__call__(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = cast(Message, message | {"body": b""})
        await send(message)

    return send_head


def problem_for(request: Asked, error: Exception) -> Response[bytes]:
    """Answer an error as a problem; what nobody expected is logged with its place, and told to no caller."""
    allow = ""
    if isinstance(error, DispatcherError):
        problem = problem_of(error)
    elif isinstance(error, HTTPException) and error.status_code < 500:
        problem = of_code(OF_STATUS.get(error.status_code, "invalid-input"))
        allow = (error.headers or {}).get("allow", "").replace("GET", "GET, HEAD")
    else:
        problem = of_code("internal")
    if problem.status == 500 or getattr(error, "code", None) == "store-refused":
        route = {"route": request.scope.get("path_template", "")}
        _log.error(REQUEST_FAILED, extra=route | about_error(error))
    return _response(problem, allow)


def _response(problem: Problem, allow: str) -> Response[bytes]:
    told = refused(problem)
    headers = {name.decode(): value.decode() for name, value in told.headers}
    if allow:
        headers["allow"] = allow
    media: Any = headers.pop("content-type")
    return Response(told.body, status_code=told.status, headers=headers, media_type=media)


def create_app(service: Service, access: Access) -> Litestar:
    """Return the application over a service; `access` tells its callers."""
    intake = GroupedIntake(service.intake, service.store.lane_of)
    parts = Parts(service=service, access=access, intake=intake, streams=set())
    return App(
        ROUTES,
        state=State({"parts": parts, "access": access}),
        before_request=door,
        exception_handlers={Exception: problem_for},
        request_max_body_size=SMALL_BYTES,
        openapi_config=None,
        logging_config=None,
    )
