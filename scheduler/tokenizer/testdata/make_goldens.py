"""Makes the tokenizers and golden files that tokenizer_golden_test reads.

Needs PyPI's `tokenizers` and `transformers` (4.x: the slow GPT2Tokenizer is
the reference for vocab.json + merges.txt), no network:

  python3 make_goldens.py          # writes next to this file
  python3 make_goldens.py --check  # compares ids with the files, writes nothing

--check leaves decoded text out: since 0.23 `tokenizers` decodes an added token
that is looked for in normalized text to its normalized content, and earlier
versions and this project to the content in the file.

Everything is seeded. English and code for training come from the Python
documentation and sources that the interpreter brings along, so another
interpreter may train other tokenizers; the files here go together.
--check reads the tokenizers written here, so it works with any version.
"""

import argparse
import inspect
import json
import pathlib
import pydoc_data.topics
import random
import sys
import textwrap
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

HERE = pathlib.Path(__file__).parent
NUM_LINES = 2000

SENTENCES = [
    "All human beings are born free and equal in dignity and rights.",
    "In the beginning God created the heaven and the earth.",
    "Tous les êtres humains naissent libres et égaux en dignité.",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
    "Todos los seres humanos nacen libres e iguales. ¿Verdad? ¡Sí!",
    "Wszyscy ludzie rodzą się wolni i równi, żółć, gęślą jaźń.",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng.",
    "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğar. İIıi",
    "Все люди рождаются свободными и равными в своём достоинстве.",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι. ΟΔΟΣ",
    "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق.",
    "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता है।",
    "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।",
    "மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்.",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์",
    "人人生而自由，在尊严和权利上一律平等。",
    "すべての人間は、生まれながらにして自由であり、ｶﾀｶﾅも。",
    "모든 인간은 태어날 때부터 자유로우며 존엄과 권리에 있어 동등하다.",
    "ყველა ადამიანი იბადება თავისუფალი და თანასწორი.",
    "Բոլոր մարդիկ ծնվում են ազատ ու հավասար։",
    "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው።",
    "ᎠᏂᎩᏛ ᎨᏒ ᎠᏂᏴᏫ ᏗᎨᎫᎪᏙᏗ. ᚠᛇᚻ᛫ᛒᛦᚦ",
    "སྐྱེ་བོ་རེ་རེ་ལ་རང་དབང་ཡོད། ཱི ཱུ",
    "𐌼𐌰𐌲 𐌲𐌻𐌴𐍃 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙𝟚 𒀀𒁀",
]

CONTRACTIONS = [
    "I'm", "you're", "he's", "we'll", "they've", "I'd", "can't", "IT'S",
    "WE'RE", "I'LL", "O'Neill's", "'tis", "rock'n'roll", "y'all'd've",
    "don’t", "'ſ", "she'Sam", "'s's's", "''s", "' s", "l'été", "'reé", "'ll7",
]

EMOJI = [
    "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "1️⃣", "❤️", "🤷🏾‍♀️", "😀😃😄",
    "🧑🏿‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "☃", "™️", "㊙️", "♾",
]

MARKS = [
    "e\u0301", "a\u0308\u0323", "a\u0323\u0308", "\u1100\u1161\u11a8",
    "\uac01", "o\u0302\u0300", "\u212b", "\u2126", "\ufb01", "\u0344",
    "q\u0307\u0323", "q\u0323\u0307", "\u0f73", "\u0958", "\u1e9b\u0323",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d", "\u0e33", "\u0130",
    "\u03a3\u03c2", "\u1fb3", "\ufdfa", "\u3392", "\u2460", "\uff21\uff42",
]

SPACES = [
    " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u2003", "\u3000",
    "\u200b", "\u180e", "\u0085", "\u2028", "\u000b", "\u000c", "\ufeff",
    "\u205f", "\u001c", "\u1680", " " * 17, "\n" * 5, " \n ", "\t\t\t",
]

NUMBERS = [
    "0", "7", "42", "1234567", "3.14159", "1,000,000", "0x1F", "1e-9", "٣٤٥",
    "१२३", "Ⅷ", "½", "²³", "①②", "12ab34", "2024-09-17T12:34:56Z", "-273.15",
    "𝟜𝟝", "一二三", "৪৫", "100%", "$5.00", "€20",
]

ADDED = [
    "<|endoftext|>", "</s>", "<s>", "<mask>", "<tool>", "<both>", "Word",
    "word", "<a>", "<a><b>", "<b>", "<|begin_of_text|>", "<|eot_id|>",
    "İstanbul", "<É>", "    ", "<pad>", "<unk>", "<|endoftext|", "<mas",
    "<\u00e9>", "E\u0301cole", "\u00c9cole",
]


