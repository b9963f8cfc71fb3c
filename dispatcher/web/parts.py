"""What every handler needs: the service, who may do what, and the way events take."""

from typing import Any

import msgspec
from litestar import Request

from dispatcher.web.access import Access
from dispatcher.web.streams import Stream
from dispatcher.wiring import Service
from dispatcher.workflow.grouping import GroupedIntake

Asked = Request[Any, Any, Any]
"""A request as a handler gets it."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that the handlers of one application share."""

    service: Service
    access: Access
    intake: GroupedIntake
    streams: set[Stream]
    """Those under way."""


def parts_of(request: Asked) -> Parts:
    """Return the parts of the application that was asked."""
    parts: Parts = request.app.state["parts"]
    return parts
