"""Tests of the demo model's parts, without the texts it is trained on."""

import dataclasses
import itertools
import pathlib
import struct
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import torch  # noqa: E402

from demo_model import corpus  # noqa: E402
from demo_model import export  # noqa: E402
from demo_model import muon  # noqa: E402
from demo_model import network  # noqa: E402
from demo_model import tokenizer as tokenizer_lib  # noqa: E402
from demo_model import trainer  # noqa: E402

_SHAPE = network.Shape(
    vocab_size=64,
    hidden_size=16,
    layers=2,
    heads=2,
    ffn_dim=32,
    max_positions=32,
)
_SCHEDULE = trainer.Schedule(
    steps=20,
    seed=3,
    batch_tokens=64,
    short_window=16,
    long_window=32,
    warmup_steps=4,
    decay_share=0.3,
)


def _documents(count: int = 12) -> list:
    """Paragraph p of document d is a run of 5 + p copies of id 4 + d."""
    return [[[4 + d] * (5 + p) for p in range(4)] for d in range(count)]


def _lazy_load_database(novels: list) -> bytes:
    """What _read_austen reads: R's serialization of character vectors."""
    blob = b""
    for lines in novels:
        data = b"X\n" + struct.pack(">IIII", 3, 0x040201, 0x030500, 5)
        data += b"UTF-8" + struct.pack(">II", 16, len(lines))
        for line in lines:
            text = line.encode()
            data += struct.pack(">II", 0x40009, len(text)) + text
        blob += struct.pack(">I", len(data)) + zlib.compress(data)
    return blob


