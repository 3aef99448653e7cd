"""Takes one thing at a time out of the CUDA backend and its kernels: an event
wait, a barrier, a participant mask, a bounds check, an offset. Each must make
the emulated tests fail.

    .venv/bin/python tests/emulation/mutations/mutations.py [NAME...]

Works on a copy of the repository as it is checked in, with its own Bazel
server; some ten minutes on two cores. Prints a line a mutation; exits 1 if one
is not caught. A run of all writes docs/results/mutations.{json,md}.
"""

import argparse
import dataclasses
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import List

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests import result_page  # noqa: E402

KERNELS = "//worker/device/cuda:cuda_emulated_test"
ENGINE = "//worker/offload:engine_emulated_test"


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    file: str
    old: str  # Occurs once.
    new: str
    test: str
    filter: str = "*"  # Of the test's cases: the suite without the slow ones.


def kernel(name: str, file: str, old: str, new: str, cases: str) -> Mutation:
    return Mutation(name, file, old, new, KERNELS, f"*{cases}*")


def engine(name: str, file: str, old: str, new: str = "") -> Mutation:
    return Mutation(name, f"worker/offload/{file}", old, new, ENGINE)


MUTATIONS = [
    # Bounds checks.
    kernel("layer norm reads a column too many", "kernels/layer_norm_cuda.cu",
           "c < args.width; c += kWarpLanes) sum +=",
           "c <= args.width; c += kWarpLanes) sum +=", "LayerNormAgrees"),
    kernel("layer norm has no last row", "kernels/layer_norm_cuda.cu",
           "  if (row >= args.rows) return;  // A whole warp.\n", "",
           "LayerNormAgrees"),
    kernel("convert has no last column", "kernels/convert_cuda.cu",
           "  if (c >= args.width) return;\n", "", "Convert"),
    kernel("linear finish has no last column", "kernels/linear_finish_cuda.cu",
           "  if (c >= args.width) return;\n", "", "LinearActivates"),
    kernel("rotary turns pairs beyond the last", "kernels/rotary_cuda.cu",
           "  if (pair >= args.num_heads * half) return;\n", "", "Rotary"),
    kernel("rotary turns all rows as the first", "kernels/rotary_cuda.cu",
           "args.positions[row]", "args.positions[0]", "Rotary"),
    kernel("attention writes a whole warp's sums", "kernels/attention_cuda.cu",
           "      if (d < head_dim) sums[", "      sums[",
           "AttentionIsStable"),
    kernel("log prob reads beyond the row", "kernels/cuda/log_prob_fold.h",
           "c < columns ? logits[c] : -INFINITY", "logits[c]", "LogProb"),
    kernel("copies read beyond the end of a run", "kernels/copy_cuda.cu",
           "if (at + i * stride < words) loaded[i] =", "loaded[i] =",
           "CopiesRuns"),
    kernel("copies forget a part of each run", "kernels/copy_cuda.cu",
           "at += kInFlight * stride", "at += 2 * kInFlight * stride",
           "CopiesRuns"),
    kernel("a tile has rows that are not there", "kernels/attention_cuda.cu",
           "    if (r >= tile.num_rows) continue;\n    LoadHead",
           "    LoadHead", "AttentionIsStable"),
    # Barriers.
    kernel("attention's parts are read too early", "kernels/attention_cuda.cu",
           "  __syncthreads();\n\n  const int64_t threads",
           "  const int64_t threads", "AttentionIsStable"),
    kernel("sampling adds to sums that are not cleared yet",
           "kernels/sample_cuda.cu",
           "      scratch.sums[digit] = 0;\n    }\n    __syncthreads();\n",
           "      scratch.sums[digit] = 0;\n    }\n", "SamplingDepends"),
    kernel("sampling reads sums that are still added to",
           "kernels/sample_cuda.cu",
           "    __syncthreads();\n    if (threadIdx.x == 0) {\n      int digit",
           "    if (threadIdx.x == 0) {\n      int digit", "SamplingDepends"),
    kernel("logits are not put back", "kernels/sample_cuda.cu",
           "    logits[change.id] = change.logit;\n",
           "    static_cast<void>(logits[change.id]);\n",
           "SamplingLeaves"),
    kernel("the state is written while lanes read it",
           "kernels/log_prob_cuda.cu",
           "  __syncwarp();  // All lanes have read the state.\n", "",
           "LogProb"),
    # Participant masks.
    kernel("half of a warp adds up", "kernels/cuda/warp.h",
           "kAllLanes = 0xffffffff;", "kAllLanes = 0x0000ffff;",
           "LayerNormWorks"),
    kernel("a lane stays away from a sum", "kernels/layer_norm_cuda.cu",
           "  if (row >= args.rows) return;  // A whole warp.\n",
           "  if (row >= args.rows || threadIdx.x == 31) return;\n",
           "LayerNormWorks"),
    # Offsets.
    kernel("new positions are taken from the wrong row",
           "kernels/attention_cuda.cu",
           "tile.first_new_row + position - tile.num_cached",
           "tile.first_new_row + position", "AttentionIsStable"),
    Mutation("blocks of another sequence", "kernels/attention_cuda.cu",
             "args.blocks[tile.first_block + position / args.block_tokens]",
             "args.blocks[position / args.block_tokens]", ENGINE),
    kernel("attention sees a position of the future",
           "kernels/attention_cuda.cu",
           "|| p > tile.position + r) continue;\n        AddPosition",
           ") continue;\n        AddPosition",
           "AttentionAgrees"),
    kernel("rows of x are taken as dense",
           "worker/device/cuda/cublas_gemm.cc",
           "static_cast<int>(args.x_stride > 0 ? args.x_stride : 1)",
           "k_stride", "LinearActivates"),
    # Events and synchronisation of the backend.
    kernel("memory is given out before it is cleared",
           "worker/device/cuda/cuda_buffer.cc",
           'CudaStatus(cudaStreamSynchronize(nullptr), "clearing device memory")',
           "absl::OkStatus()", "BuffersAreZeroed"),
    kernel("streams do not wait for events",
           "worker/device/cuda/cuda_stream.cc",
           "cudaStreamWaitEvent(stream_, static_cast<CudaEvent&>(event).get(), "
           "0)", "(static_cast<void>(event), cudaSuccess)",
           "EventsOrderStreams"),
    kernel("events are not recorded", "worker/device/cuda/cuda_stream.cc",
           "cudaEventRecord(static_cast<CudaEvent&>(event).get(), stream_)",
           "(static_cast<void>(event), cudaSuccess)", "EventsOrderStreams"),
    kernel("arguments are overwritten before they are read",
           "worker/device/cuda/argument_ring.cc",
           "  RETURN_IF_ERROR(used_[next_]->Synchronize());\n", "",
           "RotaryCallsAreQueuedFarAhead"),
    kernel("rows beyond a grid are left out", "kernels/convert_cuda.cu",
           "row < args.rows; row += gridDim.y",
           "row < gridDim.y; row += gridDim.y", "ManyRowsAreConverted"),
    # Events of the engine.
    engine("staged cache is overwritten while it is read", "cache_stager.cc",
           "  RETURN_IF_ERROR(copy_in_.Wait(*area.free));\n"),
    engine("ACT is rebuilt from before it is there", "cache_stager.cc",
           "  RETURN_IF_ERROR(compute_.Wait(*area.act_copied));\n"),
    engine("attention reads KV before it is there", "cache_stager.cc",
           "  RETURN_IF_ERROR(compute_.Wait(*area.kv_copied));\n"),
    engine("weights are overwritten while they are read", "weight_streamer.cc",
           "RETURN_IF_ERROR(copy_in_.Wait(*fed.slot->free));"),
    engine("weights are read before they are there", "weight_streamer.cc",
           "RETURN_IF_ERROR(compute_.Wait(*fed.slot->copied[part_index]));"),
    engine("new rows leave before they are computed", "write_back.cc",
           "RETURN_IF_ERROR(copy_out_.Wait(*slot.filled));"),
    engine("new rows are overwritten before they have left", "write_back.cc",
           "  RETURN_IF_ERROR(compute_.Wait(*slot.left));\n"),
    engine("inputs are read before they are there", "step_runner.cc",
           "  RETURN_IF_ERROR(compute_->Wait(*inputs_copied_));\n"),
    engine("results are read before they are there", "step_collector.cc",
           "step.ready->Synchronize()", "absl::OkStatus()"),
    engine("results leave before they are computed", "head_runner.cc",
           "  RETURN_IF_ERROR(copy_out_.Wait(done));\n",
           "  static_cast<void>(done);\n"),
]


