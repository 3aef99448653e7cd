"""Chat templates of model folders, for hybridserve-openai.

    pip install 'hybridserve[chat]'
    hybridserve-chat-template MODEL_DIR > chat.tpl
    hybridserve-openai --chat_template=chat.tpl ...

Model folders have them in Jinja2, a language of programs; the gateway takes a
text with places for what is said. Most templates say no more than that. So a
model's template is shown some conversations, what it put around each message is
taken from its answers, and the result is tried on others. A template that says
more than such a text can is refused with the reason: nothing is approximated.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

__all__ = ["ChatTemplate", "ChatTemplateError", "convert", "read"]

Message = Dict[str, str]
# A conversation, and whether the model is to answer it, as a prompt.
Render = Callable[[Sequence[Message], bool], str]

_ROLES = ("system", "user", "assistant")
# Contents that no template says of its own accord, or changes.
_CONTENTS = {"system": "zq0system", "user": "zq1user",
             "assistant": "zq2assistant"}
_TRIED_ROLES = (
    ("user",),
    ("user", "assistant", "user"),
    ("user", "assistant", "user", "assistant", "user"),
    ("system", "user"),
    ("system", "user", "assistant", "user"),
    ("system", "user", "assistant", "user", "assistant", "user"),
)
_TRIED_CONTENTS = ("One?", "<b>\"{{ x }}\" & {% y %}</b>", "two\n\nlines: 3", "é")


class ChatTemplateError(ValueError):
    """The template cannot be had as a text with places."""


class _Refused(Exception):
    """The template raised it on a conversation that it does not take."""


@dataclasses.dataclass(frozen=True)
class ChatTemplate:
    """What hybridserve-openai takes, and what is to be known of it."""

    text: str
    notes: Tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Pieces:
    """What a template puts where."""

    beginning: str
    around: Mapping[str, Tuple[str, str]]  # Each role's messages.
    answer: str  # Where the model goes on.
    always_begins: bool = True  # Or only without a system message.

    def render(self, messages: Sequence[Message]) -> str:
        """As the gateway does."""
        said = []
        for message in messages:
            before, after = self.around[message["role"]]
            said.append(before + message["content"] + after)
        begins = self.always_begins or all(
            message["role"] != "system" for message in messages)
        return (self.beginning if begins else "") + "".join(said) + self.answer

    def text(self) -> str:
        """In the gateway's language."""
        texts = [self.beginning, self.answer]
        for both in self.around.values():
            texts += both
        if any("{{" in text for text in texts):
            raise ChatTemplateError("it says {{, which begins a place")
        parts = [self.beginning if self.always_begins else
                 "{{#NO_SYSTEM}}" + self.beginning + "{{/NO_SYSTEM}}"]
        parts.append("{{#MESSAGES}}")
        for role in _ROLES:
            if role in self.around:
                before, after = self.around[role]
                name = role.upper()
                parts.append(f"{{{{#{name}}}}}{before}{{{{CONTENT}}}}{after}"
                             f"{{{{/{name}}}}}")
        parts += ["{{/MESSAGES}}", self.answer, "\n"]
        return "".join(parts)


def convert(template: str,
            special_tokens: Optional[Mapping[str, str]] = None
            ) -> ChatTemplate:
    """A template in Jinja2, in the gateway's language.

    Args:
        template: of the model.
        special_tokens: by the names that templates have for them, such as
            bos_token. That one is left out where conversations begin with it,
            as tokenizers add it by themselves.

    Raises:
        ChatTemplateError: with the reason, if there is no such text.
    """
    tokens = dict(special_tokens or {})
    render = _without(tokens.get("bos_token") or "",
                      _jinja(template, tokens))
    notes: List[str] = []
    pieces = _find_pieces(render, notes)
    _compare(render, pieces)
    if not _keeps_space(render, pieces):
        notes.append("the model's template takes white space off the ends of "
                     "contents, which the gateway does not: send them without")
    return ChatTemplate(pieces.text(), tuple(notes))


def read(model_dir: pathlib.Path) -> Tuple[str, Dict[str, str]]:
    """The template and the special tokens of a model's folder.

    Raises:
        ChatTemplateError: if it has no template, or several without a default.
        OSError, ValueError: if its files cannot be read.
    """
    path = model_dir / "tokenizer_config.json"
    config: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    tokens = {}
    for name, value in config.items():
        if name.endswith("_token"):
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str):
                tokens[name] = text
    apart = model_dir / "chat_template.jinja"
    if apart.exists():
        return apart.read_text(encoding="utf-8"), tokens
    template = config.get("chat_template")
    if isinstance(template, list):
        named = {each["name"]: each["template"] for each in template}
        if "default" not in named:
            raise ChatTemplateError(
                f"{path}: chat_template has no \"default\", only "
                f"{sorted(named)}")
        template = named["default"]
    if not isinstance(template, str):
        raise ChatTemplateError(
            f"{path} has no chat_template: this model was taught no chats, or "
            f"its card says in words how they look")
    return template, tokens