class CorpusTest(unittest.TestCase):
    def test_reads_every_novel_of_a_lazy_load_database(self):
        novel = [
            "A NOVEL",
            "",
            "CHAPTER I",
            "",
            "It was _late_",
            "in May.",
            "",
            "  Rain fell.",
            "",
            "Chapter 2",
            "",
            "He",
            "",
            "She",
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "Rdata.rdb"
            path.write_bytes(_lazy_load_database([novel, novel]))
            chapters = [["It was late in May.", "Rain fell."], ["He", "She"]]
            self.assertEqual(corpus._read_austen(path), 2 * chapters)

    def test_names_every_missing_package(self):
        if any(
            corpus._locate(s.path, pathlib.Path("/"))
            for s in corpus.SOURCES[1:]
        ):
            self.skipTest("a package is installed here")
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(
                corpus.CorpusError, "r-cran-janeaustenr golang-github-jdkato"
            ):
                corpus.read_sources(pathlib.Path(folder))

    def test_held_out_documents_are_not_in_the_training_split(self):
        documents = [[f"{i}", "b"] for i in range(100)]
        text = corpus.SourceText(corpus.SOURCES[0], "1", documents, 0, "")
        training, held_out = corpus.split([text], seed=1)
        self.assertEqual(len(held_out), 5)
        self.assertEqual(sorted(training + held_out), sorted(documents))
        self.assertEqual(corpus.split([text], seed=1), (training, held_out))
        self.assertNotEqual(corpus.split([text], seed=2)[1], held_out)

    def test_excerpt_holds_whole_paragraphs_within_its_size(self):
        held_out = [["é" * 20] * 9 for _ in range(100)]
        excerpt = corpus.held_out_excerpt(held_out, 1000)
        self.assertLessEqual(len(excerpt.encode()), 1000)
        self.assertGreater(len(excerpt.encode()), 900)
        self.assertEqual(set(excerpt.split("\n")), {"é" * 20, ""})


class WindowsTest(unittest.TestCase):
    def test_windows_are_full_and_begin_with_the_end_token(self):
        stream = trainer.windows(_documents(), 16, "seed")
        for window in itertools.islice(stream, 200):
            self.assertEqual(len(window), 17)
            self.assertEqual(window[0], tokenizer_lib.EOS_ID)
            # Documents meet only across an end token.
            for a, b in zip(window, window[1:]):
                self.assertTrue(a == b or 2 in (a, b))

    def test_long_paragraphs_are_not_lost(self):
        stream = trainer.windows([[list(range(10, 60))]], 16, "seed")
        seen = set(itertools.chain(*itertools.islice(stream, 4)))
        self.assertEqual(seen, {2, *range(10, 60)})


class MuonTest(unittest.TestCase):
    def test_directions_are_nearly_orthonormal(self):
        torch.manual_seed(2)
        x = muon.orthogonalize(torch.randn(3, 16, 64))
        values = torch.linalg.svdvals(x)
        self.assertGreater(values.min().item(), 0.6)
        self.assertLess(values.max().item(), 1.3)

    def test_stacked_and_tall_matrices_move_as_their_parts(self):
        torch.manual_seed(2)
        gradient = torch.randn(48, 16)
        tall = torch.nn.Parameter(torch.zeros(48, 16))
        stacked = torch.nn.Parameter(torch.zeros(48, 16))
        optimizer = muon.Muon(
            [{"params": [tall]}, {"params": [stacked], "split": 3}], lr=0.5
        )
        tall.grad, stacked.grad = gradient, gradient
        optimizer.step()
        # The first momentum points along the gradient.
        whole = muon.orthogonalize(gradient.t()[None])[0].t()
        torch.testing.assert_close(tall.data, -0.5 * 3**0.5 * whole)
        parts = muon.orthogonalize(torch.stack(gradient.chunk(3)))
        torch.testing.assert_close(stacked.data, -0.5 * torch.cat(list(parts)))


class TrainerTest(unittest.TestCase):
    def _train(self, folder: str, stops: list, **changes) -> dict:
        path = pathlib.Path(folder) / "checkpoint.pt"
        for stop in stops:
            schedule = dataclasses.replace(
                _SCHEDULE, **(changes if stop == stops[-1] else {})
            )
            run = trainer.Trainer(_SHAPE, schedule, _documents(), path)
            run.resume()
            run.train(_documents(2), checkpoint_steps=5, stop_after=stop)
        return run.network.state_dict()

    def _assert_same(self, a: dict, b: dict):
        for name in a:
            self.assertTrue(torch.equal(a[name], b[name]), name)

    def test_a_run_in_parts_gives_the_same_weights(self):
        with tempfile.TemporaryDirectory() as one:
            whole = self._train(one, [20])
        with tempfile.TemporaryDirectory() as two:
            parts = self._train(two, [7, 17, 20])
        self._assert_same(whole, parts)

    def test_the_number_of_steps_may_change_before_the_decay(self):
        with tempfile.TemporaryDirectory() as one:
            whole = self._train(one, [30], steps=30)
        with tempfile.TemporaryDirectory() as two:
            parts = self._train(two, [7, 30], steps=30)
        self._assert_same(whole, parts)

    def test_the_number_of_steps_may_not_change_in_the_decay(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(ValueError, "decay"):
                self._train(folder, [17, 30], steps=30)

    def test_learning_rate_rises_stays_and_falls(self):
        rates = [_SCHEDULE.factor(s) for s in (0, 3, 4, 13, 14, 17, 19)]
        for rate, expected in zip(rates, (1 / 4, 1, 1, 1, 1, 1 / 2, 1 / 6)):
            self.assertAlmostEqual(rate, expected)


class ExportTest(unittest.TestCase):
    def test_transformers_computes_the_same_logits(self):
        torch.manual_seed(5)
        # Longer than two blocks of queries, and no multiple of one.
        shape = dataclasses.replace(_SHAPE, max_positions=300)
        ours = network.Network(shape)
        for parameter in ours.parameters():  # Biases and norms count too.
            parameter.data += 0.1 * torch.randn_like(parameter)
        theirs = export.transformers.OPTForCausalLM(export.opt_config(shape))
        theirs.load_state_dict(network.to_opt_state(ours))
        theirs.eval()
        ids = torch.randint(4, 64, (3, 300))
        with torch.no_grad():
            torch.testing.assert_close(
                ours(ids), theirs(ids).logits, rtol=1e-4, atol=1e-4
            )


if __name__ == "__main__":
    unittest.main()
