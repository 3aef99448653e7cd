"""What kubectl makes of k8s/, and where in it pods and containers are."""

import copy
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Any, Iterator

import yaml

Object = dict[str, Any]

K8S = pathlib.Path(__file__).resolve().parents[2] / "k8s"
BESIDE = pathlib.Path(__file__).resolve().with_name("beside")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


def overlay_names() -> list[str]:
    """All of k8s/overlays, so that a new one is checked as well."""
    return sorted(path.parent.name for path in
                  K8S.glob("overlays/*/kustomization.yaml"))


def _kubectl() -> str:
    """Where tools/setup.sh put one, if that which was there is too old."""
    own = pathlib.Path(sys.executable).parent / "kubectl"
    return str(own) if own.exists() else "kubectl"


@functools.lru_cache(maxsize=None)
def _rendered(folder: str) -> list[Object]:
    done = subprocess.run([_kubectl(), "kustomize", str(K8S / folder)],
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"kubectl kustomize {folder}: {done.stderr}")
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def render(folder: str) -> list[Object]:
    """The objects of a folder below k8s/, fresh ones each time."""
    return copy.deepcopy(_rendered(folder))


def render_own(*layers: dict[str, object]) -> list[Object]:
    """An overlay of one's own, each layer upon the one before. `k8s/` in lists
    is the repository's."""
    with tempfile.TemporaryDirectory() as own:
        for number, layer in enumerate(layers):
            folder = pathlib.Path(own).resolve() / str(number)
            folder.mkdir()
            k8s = os.path.relpath(K8S, folder)
            layer = {field: [entry.replace("k8s/", f"{k8s}/", 1)
                             for entry in value]
                     if isinstance(value, list) else value
                     for field, value in layer.items()}
            if number > 0:
                layer["resources"] = [f"../{number - 1}"]
            (folder / "kustomization.yaml").write_text(yaml.safe_dump(layer))
        return render(str(folder))


def render_with(overlay: str, component: str) -> list[Object]:
    """An overlay of one's own: another with a component."""
    return render_own({"namespace": "hybridserve",
                       "resources": [f"k8s/overlays/{overlay}"],
                       "components": [f"k8s/components/{component}"]})


def render_world(folder: str) -> list[Object]:
    """With the base, for an overlay that is applied beside a cell, and with
    what others put beside it."""
    objects = render(folder)
    beside = BESIDE / f"{pathlib.PurePath(folder).name}.yaml"
    if beside.exists():
        objects += [yaml.safe_load(beside.read_text())]
    names = {name_of(item) for item in objects}
    if "Deployment/scheduler" in names:
        return objects
    return objects + [item for item in render("base")
                      if name_of(item) not in names]


def name_of(item: Object) -> str:
    return f"{item['kind']}/{item['metadata']['name']}"


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [item for item in objects if item["kind"] in kinds]


def find(objects: list[Object], name: str) -> Object:
    """By KIND/NAME."""
    for item in objects:
        if name_of(item) == name:
            return item
    raise KeyError(f"{name} is not among "
                   f"{[name_of(item) for item in objects]}")


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """The pod templates: the workload's KIND/NAME, and metadata and spec."""
    for item in of_kind(objects, *WORKLOADS):
        yield name_of(item), item["spec"]["template"]


def containers(objects: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Where, the container, and its pod's spec; init containers too."""
    for name, pod in pods(objects):
        spec = pod["spec"]
        for container in [*spec.get("initContainers", []),
                          *spec["containers"]]:
            yield f"{name}/{container['name']}", container, spec


def flag_values(container: Object, objects: list[Object]) -> dict[str, str]:
    """The flags that a container's program gets: by the environment and, which
    wins, by its arguments. A bool is "true" or "false". $(NAME) is what the
    manifest says it is; what Kubernetes fills in stays."""
    values: dict[str, str] = {}
    variables = environment(container, objects)
    for name, value in variables.items():
        if name.startswith("HYBRIDSERVE_"):
            values[name.removeprefix("HYBRIDSERVE_").lower()] = value
    for arg in container.get("args", []):
        if not arg.startswith("--"):
            continue
        name, equals, value = arg.removeprefix("--").partition("=")
        values[name] = _filled_in(value, variables) if equals else "true"
    return values


def _filled_in(text: str, variables: dict[str, str]) -> str:
    def value_of(match: re.Match[str]) -> str:
        value = variables.get(match[1], "<unknown>")
        return match[0] if value.startswith("<") else value
    return re.sub(r"\$\((\w+)\)", value_of, text)


def environment(container: Object, objects: list[Object]) -> dict[str, str]:
    """Its variables; those that Kubernetes fills in as `<PATH>`."""
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            name = f"ConfigMap/{source['configMapRef']['name']}"
            values.update(find(objects, name).get("data", {}))
    for variable in container.get("env", []):
        value = variable.get("value")
        if value is None:
            kind, source = next(iter(variable["valueFrom"].items()))
            path = source.get("fieldPath") or source.get("resource") or kind
            value = f"<{path}>"
        values[variable["name"]] = value
    return values
