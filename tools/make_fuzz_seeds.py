"""Writes the seeds of the fuzz targets whose input is binary.

    python3 tools/make_fuzz_seeds.py

Needs protoc. Each seed is valid: the fuzzers break it.
"""

import hashlib
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKER = "hybridserve/worker/v1/worker_link_service.proto"
INFERENCE = "hybridserve/v1/inference_service.proto"


def encode(proto, message, text):
    """The wire format of a message in text format."""
    return subprocess.run(
        ["protoc", "-Iproto", f"--encode={message}", proto],
        cwd=ROOT, input=text.encode(), stdout=subprocess.PIPE, check=True,
    ).stdout


def varint(value):
    result = b""
    while value > 127:
        result += bytes([value & 127 | 128])
        value >>= 7
    return result + bytes([value])


def stream(message, texts):
    """Messages of a connection, each after its size."""
    encoded = [encode(WORKER, f"hybridserve.worker.v1.{message}", text)
               for text in texts]
    return b"".join(varint(len(one)) + one for one in encoded)


def write(folder, seeds):
    path = ROOT / folder
    path.mkdir(parents=True, exist_ok=True)
    for name, content in seeds.items():
        (path / name).write_bytes(content)


# ---- scheduler/rpc:prepared_request_fuzz

def requests():
    generate = {
        "text": 'model: "tiny" prompt: "the end" request_id: "r1"',
        "sampled": """
            model: "tiny" prompt: "th\\303\\251" generation_config:
              GENERATION_CONFIG_MODEL
            sampling {
              temperature: 0.7 top_p: 0.9 top_k: 5 seed: 7
              presence_penalty: 1 frequency_penalty: -1 repetition_penalty: 2
              logit_bias { key: 3 value: 5 }
            }
            response { log_probs: true }""",
        "stops": """
            model: "tiny" token_ids { ids: [258, 1, 2, 256] }
            stopping {
              max_tokens: 9 ignore_eos: true
              conditions { text: "the" } conditions { token_id: 3 }
            }""",
        "ids_only": """
            model: "ids" token_ids { ids: [0, 260] }
            generation_config: GENERATION_CONFIG_NONE""",
    }
    score = {
        "score_text": 'model: "tiny" text: "the end of the line"',
        "score_ids": 'model: "ids" token_ids { ids: [1, 2, 3] }',
    }
    seeds = {name: encode(INFERENCE, "hybridserve.v1.GenerateRequest", text)
             for name, text in generate.items()}
    for name, text in score.items():
        seeds[name] = encode(INFERENCE, "hybridserve.v1.ScoreRequest", text)
    return seeds


# ---- worker/rpc:step_plan_fuzz

def plan(step, text):
    return f"fence {{ term: 1 epoch: 1 step: {step} }} step_plan {{ {text} }}"