def run_tests(tree: pathlib.Path, mutation: Mutation) -> int:
    """Bazel's exit status: 0 passed, 3 failed, 1 did not build."""
    return subprocess.run(
        ["bash", "-c",
         'source tools/environment.sh; run_bazel "$@"', "run_bazel", "test",
         "--config=opt", "--show_result=0", "--test_output=summary",
         f"--test_filter={mutation.filter}", mutation.test],
        cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False).returncode


def is_caught(tree: pathlib.Path, mutation: Mutation) -> bool:
    file = tree / mutation.file
    text = file.read_text()
    if text.count(mutation.old) != 1:
        sys.exit(f"{mutation.name}: {mutation.file} holds the text "
                 f"{text.count(mutation.old)} times")
    file.write_text(text.replace(mutation.old, mutation.new))
    try:
        status = run_tests(tree, mutation)
    finally:
        file.write_text(text)
    if status not in (0, 3):
        sys.exit(f"{mutation.name}: does not build")
    return status == 3


def chosen(names: List[str]) -> List[Mutation]:
    return [m for m in MUTATIONS
            if not names or any(name in m.name for name in names)]


def write_page(caught: List[bool]) -> None:
    where = result_page.machine()
    text = result_page.head("Mutations of the CUDA backend", where)
    text += (f"{sum(caught)} of {len(caught)} mutations make the emulated "
             "tests fail.\n\n")
    text += result_page.table(
        ["mutation", "file", "test", "caught"],
        [[m.name, f"`{m.file}`", f"`{m.test}`", "yes" if done else "no"]
         for m, done in zip(MUTATIONS, caught)])
    data = {"machine": where,
            "mutations": [{"name": m.name, "file": m.file, "caught": done}
                          for m, done in zip(MUTATIONS, caught)]}
    result_page.write(ROOT / "docs/results", "mutations", data, text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", help="parts of mutations' names")
    mutations = chosen(parser.parse_args().names)
    scratch = pathlib.Path(tempfile.mkdtemp())
    tree = scratch / "tree"
    subprocess.run(["git", "worktree", "add", "--detach", str(tree)],
                   cwd=ROOT, check=True, capture_output=True)
    results: List[bool] = []
    try:
        for case in {(m.test, m.filter): m for m in mutations}.values():
            if run_tests(tree, case) != 0:
                sys.exit(f"{case.test} {case.filter} fails without mutation")
        for number, mutation in enumerate(mutations):
            caught = is_caught(tree, mutation)
            results.append(caught)
            print(f"[{number + 1}/{len(mutations)}] "
                  f"{'caught' if caught else 'MISSED'}: {mutation.name}",
                  flush=True)
    finally:
        subprocess.run(["bazel", "shutdown"], cwd=tree, check=False,
                       capture_output=True)
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)],
                       cwd=ROOT, check=False, capture_output=True)
        shutil.rmtree(scratch, ignore_errors=True)
    if mutations == MUTATIONS:
        write_page(results)
    print(f"{sum(results)} of {len(mutations)} mutations caught")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