def random_char(rng):
    """A character of Unicode 14, which every engine involved knows."""
    while True:
        limit = rng.choice([0x80, 0x250, 0x3000, 0x10000, 0x20000, 0xF0000])
        code = rng.randrange(limit)
        if unicodedata.category(chr(code)) not in ("Cs", "Cn", "Co"):
            return chr(code)


def code_lines():
    source = inspect.getsource(textwrap) + inspect.getsource(random)
    return [line for line in source.split("\n") if line.strip()]


def make_lines():
    rng = random.Random(20240917)
    english = [l for t in pydoc_data.topics.topics.values()
               for l in t.split("\n") if l.strip()]
    code = code_lines()

    def cut(text):
        start = rng.randrange(max(1, len(text) - 25))
        return text[start:start + rng.randrange(8, 50)]

    def mix(*lists):
        parts = []
        for _ in range(rng.randrange(2, 6)):
            parts.append(rng.choice(rng.choice(lists)))
            if rng.random() < 0.4:
                parts.append(rng.choice(SPACES))
        return "".join(parts)

    words = [w for s in SENTENCES for w in s.split()]
    makers = [
        lambda: cut(rng.choice(english)),
        lambda: rng.choice(code),
        lambda: cut(rng.choice(SENTENCES)),
        lambda: mix(CONTRACTIONS, words),
        lambda: mix(EMOJI, words),
        lambda: mix(MARKS, words),
        lambda: mix(SPACES, words, SPACES),
        lambda: mix(NUMBERS, words),
        lambda: mix(ADDED, words, ADDED),
        lambda: mix(ADDED, SPACES, CONTRACTIONS),
        lambda: "".join(random_char(rng) for _ in range(rng.randrange(1, 12))),
        lambda: "".join(chr(rng.randrange(0x21)) for _ in range(6)),
        lambda: mix(MARKS, EMOJI, NUMBERS, ADDED, SPACES, CONTRACTIONS),
    ]
    lines = ["", " ", "\0", "a\0b\0", "\0\0 \0"] + SENTENCES + ADDED
    lines += SPACES + CONTRACTIONS + EMOJI + MARKS + NUMBERS
    lines += ["a" * 300, " " * 200 + "x", "\u0301" * 100, "ab" * 100 + "\n"]
    lines += ["e" + "\u0301\u0323" * 70, "\u0f73\u0345" * 60]
    while len(lines) < NUM_LINES:
        lines.append(rng.choice(makers)())
    return lines[:NUM_LINES]


def corpus(lines):
    english = [l for _, t in sorted(pydoc_data.topics.topics.items())
               for l in t.split("\n")]
    return english + code_lines() + lines


def train(tokenizer, lines, vocab_size, special):
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(corpus(lines), trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def make_gpt2(lines):
    """Plain GPT-2: merges as pairs, <|endoftext|>."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return train(t, lines, 4096, ["<|endoftext|>"])


def make_added(lines):
    """Added tokens of every kind, lower case, Roberta's <s> and </s>."""
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    train(t, lines, 1200, ["<s>", "</s>", "<pad>", "<unk>"])
    t.add_special_tokens([
        AddedToken("<mask>", lstrip=True, normalized=False),
        AddedToken("<tool>", rstrip=True, normalized=False),
        AddedToken("<|endoftext|>", normalized=True),
    ])
    t.add_tokens([
        AddedToken("<both>", lstrip=True, rstrip=True, normalized=False),
        AddedToken("Word", single_word=True, normalized=True),
        AddedToken("<a>"), AddedToken("<a><b>"), AddedToken("<b>"),
        AddedToken("İstanbul", normalized=True),
        AddedToken("<É>", normalized=False),
        AddedToken("    ", normalized=False),
        AddedToken("École", normalized=True, single_word=True),
    ])
    t.post_processor = processors.RobertaProcessing(
        ("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")))
    return t


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
GPT4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}"
    r"\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}"
    r"\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d"
    r")?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split_then_bytes(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def make_llama3(lines):
    """Llama 3: its own split, and words that no merges lead to."""
    t = Tokenizer(models.BPE(ignore_merges=True))
    t.pre_tokenizer = split_then_bytes(LLAMA3)
    train(t, lines, 1500, [])
    config = json.loads(t.to_str())
    merges = config["model"]["merges"]
    config["model"]["merges"] = merges[:len(merges) * 2 // 3]
    t = Tokenizer.from_str(json.dumps(config))
    t.add_special_tokens(["<|begin_of_text|>", "<|eot_id|>"])
    t.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single="<|begin_of_text|> $A",
            special_tokens=[("<|begin_of_text|>",
                             t.token_to_id("<|begin_of_text|>"))])])
    return t