def plans():
    greedy = "sample: true sampling { top_p: 1 repetition_penalty: 1 }"
    penalised = """sample: true num_prompt: 20 sampling {
        top_p: 1 repetition_penalty: 1.5 presence_penalty: 0.5
        frequency_penalty: -0.5 logit_bias { key: 9 value: -3 } }"""
    prompt = "new_tokens: [" + ",".join(["5"] * 20) + "] num_new: 20"
    first = plan(1, f"""
        table_updates {{
          sequence: 1
          blocks {{ kind: CACHE_KIND_KV tier: TIER_HOST first: 0 second: 1 }}
          blocks {{ kind: CACHE_KIND_ACT tier: TIER_HOST first: 2 }}
        }}
        table_updates {{
          sequence: 2
          blocks {{ kind: CACHE_KIND_ACT tier: TIER_HOST first: 3 }}
          blocks {{ kind: CACHE_KIND_KV tier: TIER_DEVICE first: 0 second: 1 }}
        }}
        sequences {{ sequence: 1 {prompt} {greedy} }}
        sequences {{ sequence: 2 {prompt} {greedy} }}
        mini_batches {{ sequences: [1] }} mini_batches {{ sequences: [0] }}""")
    second = plan(2, f"""
        sequences {{ sequence: 1 num_cached: 20 num_new: 1 {greedy} }}
        sequences {{ sequence: 2 num_cached: 20 num_new: 1 {penalised} }}
        mini_batches {{ sequences: [0, 1] }}""")
    third = plan(3, f"""
        released: 2
        table_updates {{
          sequence: 1 first_block: 1
          blocks {{ kind: CACHE_KIND_KV tier: TIER_DEVICE first: 0 second: 1 }}
        }}
        sequences {{ sequence: 1 num_cached: 16 num_new: 6
                     new_tokens: [1, 2, 3, 4, 5, 6] {greedy} }}
        mini_batches {{ sequences: [0] }}""")
    convert = plan(2, f"""
        sequences {{ sequence: 1 num_cached: 20 num_new: 1 {greedy} }}
        sequences {{ sequence: 2 num_cached: 20 num_new: 1 {greedy} }}
        mini_batches {{ sequences: [0, 1] }}
        conversions {{
          sequence: 2
          blocks {{
            block: 0
            to {{ kind: CACHE_KIND_KV tier: TIER_HOST first: 4 second: 5 }}
          }}
        }}""")
    reuse = plan(3, f"""
        released: 1
        table_updates {{
          sequence: 3
          blocks {{ kind: CACHE_KIND_ACT tier: TIER_HOST first: 3 }}
        }}
        sequences {{ sequence: 2 num_cached: 21 num_new: 1 {greedy} }}
        mini_batches {{ sequences: [0] }}""")
    score = plan(1, """
        table_updates {
          sequence: 7
          blocks { kind: CACHE_KIND_KV tier: TIER_HOST first: 4 second: 5 }
        }
        sequences { sequence: 7 num_new: 3 new_tokens: [1, 2, 3]
                    score_targets: [2, 3, -1] }
        mini_batches { sequences: [0] }""")
    recomputed = plan(1, f"""
        schedule: STEP_SCHEDULE_ZIG_ZAG
        table_updates {{
          sequence: 1
          blocks {{ kind: CACHE_KIND_TOKENS tier: TIER_HOST }}
          blocks {{ kind: CACHE_KIND_KV tier: TIER_HOST first: 0 second: 1 }}
        }}
        sequences {{ sequence: 1 {prompt} {greedy} }}
        mini_batches {{ sequences: [0] }}""")
    again = plan(2, f"""
        schedule: STEP_SCHEDULE_ZIG_ZAG
        sequences {{ sequence: 1 num_cached: 20 num_new: 1 {greedy} }}
        mini_batches {{ sequences: [0] }}""")
    registered = "fence { term: 1 epoch: 1 } registered { worker_id: 3 }"
    return {"recomputed": stream("ConnectResponse",
                                 [registered, recomputed, again]),
            "three_steps": stream("ConnectResponse",
                                  [registered, first, second, third]),
            "converts": stream("ConnectResponse",
                               [registered, first, convert, reuse]),
            "score": stream("ConnectResponse", [score])}


# ---- common/wire:connect_request_fuzz

def connections():
    config = '{"model_type": "opt"}'
    digest = hashlib.sha256(config.encode()).hexdigest()
    fence = "fence { term: 1 epoch: 2 }"
    hello = fence + ' hello { wire_revision: 6 worker_name: "w" ' \
        'model_name: "m" build_id: "b" }'
    progress = fence + ' load_progress { stage: "weights" loaded_bytes: 1 ' \
        "total_bytes: 2 }"
    chunk = fence + f""" file_chunk {{
        file: MODEL_FILE_CONFIG_JSON data: {json.dumps(config)} }}"""
    register = fence + f"""
        register {{
          files {{ file: MODEL_FILE_CONFIG_JSON bytes: {len(config)}
                   sha256: "{digest}" }}
          numerics {{ weights_hash: "{digest}" backend: "cpu" isa: "avx2"
                      dtype: DATA_TYPE_BFLOAT16 block_tokens: 16
                      build_id: "b" }}
          device: "cpu"
          pools {{ tier: TIER_HOST half_slots: 100 half_slot_bytes: 1024 }}
          pools {{ tier: TIER_DEVICE half_slots: 10 half_slot_bytes: 1024 }}
          staging_half_slots: 20 max_step_tokens: 64 max_logit_rows: 8
          max_recomputed_tokens: 32
          layer_bytes: 1000 streamed_layer_bytes: 900 streamed_head_bytes: 10
          head_slices: 1
          profile {{ link_bytes_per_second: 1e9 copy_out_bytes_per_second: inf
                     gemm_flops_per_second: 1e12 }}
        }}"""
    result = """
        fence { term: 1 epoch: 2 step: 1 }
        step_result {
          sequences { sequence: 1 token: 5 log_prob: -0.5 }
          sequences { sequence: 2 score_log_probs: [-1, nan]
                      score_top_tokens: [5, 6] score_top_log_probs: [-1, nan] }
          stats { wall_ns: 1000 link_busy_ns: 900 weight_bytes: 5000
                  mini_batches: 2 }
        }"""
    refused = """
        fence { term: 1 epoch: 2 step: 2 }
        step_result { status_code: 9 status_message: "table_hash" }"""
    return {
        "registers": stream("ConnectRequest",
                            [hello, progress, chunk, register]),
        "results": stream("ConnectRequest", [result, refused]),
    }


# ---- scheduler/rpc:worker_messages_fuzz

