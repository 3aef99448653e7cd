"""Whether an object has the fields that its kind has, and no others.

Built-in kinds are held against Kubernetes' own schemas (kubernetes-validate),
custom ones against custom_kinds.yaml.
"""

import functools
import pathlib
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

from tests.k8s.rendering import Object

KUBERNETES_VERSION = "1.27"  # The first with generally available gRPC probes.
CUSTOM_KINDS = pathlib.Path(__file__).with_name("custom_kinds.yaml")
METADATA = {"name!": "string", "namespace": "string", "labels": "map",
            "annotations": "map"}


def problem_of(item: Object) -> str | None:
    """What is wrong with an object; None: nothing."""
    kind = f"{item['apiVersion']}/{item['kind']}"
    try:
        if kind in custom_schemas():
            jsonschema.validate(item, custom_schemas()[kind])
        else:
            kubernetes_validate.validate(item, KUBERNETES_VERSION, strict=True)
    except (jsonschema.ValidationError,
            kubernetes_validate.ValidationError) as error:
        path = ".".join(str(part) for part in error.path)
        return f"{path}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        return f"no schema of {kind}: add its fields to {CUSTOM_KINDS.name}"
    return None


@functools.lru_cache(maxsize=None)
def custom_schemas() -> dict[str, Any]:
    """JSON schemas by API version and kind."""
    schemas = {}
    for kind, spec in yaml.safe_load(CUSTOM_KINDS.read_text()).items():
        schemas[kind] = schema_of({"apiVersion!": "string", "kind!": "string",
                                   "metadata!": METADATA, "spec!": spec})
    return schemas


def schema_of(notation: Any) -> dict[str, Any]:
    """The JSON schema of custom_kinds.yaml's notation."""
    if isinstance(notation, dict):
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {name.rstrip("!"): schema_of(value)
                           for name, value in notation.items()},
            "required": [name.rstrip("!") for name in notation
                         if name.endswith("!")],
        }
    if isinstance(notation, list):
        return {"type": "array", "items": schema_of(notation[0])}
    if notation == "any":
        return {}
    if notation == "map":
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if notation in ("string", "integer", "boolean"):
        return {"type": notation}
    return {"enum": notation.split("|")}