def _jinja(template: str, tokens: Mapping[str, str]) -> Render:
    """Renders as Hugging Face's tokenizers do."""
    try:
        import jinja2
        import jinja2.sandbox
    except ImportError:
        raise ChatTemplateError(
            "needs jinja2: pip install 'hybridserve[chat]'") from None

    def refuse(message: str) -> None:
        raise _Refused(message)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"])
    environment.globals["raise_exception"] = refuse
    environment.filters["tojson"] = (
        lambda value, indent=None: json.dumps(value, ensure_ascii=False,
                                              indent=indent))
    try:
        parsed = environment.from_string(template)
    except jinja2.TemplateError as error:
        raise ChatTemplateError(f"it is no Jinja2: {error}") from error

    def render(messages: Sequence[Message], answer: bool) -> str:
        try:
            text: str = parsed.render(
                messages=list(messages), tools=None, documents=None,
                add_generation_prompt=answer, **tokens)
            return text
        except (jinja2.TemplateError, TypeError) as error:
            raise _Refused(str(error)) from error

    return render


def _without(bos: str, render: Render) -> Render:
    """Leaves out the token that begins a conversation."""

    def without(messages: Sequence[Message], answer: bool) -> str:
        return render(messages, answer).removeprefix(bos)

    return without


def _talk(*roles: str) -> List[Message]:
    return [{"role": role, "content": _CONTENTS[role]} for role in roles]


def _between(render: Render, roles: Sequence[str], answer: bool) -> List[str]:
    """What is said before, between and after the contents."""
    rest = render(_talk(*roles), answer)
    parts = []
    for role in roles:
        before, found, rest = rest.partition(_CONTENTS[role])
        if not found:
            raise ChatTemplateError(
                f"it does not show all messages of {', '.join(roles)} in order")
        parts.append(before)
    return [*parts, rest]


def _cut(text: str, begin: str, end: str, where: str) -> str:
    """`text` without what it begins and ends with."""
    if (len(text) < len(begin) + len(end) or not text.startswith(begin)
            or not text.endswith(end)):
        raise ChatTemplateError(f"what it says {where} depends on more than "
                                f"that")
    return text[len(begin):len(text) - len(end)]


def _find_pieces(render: Render, notes: List[str]) -> _Pieces:
    try:
        first, after_user = _between(render, ["user"], False)
        _, then, after_assistant = _between(render, ["user", "assistant"],
                                            False)
        _, _, again, last = _between(render, ["user", "assistant", "user"],
                                     True)
    except _Refused as error:
        raise ChatTemplateError(
            f"it does not take users' and assistants' turns: {error}"
        ) from error
    before_assistant = _cut(then, after_user, "", "after a user's message")
    before_user = _cut(again, after_assistant, "",
                       "after an assistant's message")
    beginning = _cut(first, "", before_user, "before a user's message")
    around = {"user": (before_user, after_user),
              "assistant": (before_assistant, after_assistant)}
    pieces = _Pieces(beginning, around,
                     _cut(last, after_user, "", "at the end"))
    try:
        head, middle, tail = _between(render, ["system", "user"], False)
        after_system = _cut(middle, "", before_user, "after a system message")
        _cut(tail, after_user, "", "at the end")
    except (_Refused, ChatTemplateError) as error:
        notes.append("no place for system messages, which the gateway will "
                     f"refuse: {_about_system(error)}")
        return pieces
    if head.startswith(beginning):
        around["system"] = (head[len(beginning):], after_system)
        return pieces
    # Models are often told who they are unless somebody else does.
    around["system"] = (head, after_system)
    return dataclasses.replace(pieces, always_begins=False)


def _about_system(error: Exception) -> str:
    if isinstance(error, _Refused):
        return f"the model's template says \"{error}\""
    return "the model's template makes them a part of another message"


def _compare(render: Render, pieces: _Pieces) -> None:
    """Raises ChatTemplateError if the two differ on some conversation."""
    for roles in _TRIED_ROLES:
        if not set(roles) <= set(pieces.around):
            continue
        messages = [
            {"role": role, "content": _TRIED_CONTENTS[i % len(_TRIED_CONTENTS)]}
            for i, role in enumerate(roles)]
        try:
            expected = render(messages, True)
        except _Refused as error:
            raise ChatTemplateError(
                f"it does not take {', '.join(roles)}: {error}") from error
        got = pieces.render(messages)
        if got != expected:
            raise ChatTemplateError(
                f"for {', '.join(roles)} it says {expected!r}, and with what "
                f"it says around each message it would be {got!r}")


def _keeps_space(render: Render, pieces: _Pieces) -> bool:
    messages = [{"role": role, "content": f" {role}\n"}
                for role in ("user", "assistant", "user")]
    return render(messages, True) == pieces.render(messages)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The command hybridserve-chat-template."""
    parser = argparse.ArgumentParser(
        prog="hybridserve-chat-template",
        description="Writes a model's chat template as hybridserve-openai "
        "takes it (--chat_template) to standard output.")
    parser.add_argument("model_dir", type=pathlib.Path,
                        help="a model's folder, with tokenizer_config.json")
    model_dir = parser.parse_args(arguments).model_dir
    try:
        converted = convert(*read(model_dir))
    except (ChatTemplateError, OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    for note in converted.notes:
        print(f"{parser.prog}: {note}", file=sys.stderr)
    sys.stdout.write(converted.text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
