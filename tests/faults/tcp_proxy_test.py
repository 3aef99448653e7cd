"""The proxy against an echo server."""

import socket
import socketserver
import sys
import threading
import time
import unittest

from tests.faults.tcp_proxy import TcpProxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class TcpProxyTest(unittest.TestCase):
    def setUp(self):
        self.server = Server(("127.0.0.1", 0), Echo)
        thread = threading.Thread(target=self.server.serve_forever,
                                  daemon=True)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.proxy = TcpProxy(self.server.server_address[1])
        self.addCleanup(self.proxy.close)

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.proxy.port))
        client.settimeout(10)
        self.addCleanup(client.close)
        return client

    def read(self, client: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += client.recv(count - len(data))
        return data

    def assert_silent(self, client: socket.socket) -> None:
        client.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            client.recv(1)
        client.settimeout(10)

    def test_forwards_both_ways(self):
        client = self.connect()
        data = bytes(range(256)) * 4096
        threading.Thread(target=client.sendall, args=(data,)).start()
        self.assertEqual(self.read(client, len(data)), data)

    def test_a_partition_holds_back_and_healing_lets_through(self):
        for directions in ("both", "up", "down"):
            with self.subTest(directions):
                client = self.connect()
                self.proxy.partition(directions)
                client.sendall(b"held")
                self.assert_silent(client)
                self.proxy.heal()
                self.assertEqual(self.read(client, 4), b"held")

    def test_a_new_connection_is_silent_too(self):
        self.proxy.partition("both")
        client = self.connect()
        client.sendall(b"new")
        self.assert_silent(client)
        self.proxy.heal()
        self.assertEqual(self.read(client, 3), b"new")

    def test_a_cut_resets(self):
        client = self.connect()
        client.sendall(b"x")
        self.read(client, 1)
        self.proxy.cut()
        with self.assertRaises(ConnectionResetError):
            client.recv(1)
        again = self.connect()
        again.sendall(b"y")
        self.assertEqual(self.read(again, 1), b"y")

    def test_delay_and_loss_keep_the_bytes(self):
        self.proxy.delay_s = 0.2
        self.proxy.loss = 0.5
        client = self.connect()
        begin = time.monotonic()
        client.sendall(b"late")
        self.assertEqual(self.read(client, 4), b"late")
        self.assertGreater(time.monotonic() - begin, 0.39)

    def test_the_end_of_a_connection_passes(self):
        client = self.connect()
        client.sendall(b"x")
        self.read(client, 1)
        client.shutdown(socket.SHUT_WR)
        try:
            self.assertEqual(client.recv(1), b"")
        except ConnectionResetError:
            pass

    def test_a_target_that_is_not_there_ends_the_connection(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with TcpProxy(port) as proxy:
            client = socket.create_connection(("127.0.0.1", proxy.port))
            self.addCleanup(client.close)
            client.settimeout(10)
            try:
                self.assertEqual(client.recv(1), b"")
            except ConnectionResetError:
                pass


if __name__ == "__main__":
    del sys.argv[1:]
    unittest.main(verbosity=2)
