"""What tests of hybridserve-openai by OpenAI's own Python package share: a
cluster, the gateway in front of it, and the package's client."""

import json
import pathlib
import tempfile
import unittest

import openai

from tests.e2e import generated_client as pb
from tests.e2e.openai_gateway import OpenAiGateway
from tests.e2e.processes import Cluster, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of random weights: its text is of random bytes, which is what makes it good
# for this.
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
NAME = "pre_norm"
TEMPLATE = ("{{#MESSAGES}}{{#SYSTEM}}{{CONTENT}}\n{{/SYSTEM}}"
            "{{#USER}}Q: {{CONTENT}}\n{{/USER}}"
            "{{#ASSISTANT}}A: {{CONTENT}}\n{{/ASSISTANT}}{{/MESSAGES}}A:\n")
MESSAGES = [{"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "{{CONTENT}} Two?"}]
RENDERED = "Be brief.\nQ: One?\nA: 1\nQ: {{CONTENT}} Two?\nA:"


class OpenAiCase(unittest.TestCase):
    """Give `programs` before the tests run."""

    programs: Programs

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        template = cls.folder / "chat.tpl"
        template.write_text(TEMPLATE)
        cls.cluster = Cluster(cls.programs, [[
            f"--model_dir={MODEL}", "--device_memory=min",
            "--dtype=float32"]])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.gateway = OpenAiGateway(cls.programs, cls.cluster,
                                    f"--chat_template={template}")
        cls.addClassCleanup(cls.gateway.__exit__)
        cls.client = openai.OpenAI(base_url=cls.gateway.url, api_key="any",
                                   max_retries=0, timeout=120)
        cls.addClassCleanup(cls.client.close)
        cls.protocol = pb.Client(cls.cluster.address)
        cls.addClassCleanup(cls.protocol.__exit__)

    def complete(self, prompt="Once", **fields):
        return self.client.completions.create(
            model=NAME, prompt=prompt, **{"max_tokens": 12, **fields})

    def chat(self, **fields):
        return self.client.chat.completions.create(
            model=NAME, messages=MESSAGES, **{"max_tokens": 12, **fields})

    def generate(self, prompt: str, *flags: str) -> dict:
        """What the command line makes of it."""
        done = self.cluster.client("generate", f"--prompt={prompt}",
                                   "--output=json", *flags)
        return json.loads(done.stdout)

    def assert_bad(self, call, kind, param=None, code=None):
        with self.assertRaises(kind) as raised:
            call()
        self.assertEqual(raised.exception.param, param, raised.exception)
        self.assertEqual(raised.exception.code, code)
        self.assertEqual(raised.exception.type, "invalid_request_error")
        return raised.exception
