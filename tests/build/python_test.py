"""The interpreter of Python tests has what they import, and finds the root."""

import os
import subprocess
import sys
import unittest

# What may be imported together. grpc_tools.protoc and torch may not: each
# brings a protobuf of its own, and the process dies. Tests run the former as a
# program: python -m grpc_tools.protoc.
_GROUPS = (
    ("grpc", "grpc_health.v1.health", "grpc_reflection.v1alpha.reflection",
     "grpc_tools.protoc", "yaml", "kubernetes_validate"),
    ("grpc", "numpy", "safetensors.torch", "tokenizers", "torch",
     "transformers"),
)


class PythonTest(unittest.TestCase):

    def test_packages_import(self):
        for group in _GROUPS:
            with self.subTest(group=group):
                result = subprocess.run(
                    [sys.executable, "-c", "import " + ", ".join(group)],
                    capture_output=True, text=True, check=False)
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_paths_start_at_the_root(self):
        self.assertTrue(os.path.exists("tests/build/python_test.py"))
        self.assertIn(os.getcwd(), os.environ["PYTHONPATH"])


if __name__ == "__main__":
    unittest.main()