def make_nfc(lines):
    """Qwen 2: NFC, digits one by one."""
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = split_then_bytes(QWEN2)
    train(t, lines, 1500, [])
    t.add_special_tokens(["<|endoftext|>"])
    t.add_tokens([AddedToken("E\u0301cole", normalized=True)])
    return t


def train_characters(lines):
    """BPE of characters with bytes to fall back to."""
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(corpus(lines), trainers.BpeTrainer(
        vocab_size=1200, special_tokens=["<unk>", "<s>", "</s>"],
        limit_alphabet=150, show_progress=False))
    config = json.loads(t.to_str())
    vocab = config["model"]["vocab"]
    tokens = sorted(vocab, key=vocab.get)
    tokens[3:3] = [f"<0x{byte:02X}>" for byte in range(256)]
    config["model"].update(
        vocab={token: i for i, token in enumerate(tokens)}, fuse_unk=True,
        byte_fallback=True)
    config["pre_tokenizer"] = None
    t = Tokenizer.from_str(json.dumps(config))
    t.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(),
        decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", t.token_to_id("<s>"))])
    return t


def make_characters(lines):
    """Llama 2: a normalizer writes spaces; no pieces."""
    t = train_characters(lines)
    t.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    return t


def make_metaspace(lines):
    """Mistral 7B v0.3: spaces by Metaspace, one before the first text only."""
    t = train_characters(lines)
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first",
                                               split=False)
    t.add_special_tokens(["[INST]", "<mask>"])
    t.add_tokens([AddedToken("<tool>", normalized=False)])
    return t


def write_opt(folder, lines):
    """The files of facebook/opt-*: no tokenizer.json."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    train(t, lines, 1500, ["<s>", "<pad>", "</s>", "<unk>"])
    folder.mkdir(exist_ok=True)
    t.model.save(str(folder))
    token = {"content": "</s>", "lstrip": False, "normalized": True,
             "rstrip": False, "single_word": False}
    pad = dict(token, content="<pad>")
    roles = {"bos_token": token, "eos_token": token, "unk_token": token}
    (folder / "special_tokens_map.json").write_text(
        json.dumps(dict(roles, pad_token=pad)) + "\n")
    typed = {k: dict(v, __type="AddedToken") for k, v in roles.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(
        typed, errors="replace", pad_token=dict(pad, __type="AddedToken"),
        add_prefix_space=False, add_bos_token=True,
        tokenizer_class="GPT2Tokenizer")) + "\n")


class Reference:
    """encode and decode by `tokenizers`, from a tokenizer.json."""

    def __init__(self, folder):
        self.t = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.size = max(self.t.get_vocab().values()) + 1

    def encode(self, line):
        return self.t.encode(line).ids

    def decode(self, ids, skip):
        return self.t.decode(ids, skip_special_tokens=skip)


class SlowReference:
    """encode and decode by transformers' slow GPT2Tokenizer."""

    def __init__(self, folder):
        from transformers import GPT2Tokenizer
        self.t = GPT2Tokenizer.from_pretrained(
            str(folder), clean_up_tokenization_spaces=False)
        if self.t.is_fast:
            raise ImportError("transformers 5 has no slow GPT2Tokenizer")
        self.size = len(self.t)

    def encode(self, line):
        return self.t(line)["input_ids"]

    def decode(self, ids, skip):
        # Its own decode() puts added tokens between separately decoded
        # stretches; the model's bytes are what counts here.
        ids = [i for i in ids if not skip or i not in self.t.all_special_ids]
        return self.t.convert_tokens_to_string(
            [self.t._convert_id_to_token(i) for i in ids])


def goldens(reference, lines, byte_fallback=False):
    rng = random.Random(7)
    ids = [reference.encode(line) for line in lines]
    # Decoded text is stored only where it isn't the line.
    decoded = {}
    for i, (line, line_ids) in enumerate(zip(lines, ids)):
        text = reference.decode(line_ids, True)
        if text != line:
            decoded[str(i)] = text
    scrambled = []
    while len(scrambled) < 200:
        some = [rng.randrange(reference.size) if rng.random() < 0.5
                else rng.randrange(260) for _ in range(rng.randrange(1, 9))]
        # ByteFallback makes as many U+FFFD of ill-formed bytes as there are;
        # a stream can't wait for how many there will be.
        if byte_fallback and "\ufffd" in reference.decode(some, False):
            continue
        scrambled.append([some, reference.decode(some, False),
                          reference.decode(some, True)])
    return {"ids": ids, "decoded": decoded, "scrambled": scrambled}


