"""The Python SDK (`mcp`) as it was in 2025, as a client and as a server of `pairs`."""

import logging
import socket
import sys
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from mcp import ClientSession, types
from mcp.client.streamable_http import streamablehttp_client
from mcp.server.fastmcp import Context, FastMCP
from pydantic import BaseModel

sys.path.append(str(Path(__file__).parent.parent / "python"))
from steps import Tour, row  # noqa: E402

STEP_SECONDS = 0.05
WAIT_SECONDS = 60

server = FastMCP("python-2025", log_level="CRITICAL")
# What became of each call of `wait`, by its key.
waits: dict[str, str] = {}


@server.tool()
def add(a: int, b: int) -> str:
    """Adds two numbers."""
    return str(a + b)


@server.tool()
async def count(to: int, context: Context) -> str:
    """Counts slowly, and tells how far it is."""
    for progress in range(1, to + 1):
        await context.report_progress(progress, to)
        await anyio.sleep(STEP_SECONDS)
    return f"counted to {to}"


class Person(BaseModel):
    name: str


@server.tool()
async def ask(context: Context) -> str:
    """Asks the user for a name."""
    answer = await context.elicit("Who are you?", Person)
    return f"Hello, {answer.data.name}." if answer.action == "accept" else "Hello, stranger."


@server.tool()
async def wait(key: str) -> str:
    """Waits until its client takes it back."""
    waits[key] = "waiting"
    try:
        await anyio.sleep(WAIT_SECONDS)
    except anyio.get_cancelled_exc_class():
        waits[key] = "cancelled"
        raise
    return "nobody took it back"


@server.tool()
def cancelled(key: str) -> str:
    """Says what became of a call of wait."""
    return waits.get(key, "unknown")


@server.resource("pairs://greeting")
def greeting() -> str:
    return "Hello."


@server.resource("pairs://square/{n}")
def square(n: str) -> str:
    return str(int(n) ** 2)


@server.prompt()
def greet(name: str) -> str:
    return f"Say hello to {name}."


def serve() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(f"ready: http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    config = uvicorn.Config(server.streamable_http_app(), log_level="error", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


async def elicited(_context, params) -> types.ElicitResult:
    content = {field: "Ada" for field in params.requestedSchema["properties"]}
    return types.ElicitResult(action="accept", content=content)


def wire(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(mode="json", by_alias=True)


class Pair:
    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def list(self, kind: str) -> list[dict[str, Any]]:
        listing = {
            "tools": self.session.list_tools,
            "prompts": self.session.list_prompts,
            "resources": self.session.list_resources,
            "resourceTemplates": self.session.list_resource_templates,
        }[kind]
        return wire(await listing())[kind]

    async def call(self, tool: str, arguments: dict[str, Any], on_progress=None) -> dict[str, Any]:
        return wire(await self.session.call_tool(tool, arguments, progress_callback=on_progress))

    async def call_and_take_back(self, tool: str, arguments: dict[str, Any], when) -> bool:
        # This release takes nothing back by itself: its user sends what the protocol wants.
        request_id, answered = None, False

        async def wait_for_answer() -> None:
            nonlocal request_id, answered
            request_id = self.session._request_id
            await self.session.call_tool(tool, arguments)
            answered = True

        async with anyio.create_task_group() as waiting:
            waiting.start_soon(wait_for_answer)
            await when()
            params = types.CancelledNotificationParams(requestId=request_id, reason="enough")
            notification = types.CancelledNotification(method="notifications/cancelled", params=params)
            await self.session.send_notification(types.ClientNotification(notification))
            waiting.cancel_scope.cancel()
        return answered

    async def read(self, uri: str) -> dict[str, Any]:
        return wire(await self.session.read_resource(uri))

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return wire(await self.session.get_prompt(name, arguments))


async def take(url: str, token_file: str) -> None:
    headers = {"Authorization": f"Bearer {Path(token_file).read_text().strip()}"}
    step = "connect"
    try:
        async with streamablehttp_client(url, headers=headers) as (read, write, _):
            async with ClientSession(read, write, elicitation_callback=elicited) as session:
                row(step, "ok", (await session.initialize()).protocolVersion)
                step = "close"
                await Tour(Pair(session)).take()
    except Exception as error:
        row(step, "FAIL", f"{type(error).__name__}: {error}")
    else:
        row(step, "ok")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["tour", url, token_file]:
            anyio.run(take, url, token_file)
        case _:
            sys.exit(f"usage: {sys.argv[0]} serve | tour URL TOKEN_FILE")
