"""The interpreter of Python tests has what they import, and finds the root."""

import os
import sys
import unittest


class PythonTest(unittest.TestCase):

    def test_packages_import(self):
        import grpc  # pylint: disable=import-outside-toplevel
        import grpc_tools.protoc
        import numpy
        import safetensors
        import tokenizers
        import torch
        import transformers
        import yaml

        for module in (grpc, grpc_tools.protoc, numpy, safetensors, tokenizers,
                       torch, transformers, yaml):
            self.assertTrue(module.__file__)

    def test_paths_start_at_the_root(self):
        self.assertTrue(os.path.exists("tests/build/python_test.py"))
        self.assertIn(os.getcwd(), sys.path)


if __name__ == "__main__":
    unittest.main()
