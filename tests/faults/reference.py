"""The answers of an undisturbed run of the same programs."""

import concurrent.futures
import json
import pathlib
from typing import Dict, List

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs
from tests.faults import schedule
from tests.faults.checker import Answer
from tests.faults.clients import stream_request


def undisturbed(programs: Programs,
                worker_flags: List[str]) -> Dict[str, Answer]:
    """To every reference of schedule.py, by name."""
    with Cluster(programs, [worker_flags]) as cluster, \
            pb.Client(cluster.address) as client:
        def ask(reference) -> Answer:
            _, prompt, max_tokens, sampled = reference
            events = list(client.inference.GenerateStream(
                stream_request("", prompt, max_tokens, sampled)))
            return Answer(
                tuple(token for event in events
                      for token in event.token_output.token_ids),
                "".join(event.token_output.text_delta for event in events))

        references = schedule.references()
        with concurrent.futures.ThreadPoolExecutor(len(references)) as pool:
            answers = list(pool.map(ask, references))
    return {reference[0]: answer
            for reference, answer in zip(references, answers)}


def write(answers: Dict[str, Answer], path: pathlib.Path) -> None:
    path.write_text(json.dumps({
        name: {"tokens": answer.tokens, "text": answer.text}
        for name, answer in answers.items()}))


def read(path: pathlib.Path) -> Dict[str, Answer]:
    return {name: Answer(tuple(answer["tokens"]), answer["text"])
            for name, answer in json.loads(path.read_text()).items()}
