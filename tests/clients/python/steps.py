"""The tour that clients take at a server of `pairs`, for both releases of the Python SDK: it knows neither."""

import json
import time
import uuid
from typing import Any, Protocol

import anyio

STEPS = ("list", "call", "progress", "read", "prompt", "elicit", "cancel")
PATIENCE_SECONDS = 10
STEP_SECONDS_MAX = 20
RETRY_SECONDS = 0.02


class Client(Protocol):
    """What each release can, with results as the objects that they are on the wire."""

    async def list(self, kind: str) -> list[dict[str, Any]]: ...
    async def call(self, tool: str, arguments: dict[str, Any], on_progress=None) -> dict[str, Any]: ...
    async def call_and_take_back(self, tool: str, arguments: dict[str, Any], when) -> bool: ...
    async def read(self, uri: str) -> dict[str, Any]: ...
    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]: ...


def row(step: str, verdict: str, told: object = "") -> None:
    """Prints a step's line: its name, `ok` or `FAIL`, and what was seen, between tabs."""
    print(step, verdict, (str(told).splitlines() or [""])[0], sep="\t", flush=True)


def check(condition: bool, told: object) -> None:
    if not condition:
        raise AssertionError(told if isinstance(told, str) else json.dumps(told))


def said(result: dict[str, Any]) -> str:
    return result["content"][0]["text"]


class Tour:
    def __init__(self, client: Client) -> None:
        self.client = client

    async def take(self) -> None:
        for step in STEPS:
            try:
                with anyio.fail_after(STEP_SECONDS_MAX):
                    row(step, "ok", await getattr(self, step)() or "")
            except Exception as error:  # Whatever it is, the step failed.
                row(step, "FAIL", f"{type(error).__name__}: {error}")

    async def list(self) -> str:
        names = {tool["name"] for tool in await self.client.list("tools")}
        check({"add", "cancelled", "count", "wait"} <= names, sorted(names))
        check((await self.client.list("prompts"))[0]["name"] == "greet", "the prompt is missing")
        check((await self.client.list("resources"))[0]["uri"] == "pairs://greeting", "the resource is missing")
        templates = await self.client.list("resourceTemplates")
        check(templates[0]["uriTemplate"] == "pairs://square/{n}", "the template is missing")
        return "with ask" if "ask" in names else "without ask"

    async def call(self) -> None:
        total = said(await self.client.call("add", {"a": 2, "b": 3}))
        check(total == "5", total)

    async def progress(self) -> None:
        reports = []

        async def report(progress: float, _total, _message) -> None:
            reports.append(progress)

        counted = said(await self.client.call("count", {"to": 3}, report))
        check(counted == "counted to 3", counted)
        check(reports == [1, 2, 3], f"the reports were {reports}")

    async def read(self) -> None:
        greeting = (await self.client.read("pairs://greeting"))["contents"][0]["text"]
        check(greeting == "Hello.", greeting)
        square = (await self.client.read("pairs://square/7"))["contents"][0]["text"]
        check(square == "49", square)

    async def prompt(self) -> None:
        text = (await self.client.prompt("greet", {"name": "Ada"}))["messages"][0]["content"]["text"]
        check(text == "Say hello to Ada.", text)

    async def elicit(self) -> None:
        answer = said(await self.client.call("ask", {}))
        check(answer == "Hello, Ada.", answer)

    async def cancel(self) -> None:
        key = str(uuid.uuid4())

        async def becomes(state: str) -> None:
            begun = time.monotonic()
            while said(await self.client.call("cancelled", {"key": key})) != state:
                check(time.monotonic() - begun < PATIENCE_SECONDS, f"the call did not become {state}")
                await anyio.sleep(RETRY_SECONDS)

        answered = await self.client.call_and_take_back("wait", {"key": key}, lambda: becomes("waiting"))
        check(not answered, "the call was answered")
        await becomes("cancelled")