def histories():
    """Each begins with a byte that chooses the policy."""
    digest = "a" * 64
    def register(rest):
        return f"""
            fence {{ term: 1 epoch: 2 }}
            register {{
              numerics {{ weights_hash: "{digest}" backend: "cpu" isa: "avx2"
                          dtype: DATA_TYPE_FLOAT32 block_tokens: 16 }}
              pools {{ tier: TIER_HOST half_slots: 200 half_slot_bytes: 1024 }}
              pools {{ tier: TIER_DEVICE half_slots: 9 half_slot_bytes: 1024 }}
              staging_half_slots: 96 max_step_tokens: 64 max_logit_rows: 8
              max_recomputed_tokens: 64
              layer_bytes: 9000 streamed_layer_bytes: 8000 head_slices: 1
              {rest}
            }}"""
    rates = """profile {
        link_bytes_per_second: 1e6 copy_out_bytes_per_second: 1e6
        gemm_flops_per_second: 1e7 }"""
    one_memory = """profile {
        link_bytes_per_second: inf copy_out_bytes_per_second: inf
        gemm_flops_per_second: 1e7 }"""
    def result(step, rest):
        return f"""
            fence {{ term: 1 epoch: 2 step: {step} }} step_result {{ {rest} }}"""
    stats = "stats { wall_ns: 1000 link_busy_ns: 900 weight_bytes: 5000 }"
    steps = [result(step, stats) for step in range(1, 40)]
    bad = result(3, "sequences { sequence: 1 token: 5 }")
    refused = result(2, 'status_code: 13 status_message: "device"')
    def history(policy, texts):
        return bytes([policy]) + stream("ConnectRequest", texts)
    return {
        "hybrid": history(0x38, [register(rates), *steps]),
        "kv": history(0x39, [register(rates), *steps[:9]]),
        "act_one_memory": history(0x3A, [register(one_memory), *steps[:9]]),
        "recompute": history(0x1B, [register(rates), *steps[:9]]),
        "flexgen_refuses": history(0x1C, [register(rates), steps[0], refused]),
        "answers_nonsense": history(0x38, [register(rates), *steps[:2], bad]),
    }


# ---- scheduler/tokenizer:bpe_fuzz and text_stream_fuzz

def encodings():
    def seed(merges, text):
        return bytes([len(merges) // 2]) + bytes(merges) + text
    return {
        # ab, abc, and both ways to abcd.
        "words": seed([0, 1, 8, 2, 2, 3, 9, 3, 8, 10], b"abcd dcba abab"),
        # Of one letter only: ties.
        "aaaa": seed([0, 0, 8, 8, 8, 0], b"aaaaaaaaaaaaaaaaa"),
        "any_bytes": seed([1, 1], b"bb\x00\xff\xc3\xa9<s>bb</s>"),
    }


def streams():
    return {
        "stops": b"\x02\x03the\x02\n\n" + b"say the end\n\nof it",
        "characters": b"\x01\x02\xc3\xa9" + "caf\u00e9 \U0001f600".encode(),
        "halves": b"\x00" + b"a\xf0\x9f\x98b\xc3\xff\x01\xff\x04\x80",
        "nested": b"\x03\x03aab\x02ab\x01b" + b"aaaab",
    }


# ---- scheduler/tokenizer:tokenizer_fuzz

def byte_chars():
    """GPT-2's character of each byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    chars = {byte: chr(byte) for byte in shown}
    chars.update({byte: chr(256 + i) for i, byte in enumerate(hidden)})
    return chars


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tokenizers():
    vocab = {char: byte for byte, char in sorted(byte_chars().items())}
    vocab.update({"th": 256, "the": 257})
    special = {"id": 258, "content": "<s>", "special": True, "lstrip": False,
               "rstrip": False, "single_word": False, "normalized": False}
    tag = {**special, "id": 259, "content": "<tag>", "special": False}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [special, tag], "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False,
                          "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [258], "tokens": ["<s>"]}}},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocab,
                  "merges": ["t h", "th e"]},
    }
    config = compact({"tokenizer_class": "GPT2Tokenizer",
                      "add_bos_token": True, "bos_token": "</s>",
                      "eos_token": "</s>", "unk_token": "</s>"})
    old_vocab = compact({**vocab, "</s>": 258})

    def files(*parts):
        return b"\xfe".join(part.encode() for part in parts)

    return {
        "tokenizer_json": files("the <tag>end caf\u00e9, \U0001f600's",
                                compact(tokenizer)),
        "vocab_and_merges": files("then the\n\nother", "", old_vocab,
                                  "#version: 0.2\nt h\nth e\n", config),
    }


write("scheduler/rpc/testdata/prepared_request_fuzz", requests())
write("worker/rpc/testdata/step_plan_fuzz", plans())
write("common/wire/testdata/connect_request_fuzz", connections())
write("scheduler/rpc/testdata/worker_messages_fuzz", histories())
write("scheduler/tokenizer/testdata/bpe_fuzz", encodings())
write("scheduler/tokenizer/testdata/text_stream_fuzz", streams())
write("scheduler/tokenizer/testdata/tokenizer_fuzz", tokenizers())
