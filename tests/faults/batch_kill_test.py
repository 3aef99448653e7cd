"""A batch job of some thousand lines under kill -9 of each program, and on a
full disk.

Usage: batch_kill_test.py PROGRAMS_ROOT
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

from tests.e2e.processes import Programs
from tests.faults import batch_kill, cluster
from tests.faults.history import History

PROGRAMS = None
LINES = 4000
KILLS = 9
FULL_DISK_BYTES = 20000


def is_sanitized(program: str) -> bool:
    return b"__asan_init" in pathlib.Path(program).read_bytes()


class BatchKillTest(unittest.TestCase):
    def test_every_line_has_one_result_whatever_is_killed(self):
        few, many = batch_kill.run_jobs(
            PROGRAMS, [{"lines": 400, "kills": 0},
                       {"lines": LINES, "kills": KILLS}], seed=3)
        self.assertEqual(batch_kill.problems(few), [])
        self.assertEqual(batch_kill.problems(many), [], many)
        self.assertEqual(many["kills"],
                         {"client": 3, "worker": 3, "scheduler": 3})
        # A sanitizer keeps what is freed.
        if not is_sanitized(PROGRAMS.client):
            self.assertLess(many["peak_mib"],
                            few["peak_mib"] + batch_kill.MEMORY_MIB)

    def test_a_full_disk_ends_the_job_and_room_lets_it_go_on(self):
        settings = cluster.Settings(workers=1, worker_flags=[
            f"--model_dir={batch_kill.MODEL_DIR}"])
        with tempfile.TemporaryDirectory() as folder, \
                cluster.FaultyCluster(PROGRAMS, History(),
                                      settings) as running:
            source = pathlib.Path(folder) / "in"
            out = pathlib.Path(folder) / "out"
            batch_kill.write_input(source, 1000)
            command = [PROGRAMS.client, "batch",
                       f"--server={running.address}", f"--input={source}",
                       f"--output_file={out}", "--window=16"]
            for limit in (FULL_DISK_BYTES, 2 * FULL_DISK_BYTES):
                # Python ignores SIGXFSZ, and so do its children: writes fail.
                full = subprocess.run(
                    ["prlimit", f"--fsize={limit}", "--", *command],
                    capture_output=True, text=True, restore_signals=False,
                    timeout=120)
                self.assertEqual(full.returncode, 1, full.stderr)
                self.assertRegex(full.stderr.splitlines()[0],
                                 "cannot write .*out.partial")
                self.assertFalse(out.exists())
            done = subprocess.run(command, capture_output=True, text=True,
                                  timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(set(batch_kill.judge(out, 1000).values()), {0})


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
