"""Every recipe of docs/recipes.md, and the package's README, as they stand."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory

from client.python.tests.live_service import (PROGRAMS, WORKER,
                                              LiveServiceTest)
from hybridserve import _details
from tests.e2e.certificates import Authority
from tests.e2e.processes import Cluster

PAGE = pathlib.Path("docs") / "recipes.md"
README = pathlib.Path("client") / "python" / "README.md"
ADDRESS = "localhost:50051"
SECURE_ADDRESS = "scheduler.example.com:50051"
# For ray_test.py.
NEEDS_RAY = "Ray Data"
# At the end of a URL or an argument.
METHOD = re.compile(r"([a-z.]+\.v1\.[A-Za-z]+)/([A-Za-z]+)$")


def sections(page: pathlib.Path, language: str) -> dict[str, str]:
    """By heading, the blocks of a language below it, joined."""
    found: dict[str, str] = {}
    heading, block = "", None
    for line in page.read_text().splitlines():
        if block is not None:
            if line == "```":
                if block:
                    found[heading] = found.get(heading, "") + "\n".join(
                        block[1:]) + "\n"
                block = None
            elif block:
                block.append(line)
        elif line.startswith("```"):
            block = [line] if line == f"```{language}" else []
        elif line.startswith("## "):
            heading = line[3:]
    return found


def run_program(text: str, address: str, folder: str,
                secure_address: str = "") -> str:
    """What a recipe prints."""
    program = pathlib.Path(folder) / "recipe.py"
    program.write_text(text.replace(f'"{ADDRESS}"', f'"{address}"').replace(
        f'"{SECURE_ADDRESS}"', f'"{secure_address}"'))
    done = subprocess.run([sys.executable, program], cwd=folder,
                          capture_output=True, text=True, timeout=500,
                          env={**os.environ, "PYTHONUTF8": "1"})
    if done.returncode != 0:
        raise AssertionError(f"{text}\nexited with {done.returncode}:\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


def calls(shell: str) -> list[tuple[str, str, str]]:
    """Of curl and grpcurl commands: service, method and body."""
    found = []
    for command in shell.split("\n\n"):
        words = shlex.split(command.replace("\\\n", " "))
        target = [word for word in words if METHOD.search(word)]
        if target and "-d" in words:
            found.append((*METHOD.search(target[0]).groups(),
                          words[words.index("-d") + 1]))
    return found


class PythonRecipesTest(LiveServiceTest):
    def test_every_python_recipe_runs(self):
        recipes = sections(PAGE, "python")
        self.assertGreaterEqual(len(recipes), 7)
        for heading, text in recipes.items():
            if heading in (NEEDS_RAY, "Certificates and keys"):
                continue
            with self.subTest(heading), \
                    tempfile.TemporaryDirectory() as folder:
                self.assertIn(ADDRESS, text)
                self.assertTrue(run_program(text, self.address, folder))
        self.assert_soon(self.at_rest, "the slots are back")

    def test_the_readmes_does(self):
        [text] = sections(README, "python").values()
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(run_program(text, self.address, folder))

    def test_the_one_with_certificates_and_keys(self):
        text = sections(PAGE, "python")["Certificates and keys"]
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            authority = Authority(folder, "ca")
            server, client = (authority.issue(name)
                              for name in ("server", "client"))
            self.assertEqual(client.key, folder / "client.key")
            (folder / "key").write_text("client-key\n")
            (folder / "worker_key").write_text("worker-key\n")
            (folder / "keys").write_text("client-key roles=inference\n"
                                         "worker-key roles=worker\n")
            ca = f"--tls_ca={authority.certificate}"
            with Cluster(PROGRAMS, [[
                    *WORKER, ca, *client.flags(),
                    f"--api_key_file={folder / 'worker_key'}"]], [
                        *server.flags(), ca,
                        f"--api_keys={folder / 'keys'}"]) as cluster:
                self.assertTrue(run_program(text, "", temporary,
                                            cluster.address))

    def test_every_json_body_is_taken_by_its_method(self):
        pools = {"hybridserve.v1": descriptor_pool.Default(),
                 "grpc.health.v1": _details._POOL}
        recipes = sections(PAGE, "sh")
        self.assertEqual(len(recipes), 2)
        with grpc.insecure_channel(self.address) as channel:
            for heading, shell in recipes.items():
                found = calls(shell)
                self.assertGreaterEqual(len(found), 3, shell)
                for service, method, body in found:
                    with self.subTest(heading, service=service,
                                      method=method):
                        pool = pools[service.rpartition(".")[0]]
                        described = pool.FindServiceByName(
                            service).methods_by_name[method]
                        self.send(channel, service, described, body)

    def send(self, channel, service, method, body):
        request, response = (message_factory.GetMessageClass(each)
                             for each in (method.input_type,
                                          method.output_type))
        make = (channel.unary_stream if method.server_streaming
                else channel.unary_unary)
        call = make(f"/{service}/{method.name}",
                    request_serializer=request.SerializeToString,
                    response_deserializer=response.FromString)
        answer = call(json_format.Parse(body, request()), timeout=60)
        messages = list(answer) if method.server_streaming else [answer]
        self.assertTrue(messages[0].ByteSize())


if __name__ == "__main__":
    unittest.main()
