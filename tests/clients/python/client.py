"""The Python SDK (`mcp`), in both revisions: the same steps as the other clients, a row of the table for each."""

import logging
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import mcp_types as types
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ResourceUpdated
from mcp.shared._httpx_utils import create_mcp_http_client

WATCHED = "test://static-text"
PATIENCE_SECONDS = 10


def check(condition: bool, told: str) -> None:
    if not condition:
        raise AssertionError(told)


def said(result: types.CallToolResult) -> str:
    return result.content[0].text


async def elicited(_context, params) -> types.ElicitResult:
    asked = params.requested_schema["properties"]
    return types.ElicitResult(action="accept", content={field: "Ada" for field in asked})


async def sampled(_context, _params) -> types.CreateMessageResult:
    answer = types.TextContent(type="text", text="Paris")
    return types.CreateMessageResult(role="assistant", model="test", content=answer)


class Tour:
    """Every step, in order. Each returns a few words on what it saw, or raises."""

    STEPS = ("connect", "list", "call", "read", "progress", "elicit", "sample", "cancel", "resume", "subscribe")

    def __init__(self, client: Client, revision: str) -> None:
        self.client = client
        self.revision = revision
        self.sessions = revision == "2025-11-25"
        self.updates = 0

    async def heard(self, message) -> None:
        if isinstance(message, types.ResourceUpdatedNotification) and str(message.params.uri) == WATCHED:
            self.updates += 1

    async def connect(self) -> str:
        negotiated = self.client.protocol_version
        check(negotiated == self.revision, f"it is {negotiated}")
        if self.sessions:
            return "initialized"
        return f"discovered {self.client.server_info.name}"

    async def list(self) -> str:
        tools = (await self.client.list_tools()).tools
        prompts = (await self.client.list_prompts()).prompts
        resources = (await self.client.list_resources()).resources
        templates = (await self.client.list_resource_templates()).resource_templates
        check(len(tools) > 10 and len(prompts) > 3, "too few")
        check(len(resources) == 2 and len(templates) == 1, "resources are missing")
        return f"{len(tools)} tools, {len(prompts)} prompts"

    async def call(self) -> str:
        check(said(await self.client.call_tool("test_simple_text")).startswith("This is a simple text"), "another text")
        check((await self.client.call_tool("test_error_handling")).is_error, "no error")
        try:
            await self.client.call_tool("test_no_such_tool")
        except MCPError as error:
            return f"an unknown tool is {error.code}"
        raise AssertionError("a tool that is not there answered")

    async def read(self) -> None:
        contents = (await self.client.read_resource(WATCHED)).contents
        check("static text" in contents[0].text, "another text")
        prompt = await self.client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
        check("arg1='a'" in prompt.messages[0].content.text, "another prompt")

    async def progress(self) -> str:
        reports = []

        async def report(progress: float, _total, _message) -> None:
            reports.append((progress, time.monotonic()))

        await self.client.call_tool("test_tool_with_progress", progress_callback=report)
        end = time.monotonic()
        values = [progress for progress, _ in reports]
        check(values == [0, 50, 100], f"the reports were {values}")
        # The tool waits 50 ms after each of its three reports.
        ahead = (end - reports[0][1]) * 1000
        check(ahead > 80, "the reports came with the answer")
        return f"the first report came {ahead:.0f} ms before the answer"

    async def elicit(self) -> str:
        if self.sessions:
            answer = await self.client.call_tool("test_elicitation", {"message": "Who are you?"})
        else:
            answer = await self.client.call_tool("test_input_required_result_elicitation")
        check("Ada" in said(answer), said(answer))
        return said(answer)[:40]

    async def sample(self) -> None:
        if self.sessions:
            answer = await self.client.call_tool("test_sampling", {"prompt": "The capital of France?"})
        else:
            answer = await self.client.call_tool("test_input_required_result_sampling")
        check("Paris" in said(answer), said(answer))

    async def cancel(self) -> str:
        async def cancelled() -> int:
            return int(said(await self.client.call_tool("test_cancelled_calls")))

        before = await cancelled()
        with anyio.move_on_after(0.3) as waiting:
            await self.client.call_tool("test_wait")
        check(waiting.cancelled_caught, "the call was answered")
        with anyio.fail_after(PATIENCE_SECONDS):
            while await cancelled() <= before:
                await anyio.sleep(0.02)
        return "the server was told"

    async def resume(self) -> None:
        # The server ends the stream of the answer; where there are sessions, the client has to come back for it.
        answer = await self.client.call_tool("test_reconnection")
        check(said(answer) == "You came back.", said(answer))

    async def subscribe(self) -> str:
        with anyio.fail_after(PATIENCE_SECONDS):
            async with self.watching():
                while self.updates == 0:
                    await self.client.call_tool("test_trigger_resource_change")
                    await anyio.sleep(0.02)
        return f"updates: {self.updates}"

    @asynccontextmanager
    async def watching(self):
        if self.sessions:
            await self.client.subscribe_resource(WATCHED)
            yield
            await self.client.unsubscribe_resource(WATCHED)
            return

        async def read(subscription) -> None:
            async for event in subscription:
                if isinstance(event, ResourceUpdated) and str(event.uri) == WATCHED:
                    self.updates += 1

        async with self.client.listen(resource_subscriptions=[WATCHED]) as subscription:
            async with anyio.create_task_group() as reading:
                reading.start_soon(read, subscription)
                yield
                reading.cancel_scope.cancel()


async def take(tour: Tour, begun: float) -> bool:
    """Takes every step and prints its row; true when all passed. `begun` is when connecting began."""
    passed = True
    for step in Tour.STEPS:
        try:
            with anyio.fail_after(2 * PATIENCE_SECONDS):
                verdict, told = "pass", await getattr(tour, step)() or ""
        except Exception as error:  # Whatever it is, the step failed.
            verdict, told, passed = "FAIL", f"{type(error).__name__}: {error}".splitlines()[0], False
        row(tour.revision, step, verdict, begun, told)
        begun = time.monotonic()
    return passed


def row(revision: str, step: str, verdict: str, begun: float, told: str) -> None:
    took = f"{(time.monotonic() - begun) * 1000:.0f} ms"
    print(f"{verdict}  {'python mcp':18}  {revision}  {step:9}  {took:>8}  {told}".rstrip(), flush=True)


async def main(url: str, revision: str, token_file: str | None) -> bool:
    headers = {"Authorization": f"Bearer {Path(token_file).read_text().strip()}"} if token_file else {}
    begun = time.monotonic()
    passed = False
    try:
        async with create_mcp_http_client(headers=headers) as http_client:
            client = Client(
                streamable_http_client(url, http_client=http_client),
                mode="legacy" if revision == "2025-11-25" else "auto",
                elicitation_callback=elicited,
                sampling_callback=sampled,
            )
            tour = Tour(client, revision)
            client.message_handler = tour.heard
            async with client:
                passed = await take(tour, begun)
                begun = time.monotonic()
    except Exception as error:
        row(revision, "close" if passed else "connect", "FAIL", begun, f"{type(error).__name__}: {error}".splitlines()[0])
        return False
    row(revision, "close", "pass", begun, "")
    return passed


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: {sys.argv[0]} URL REVISION [TOKEN_FILE]")
    logging.disable(logging.CRITICAL)
    sys.exit(0 if anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) == 4 else None) else 1)