SPLITS = [
    (pre_tokenizers.Split(Regex(p), behavior, invert), p)
    for p in (r"\s+", r"-", r"\p{L}+", r"x*", r"^.", r".$", r"[^\S\n]+",
              r"\p{Han}|\p{^L}", r"(?i:'re|K|RAS)", r"(?<=a)b(?=c)|(?>a+)",
              r"[\s\S]{2}", r"\x41|\x{1F600}|\.", r"\p{Lu}?+\p{Ll}++")
    for behavior in ("removed", "isolated", "merged_with_previous",
                     "merged_with_next", "contiguous")
    for invert in (False, True)
] + [
    (pre_tokenizers.Split("--", "merged_with_previous"), "--"),
    (pre_tokenizers.Split(".*", "isolated"), ".*"),
    (pre_tokenizers.Digits(individual_digits=True), "digits"),
    (pre_tokenizers.Digits(individual_digits=False), "digits"),
    (pre_tokenizers.Split(Regex(GPT4O), "isolated"), "gpt4o"),
    (pre_tokenizers.Split(Regex(LLAMA3), "removed", True), "llama3"),
]

SPLIT_TEXTS = [
    "a-b--c ---", "-", "xaxxb x", "abc aab\nSTRASSE Straße \u212a k",
    " \u180e\u0085 \u00a0\n\n", "漢字、かな12\u0663 ½", "a.*b A\U0001F600.",
    "HelloWorld's IT'S\r\n/ /\n  x", "\n", "l1\nl2\n",
]


def split_goldens():
    cases = []
    for index, (split, _) in enumerate(SPLITS):
        add = index % 3 == 0
        whole = pre_tokenizers.Sequence(
            [split, pre_tokenizers.ByteLevel(add_prefix_space=add,
                                             use_regex=index % 4 == 0)])
        t = Tokenizer(models.BPE())
        t.pre_tokenizer = whole
        config = json.loads(t.to_str())["pre_tokenizer"]
        pieces = [[p for p, _ in whole.pre_tokenize_str(text)]
                  for text in SPLIT_TEXTS]
        cases.append({"pre_tokenizer": config, "pieces": pieces})
    return {"texts": SPLIT_TEXTS, "cases": cases}


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def write_one(name, lines):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    config = json.loads(MAKERS[name](lines).to_str())
    if name in ("added", "nfc"):  # As written before tokenizers 0.20.
        config["model"]["merges"] = [
            " ".join(pair) for pair in config["model"]["merges"]]
    (folder / "tokenizer.json").write_text(compact(config))


def write(lines):
    (HERE / "lines.json").write_text(
        "[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]\n")
    for name in MAKERS:
        write_one(name, lines)
    write_opt(HERE / "opt", lines)


def one_golden(name, lines):
    return goldens(Reference(HERE / name), lines, name in ("characters", "metaspace"))


MAKERS = {"gpt2": make_gpt2, "added": make_added, "llama3": make_llama3,
          "nfc": make_nfc, "characters": make_characters,
          "metaspace": make_metaspace}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", choices=MAKERS,
                        help="make this one, from the lines that are there")
    args = parser.parse_args()
    check = args.check
    if args.only is not None:
        lines = json.loads((HERE / "lines.json").read_text())
        write_one(args.only, lines)
        (HERE / args.only / "goldens.json").write_text(
            compact(one_golden(args.only, lines)))
        return
    if not check:
        write(make_lines())
    lines = json.loads((HERE / "lines.json").read_text())
    results = {"splits.json": split_goldens()}
    for name in MAKERS:
        results[f"{name}/goldens.json"] = one_golden(name, lines)
    try:
        results["opt/goldens.json"] = goldens(SlowReference(HERE / "opt"), lines)
    except ImportError as error:
        if not check:
            raise
        print(f"opt: not checked: {error}")
    failed = False
    for path, result in results.items():
        text = compact(result)
        if not check:
            (HERE / path).write_text(text)
            print(path, len(text))
        else:
            key = "cases" if path == "splits.json" else "ids"
            if json.loads((HERE / path).read_text())[key] != result[key]:
                print(path, "differs")
                failed = True
    print("tokenizers", tokenizers.__version__)
    sys.exit(failed)


if __name__ == "__main__":
    main()
