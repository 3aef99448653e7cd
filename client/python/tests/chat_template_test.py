"""Chat templates in the styles that models have them."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from hybridserve import chat_template
from hybridserve.chat_template import ChatTemplateError, convert, read

COMMAND = (pathlib.Path(os.environ["HYBRIDSERVE_TEST_PREFIX"]) / "bin"
           / "hybridserve-chat-template")

MARKED = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
    "'<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
MARKED_TEXT = (
    "{{#MESSAGES}}"
    "{{#SYSTEM}}<|im_start|>system\n{{CONTENT}}<|im_end|>\n{{/SYSTEM}}"
    "{{#USER}}<|im_start|>user\n{{CONTENT}}<|im_end|>\n{{/USER}}"
    "{{#ASSISTANT}}<|im_start|>assistant\n{{CONTENT}}<|im_end|>\n{{/ASSISTANT}}"
    "{{/MESSAGES}}<|im_start|>assistant\n\n")
TOLD_WHO_IT_IS = (
    "{%- if messages[0]['role'] != 'system' %}"
    "{{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}"
    "{%- endif %}\n" + MARKED)
HEADERS = (
    "{% for m in messages %}"
    "{% set said = '<|start|>' + m['role'] + '<|end|>\\n\\n' + "
    "m['content'] | trim + '<|eot|>' %}"
    "{% if loop.index0 == 0 %}{% set said = bos_token + said %}{% endif %}"
    "{{ said }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant<|end|>\\n\\n' }}"
    "{% endif %}")
TURNS = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}"
    "{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}"
    "{% endfor %}")
MERGED_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}"
    "{% set system = messages[0]['content'] + '\\n\\n' %}"
    "{% set messages = messages[1:] %}{% endif %}"
    "{% for message in messages %}"
    "{{ '[' + message['role'] + ']' }}"
    "{% if loop.first %}{{ system }}{% endif %}"
    "{{ message['content'] }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}")
BOS_IN_EVERY_TURN = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}"
    "{% endfor %}")


class ConvertTest(unittest.TestCase):
    def assert_refused(self, template, reason, tokens=None):
        with self.assertRaisesRegex(ChatTemplateError, reason):
            convert(template, tokens)

    def test_each_roles_text_is_found(self):
        converted = convert(MARKED)
        self.assertEqual(converted.text, MARKED_TEXT)
        self.assertEqual(converted.notes, ())

    def test_what_stands_in_for_a_system_message(self):
        converted = convert(TOLD_WHO_IT_IS)
        self.assertEqual(
            converted.text, "{{#NO_SYSTEM}}<|im_start|>system\nYou help."
            "<|im_end|>\n{{/NO_SYSTEM}}" + MARKED_TEXT)
        self.assertEqual(converted.notes, ())

    def test_the_tokenizers_own_token_is_left_out(self):
        converted = convert(HEADERS, {"bos_token": "<bos>"})
        self.assertTrue(converted.text.startswith(
            "{{#MESSAGES}}{{#SYSTEM}}<|start|>system<|end|>\n\n{{CONTENT}}"
            "<|eot|>{{/SYSTEM}}{{#USER}}<|start|>user<|end|>\n\n"))
        [note] = converted.notes
        self.assertIn("white space", note)

    def test_without_a_place_for_system_messages(self):
        converted = convert(TURNS, {"bos_token": "<s>", "eos_token": "</s>"})
        self.assertEqual(
            converted.text, "{{#MESSAGES}}{{#USER}}[INST] {{CONTENT}} [/INST]"
            "{{/USER}}{{#ASSISTANT}}{{CONTENT}}</s>{{/ASSISTANT}}"
            "{{/MESSAGES}}\n")
        [note] = converted.notes
        self.assertIn("Roles must alternate", note)
        [note] = convert(MERGED_SYSTEM).notes
        self.assertIn("part of another message", note)

    def test_what_says_more_is_refused(self):
        self.assert_refused(BOS_IN_EVERY_TURN, "before a user's message",
                            {"bos_token": "<s>", "eos_token": "</s>"})
        self.assert_refused(
            "{% for m in messages %}{{ loop.index }} {{ m.content }} "
            "{% endfor %}", "depends on more")
        # Only a longer conversation shows it.
        self.assert_refused(
            MARKED + "{% if messages | length > 4 %}!{% endif %}",
            "user, assistant, user, assistant, user it says .*!")
        # What is said shows it.
        self.assert_refused(
            "{% for m in messages %}{{ m.content | replace('\\n', ' ') }}"
            "{% endfor %}", "it says")
        self.assert_refused("{{ messages[-1].content }}", "does not show all")
        self.assert_refused("{% raw %}{{{% endraw %}" + MARKED, "begins a")
        self.assert_refused("{{ raise_exception('No.') }}", "No[.]")
        self.assert_refused("{% for %}", "no Jinja2")
        self.assert_refused("{{ bos_token + none }}", "does not take")

    def test_templates_cannot_reach_out(self):
        self.assert_refused("{{ ''.__class__.__mro__ }}" + MARKED,
                            "does not take|does not show")
        self.assert_refused("{{ messages.append(1) }}" + MARKED,
                            "does not take")

    def test_what_is_missing_is_named(self):
        with mock.patch.dict(sys.modules, {"jinja2": None}):
            self.assert_refused(MARKED, r"pip install 'hybridserve\[chat\]'")


class FolderTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def write(self, **config):
        (self.folder / "tokenizer_config.json").write_text(json.dumps(config))

    def test_reads_what_folders_hold(self):
        self.write(chat_template="a", bos_token={"content": "<s>"},
                   eos_token="</s>", pad_token=None, add_bos_token=True)
        self.assertEqual(read(self.folder), (
            "a", {"bos_token": "<s>", "eos_token": "</s>"}))
        self.write(chat_template=[{"name": "rag", "template": "b"},
                                  {"name": "default", "template": "c"}])
        self.assertEqual(read(self.folder), ("c", {}))
        (self.folder / "chat_template.jinja").write_text("d")
        self.assertEqual(read(self.folder), ("d", {}))

    def test_says_what_they_lack(self):
        self.write()
        with self.assertRaisesRegex(ChatTemplateError, "no chat_template"):
            read(self.folder)
        self.write(chat_template=[{"name": "rag", "template": "b"}])
        with self.assertRaisesRegex(ChatTemplateError, "only .'rag'."):
            read(self.folder)

    def test_the_command(self):
        self.write(chat_template=TURNS, bos_token="<s>", eos_token="</s>")
        done = subprocess.run([COMMAND, self.folder], capture_output=True,
                              text=True, check=True)
        self.assertEqual(done.stdout, convert(*read(self.folder)).text)
        self.assertIn("Roles must alternate", done.stderr)
        (self.folder / "tokenizer_config.json").unlink()
        done = subprocess.run([COMMAND, self.folder], capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("tokenizer_config.json", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_the_module_is_the_command(self):
        self.write(chat_template=MARKED)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(chat_template.main([str(self.folder)]), 0)
        self.assertEqual(out.getvalue(), MARKED_TEXT)


if __name__ == "__main__":
    unittest.main()
