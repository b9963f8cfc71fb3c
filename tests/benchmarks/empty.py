"""The API's server and application with a handler that reads a body and answers a constant 202.

The framework calls it as any handler but that of events, which is called without what that makes ready.

python -m tests.benchmarks.empty PORT DIRECTORY   (the store is named by DISPATCHER_REDIS_URL)
"""

import os
import sys
from pathlib import Path

import uvicorn
import uvloop
from litestar import post

from dispatcher.settings import read_settings
from dispatcher.storage.access import AccessKeys
from dispatcher.web.access import PUBLIC, Access
from dispatcher.web.answers import Answer, answer
from dispatcher.web.app import create_app
from dispatcher.web.bodies import read_body
from dispatcher.web.events import MAX_BYTES
from dispatcher.web.parts import Asked
from dispatcher.web.server import server_config
from dispatcher.wiring import SystemClock, build, connect

PATH = "/v1/empty"
ANSWER = {"results": [{"id": "e-1", "status": "constant", "order": "O-1", "reminders": ["demo~O-1~1"]}]}


@post(PATH, opt=PUBLIC, status_code=202)
async def take_nothing(request: Asked) -> Answer:
    """Read the body and do nothing with it."""
    await read_body(request, MAX_BYTES)
    return answer(ANSWER, 202)


async def serve(port: int, directory: Path) -> None:
    """Serve until told to stop; the directory stays empty."""
    settings = read_settings(os.environ)
    redis = connect(url=settings.redis_url)
    service = await build(settings, redis, SystemClock(), {}, directory)
    app = create_app(service, Access(AccessKeys(service.store)))
    app.register(take_nothing)
    await uvicorn.Server(server_config(app, host="127.0.0.1", port=port)).serve()
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
