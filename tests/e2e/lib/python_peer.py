"""An independent WebSocket implementation (python3-websockets) at either end.

    python_peer.py server            prints its port, then echoes until killed
    python_peer.py client URL        runs a fixed conversation with an echo server, prints one JSON object
"""

import asyncio
import json
import os
import ssl
import sys

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def serve():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, subprotocols=["echo.v1"], ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def converse(url):
    result = {}
    context = None
    if url.startswith("wss:"):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    async with websockets.connect(url, ssl=context, max_size=None, subprotocols=["other", "echo.v1"], ping_interval=None) as socket:
        result["subprotocol"] = socket.subprotocol
        result["extensions"] = [extension.name for extension in socket.extensions]
        same = True
        for message in ("", "hello", "\u00fc\U0001f600" * 1000, b"", b"\x00\xff", os.urandom(70000), "x" * 65535, "y" * 65536):
            await socket.send(message)
            same = same and await socket.recv() == message
        parts = ["one ", "two ", "", "three"]
        await socket.send(parts)  # as fragments
        same = same and await socket.recv() == "".join(parts)
        result["same"] = same
        await asyncio.wait_for(await socket.ping(b"app"), 5)
        result["ponged"] = True
        await socket.close(4001, "enough")
    result["close"] = [socket.close_code, socket.close_reason]
    print(json.dumps(result), flush=True)


if sys.argv[1] == "server":
    asyncio.run(serve())
else:
    asyncio.run(converse(sys.argv[2]))
