"""The yardstick: what one writes by hand to pass a model's stream on, without login and without storage."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from tests.bench.streams import probe

UPSTREAM = os.environ["BENCH_UPSTREAM"]


class Question(BaseModel):
    """What is asked."""

    text: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold one client for all requests."""
    watching = asyncio.create_task(probe.watch_asyncio())
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=UPSTREAM, limits=limits, timeout=60) as client:
        app.state.client = client
        yield
    watching.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/stream")
async def stream(question: Question) -> StreamingResponse:
    """Answer with the model's text as server-sent events."""
    return StreamingResponse(relay(question.text), media_type="text/event-stream")


@app.get("/healthz/live")
async def live() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "live"}


async def relay(text: str) -> AsyncIterator[str]:
    """Ask the upstream and pass on each token as it comes."""
    client: httpx.AsyncClient = app.state.client
    body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": text}]}
    async with client.stream("POST", "/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            token = json.loads(line[6:])["choices"][0]["delta"].get("content")
            if token:
                yield f"data: {json.dumps({'t': token}, ensure_ascii=False)}\n\n"
    yield "event: done\ndata: {}\n\n"
