"""The newest Python SDK (`mcp`), as a client and as a server of `pairs`. The server is of both eras."""

import logging
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import anyio
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import ElicitResult
from pydantic import BaseModel

from steps import Tour, row

STEP_SECONDS = 0.05
WAIT_SECONDS = 60

server = MCPServer("python")
# What became of each call of `wait`, by its key.
waits: dict[str, str] = {}


class Person(BaseModel):
    name: str


async def who() -> Elicit[Person]:
    return Elicit("Who are you?", Person)


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


@server.tool()
async def ask(person: Annotated[Person, Resolve(who)]) -> str:
    """Asks the user for a name."""
    return f"Hello, {person.name}."


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


async def elicited(_context, params) -> ElicitResult:
    return ElicitResult(action="accept", content={field: "Ada" for field in params.requested_schema["properties"]})


def wire(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(mode="json", by_alias=True)


class Pair:
    def __init__(self, client: Client) -> None:
        self.client = client

    async def list(self, kind: str) -> list[dict[str, Any]]:
        listing = {
            "tools": self.client.list_tools,
            "prompts": self.client.list_prompts,
            "resources": self.client.list_resources,
            "resourceTemplates": self.client.list_resource_templates,
        }[kind]
        return wire(await listing())[kind]

    async def call(self, tool: str, arguments: dict[str, Any], on_progress=None) -> dict[str, Any]:
        return wire(await self.client.call_tool(tool, arguments, progress_callback=on_progress))

    async def call_and_take_back(self, tool: str, arguments: dict[str, Any], when) -> bool:
        answered = False

        async def wait_for_answer() -> None:
            nonlocal answered
            await self.client.call_tool(tool, arguments)
            answered = True

        async with anyio.create_task_group() as waiting:
            waiting.start_soon(wait_for_answer)
            await when()
            waiting.cancel_scope.cancel()
        return answered

    async def read(self, uri: str) -> dict[str, Any]:
        return wire(await self.client.read_resource(uri))

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return wire(await self.client.get_prompt(name, arguments))


async def take(url: str, token_file: str) -> None:
    headers = {"Authorization": f"Bearer {Path(token_file).read_text().strip()}"}
    step = "connect"
    try:
        async with create_mcp_http_client(headers=headers) as http_client:
            transport = streamable_http_client(url, http_client=http_client)
            async with Client(transport, mode="auto", elicitation_callback=elicited) as client:
                row(step, "ok", client.protocol_version)
                step = "close"
                await Tour(Pair(client)).take()
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
