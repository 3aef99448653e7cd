"""Addresses of pods and Services, as a cluster has them, on the loopback
network: each gets a 127.x.y.z of its own, so that all ports are those of the
manifests."""

import asyncio
import os
import random
import threading

CHUNK_BYTES = 64 * 1024

Endpoint = tuple[str, int]


class Addresses:
    """Hands out addresses that no other run on this machine has, likely."""

    def __init__(self) -> None:
        seed = random.Random(os.urandom(8))
        self._net = f"127.{seed.randrange(10, 250)}.{seed.randrange(1, 250)}"
        self._next = 2

    def take(self) -> str:
        # One that was used may have connections that are not quite over.
        self._next += 1
        if self._next > 250:
            raise RuntimeError("no address is left")
        return f"{self._net}.{self._next}"


class ServicePort:
    """One port of a Service's cluster IP, as kube-proxy does it: a connection
    goes to one of the endpoints and stays there, whatever becomes of the
    endpoints; with none it is refused. Thread-safe."""

    def __init__(self, ip: str, port: int):
        self.ip, self.port = ip, port
        self._endpoints: list[Endpoint] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task] = set()
        self._random = random.Random(port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever,
                                        daemon=True)
        self._thread.start()

    def set_endpoints(self, endpoints: list[Endpoint]) -> None:
        self._call(self._set(endpoints))

    def _call(self, coroutine) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _set(self, endpoints: list[Endpoint]) -> None:
        self._endpoints = endpoints
        if endpoints and self._server is None:
            self._server = await asyncio.start_server(self._accept, self.ip,
                                                      self.port)
        elif not endpoints and self._server is not None:
            self._server.close()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader,
                      writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        ends = [writer]
        try:
            target_reader, target = await asyncio.open_connection(
                *self._random.choice(self._endpoints))
            ends.append(target)
            pumps = [asyncio.ensure_future(self._pump(reader, target)),
                     asyncio.ensure_future(self._pump(target_reader, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, IndexError, asyncio.CancelledError):
            pass
        finally:
            for end in ends:
                end.close()
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader,
                    writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()

    def close(self) -> None:
        async def stop() -> None:
            await self._set([])
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        self._call(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()
