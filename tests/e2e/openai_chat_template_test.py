"""Models' own chat templates, as the Python package gives them to
hybridserve-openai: prompts are those of Hugging Face's apply_chat_template.

Usage: openai_chat_template_test.py PROGRAMS_ROOT
"""

import os
import pathlib
import sys
import unittest

os.environ["USE_TORCH"] = "0"  # Which does not go with grpc_tools.

import openai  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "client" / "python" / "src"))

from hybridserve import chat_template  # noqa: E402
from tests.e2e.openai_case import MODEL, NAME, OpenAiCase  # noqa: E402
from tests.e2e.openai_gateway import OpenAiGateway  # noqa: E402
from tests.e2e.processes import Programs  # noqa: E402

TEMPLATES = {
    "told who it is": (
        "{% for m in messages %}"
        "{% if loop.first and m['role'] != 'system' %}"
        "{{ '<system>\\nHelp.\\n' }}{% endif %}"
        "{{ '<' + m['role'] + '>\\n' + m['content'] + '\\n' }}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ '<assistant>\\n' }}{% endif %}"),
    "begins with the tokenizer's token": (
        "{{ bos_token }}"
        "{% for m in messages %}"
        "{% if m['role'] == 'system' %}{{ m['content'] + '\\n\\n' }}"
        "{% elif m['role'] == 'user' %}"
        "{{ '[INST] ' + m['content'] + ' [/INST]' }}"
        "{% else %}{{ ' ' + m['content'] + ';' }}{% endif %}"
        "{% endfor %}"),
}
TALKS = [
    [("user", "One?")],
    [("user", "One? {{CONTENT}}"), ("assistant", "1\n"), ("user", "Two?")],
    [("system", "Be brief: <b>&amp;"), ("user", "é")],
    [("system", "x"), ("user", "One?"), ("assistant", "1"), ("user", "Two?")],
]


class OpenAiChatTemplateTest(OpenAiCase):
    def test_prompts_are_hugging_faces(self):
        tokenizer = AutoTokenizer.from_pretrained(MODEL)
        for name, template in TEMPLATES.items():
            with self.subTest(name):
                converted = chat_template.convert(
                    template, {"bos_token": tokenizer.bos_token})
                self.assertEqual(converted.notes, ())
                file = self.folder / "converted.tpl"
                file.write_text(converted.text)
                with OpenAiGateway(self.programs, self.cluster,
                                   f"--chat_template={file}") as gateway:
                    self.compare(gateway, tokenizer, template)

    def compare(self, gateway, tokenizer, template):
        client = self.client.with_options(base_url=gateway.url)
        for talk in TALKS:
            messages = [{"role": role, "content": content}
                        for role, content in talk]
            prompt = tokenizer.apply_chat_template(
                messages, chat_template=template, tokenize=False,
                add_generation_prompt=True)
            # Which the server's tokenizer adds.
            prompt = prompt.removeprefix(tokenizer.bos_token)
            expected = self.complete(prompt, temperature=0)
            got = client.chat.completions.create(
                model=NAME, messages=messages, temperature=0, max_tokens=12)
            self.assertEqual(got.choices[0].message.content,
                             expected.choices[0].text, prompt)
            self.assertEqual(got.usage, expected.usage)

    def test_each_model_has_its_own(self):
        self.cluster.add_worker([
            f"--model_dir={MODEL}", "--device_memory=min", "--dtype=float32",
            "--model_name=other"])
        flags = []
        for model, mark in ((NAME, "Q"), ("other", "Frage")):
            file = self.folder / f"{model}.tpl"
            file.write_text("{{#MESSAGES}}%s: {{CONTENT}};{{/MESSAGES}}" % mark)
            flags.append(f"{model}={file}")
        with OpenAiGateway(self.programs, self.cluster,
                           "--chat_template=" + ",".join(flags)) as gateway:
            client = self.client.with_options(base_url=gateway.url)
            asked = {"messages": [{"role": "user", "content": "One?"}],
                     "temperature": 0, "max_tokens": 12}
            for model, mark in ((NAME, "Q"), ("other", "Frage")):
                got = client.chat.completions.create(model=model, **asked)
                expected = self.complete(f"{mark}: One?;", temperature=0)
                self.assertEqual(got.choices[0].message.content,
                                 expected.choices[0].text, model)
            self.assert_bad(
                lambda: client.chat.completions.create(model="third", **asked),
                openai.BadRequestError, "model")


if __name__ == "__main__":
    OpenAiCase.programs = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
