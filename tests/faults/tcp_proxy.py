"""A TCP proxy that does to a connection what a network can: silence, delay,
lost packets (as TCP shows them: stalls), resets."""

import asyncio
import random
import socket
import struct
import threading
from typing import Set

# A retransmission's first timeout, and how often it may double.
RETRANSMIT_S = 0.2
RETRANSMISSIONS = 3
CHUNK_BYTES = 64 * 1024


class TcpProxy:
    """Forwards 127.0.0.1:`port` to `target_port`. Its settings may be changed
    at any time and hold for old and new connections. Thread-safe."""

    def __init__(self, target_port: int, seed: int = 0):
        self.target_port = target_port
        # Directions that pass nothing; what was sent meanwhile comes through
        # when that ends, as it would from TCP.
        self.silent: Set[str] = set()  # "up": to the target; "down"
        self.delay_s = 0.0
        self.loss = 0.0  # Share of chunks that have to be sent again.
        self._rng = random.Random(seed)
        self._tasks: Set[asyncio.Task] = set()
        self._writers: Set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,),
                                        daemon=True)
        self._thread.start()
        ready.wait()
        self._server = self._call(asyncio.start_server(
            self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(ready.set)
        self._loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(
            coroutine, self._loop).result(30)

    def partition(self, directions: str) -> None:
        """"both", "up" or "down"."""
        self.silent = ({"up", "down"} if directions == "both"
                       else {directions})

    def heal(self) -> None:
        self.silent = set()
        self.delay_s = 0.0
        self.loss = 0.0

    def cut(self) -> None:
        """Resets all connections."""
        self._call(self._cut())

    async def _cut(self) -> None:
        for writer in list(self._writers):
            # With this, closing sends a reset.
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader,
                      writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        self._writers.add(writer)
        target = None
        try:
            target_reader, target = await asyncio.open_connection(
                "127.0.0.1", self.target_port)
            self._writers.add(target)
            done, pending = await asyncio.wait(
                [asyncio.ensure_future(self._pump("up", reader, target)),
                 asyncio.ensure_future(self._pump("down", target_reader,
                                                  writer))],
                return_when=asyncio.FIRST_COMPLETED)
            for pump in pending:
                pump.cancel()
            await asyncio.gather(*done, *pending, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for end in (writer, target):
                if end is not None:
                    self._writers.discard(end)
                    end.transport.abort()
            self._tasks.discard(task)

    async def _pump(self, direction: str, reader: asyncio.StreamReader,
                    writer: asyncio.StreamWriter) -> None:
        """Until either end closes; a closing is news, which silence holds
        back too."""
        while True:
            data = await reader.read(CHUNK_BYTES)
            pause = self.delay_s
            if self.loss > 0:
                for attempt in range(RETRANSMISSIONS):
                    if self._rng.random() >= self.loss:
                        break
                    pause += RETRANSMIT_S * 2 ** attempt
            if pause > 0:
                await asyncio.sleep(pause)
            while direction in self.silent:
                await asyncio.sleep(0.02)
            if not data:
                return
            writer.write(data)
            await writer.drain()

    def close(self) -> None:
        async def stop() -> None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        self._call(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
