"""One kubeconfig file → its entries, each value checked for its type, as kubectl checks them.

The fields are those of https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/; what is not among them is
ignored, and null is the same as not there. A message names the field and never repeats what it holds.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr, ValidationError
from pydantic_core import PydanticCustomError

from kstream.core.errors import ConfigError
from kstream.documents import told
from kstream.sources.files import read_whole
from kstream.sources.goyaml import read_first

LARGEST: Final = 8 << 20  # bytes of a kubeconfig: thousands of clusters with their certificates
T = TypeVar("T")


def _decoded(value: object) -> object:
    """Base64 as Go reads it: in lines, if one likes."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "not text")
    try:
        return binascii.a2b_base64(value.replace("\r", "").replace("\n", ""), strict_mode=True)
    except (binascii.Error, ValueError):
        raise PydanticCustomError("base64", "not base64") from None


def _filled(empty: object) -> Callable[[object], object]:
    """Null in a list is an empty value of its kind."""
    return lambda value: (
        [empty if each is None else each for each in value] if isinstance(value, list) else value
    )


Texts = Annotated[list[StrictStr], BeforeValidator(_filled(""))]
Data = Annotated[bytes, BeforeValidator(_decoded)]


class _Fields(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        hide_input_in_errors=True,
    )

    def __repr__(self) -> str:
        return type(self).__name__  # what it holds is nobody's business

    __str__ = __repr__


class Extension(_Fields):
    name: StrictStr = ""
    extension: Any = None


Extensions = Annotated[list[Extension], BeforeValidator(_filled({}))]


class Cluster(_Fields):
    server: StrictStr = ""
    tls_server_name: StrictStr = ""
    insecure_skip_tls_verify: StrictBool = False
    certificate_authority: StrictStr = ""
    certificate_authority_data: Data = b""
    proxy_url: StrictStr = ""
    disable_compression: StrictBool = False
    extensions: Extensions = []


class Variable(_Fields):
    name: StrictStr = ""
    value: StrictStr = ""


class Plugin(_Fields):
    command: StrictStr = ""
    args: Texts = []
    env: Annotated[list[Variable], BeforeValidator(_filled({}))] = []
    api_version: StrictStr = Field(default="", alias="apiVersion")
    install_hint: StrictStr = Field(default="", alias="installHint")
    provide_cluster_info: StrictBool = Field(default=False, alias="provideClusterInfo")
    interactive_mode: StrictStr = Field(default="", alias="interactiveMode")


class AuthProvider(_Fields):
    name: StrictStr = ""
    config: dict[StrictStr, StrictStr] = {}


class User(_Fields):
    client_certificate: StrictStr = ""
    client_certificate_data: Data = b""
    client_key: StrictStr = ""
    client_key_data: Data = b""
    token: StrictStr = ""
    token_file: StrictStr = Field(default="", alias="tokenFile")
    impersonate: StrictStr = Field(default="", alias="as")
    as_uid: StrictStr = ""
    as_groups: Texts = []
    as_user_extra: dict[StrictStr, Texts] = {}
    username: StrictStr = ""
    password: StrictStr = ""
    auth_provider: AuthProvider | None = None
    exec: Plugin | None = None
    extensions: Extensions = []


class Context(_Fields):
    cluster: StrictStr = ""
    user: StrictStr = ""
    namespace: StrictStr = ""
    extensions: Extensions = []


class _NamedCluster(_Fields):
    name: StrictStr = ""
    cluster: Cluster = Cluster()


class _NamedUser(_Fields):
    name: StrictStr = ""
    user: User = User()


class _NamedContext(_Fields):
    name: StrictStr = ""
    context: Context = Context()


class _Preferences(_Fields):
    colors: StrictBool = False
    extensions: Extensions = []


class _File(_Fields):
    kind: StrictStr = ""
    api_version: StrictStr = Field(default="", alias="apiVersion")
    preferences: _Preferences = _Preferences()
    clusters: Annotated[list[_NamedCluster], BeforeValidator(_filled({}))] = []
    users: Annotated[list[_NamedUser], BeforeValidator(_filled({}))] = []
    contexts: Annotated[list[_NamedContext], BeforeValidator(_filled({}))] = []
    current_context: StrictStr = ""
    extensions: Extensions = []


class Entries(_Fields):
    """What a file has, by name; its paths are absolute."""

    clusters: dict[str, Cluster] = {}
    users: dict[str, User] = {}
    contexts: dict[str, Context] = {}
    current_context: str = ""


def read_kubeconfig(path: Path) -> Entries | None:
    """None when there is no such file. Raises ConfigError for one that is unreadable, no YAML or of another shape."""
    try:
        data = read_whole(path, most=LARGEST)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it is no path"
        raise ConfigError(f"Kubeconfig {path} cannot be read: {cause}; check its name and mode") from None
    if len(data) > LARGEST:
        raise ConfigError(
            f"Kubeconfig {path} has more than {LARGEST >> 20} MiB; leave in it what kstream needs"
        )
    try:
        content = read_first(data)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"Kubeconfig {path} is no YAML: {told(error)}; correct it or write it anew"
        ) from None
    if content is None:
        return Entries()  # an empty file among several is allowed
    if not isinstance(content, dict):
        raise ConfigError(f"Kubeconfig {path} is no kubeconfig: it has no clusters, users and contexts")
    return _entries(path, _checked(path, content))


def _checked(path: Path, content: dict[str, Any]) -> _File:
    try:
        file = _File.model_validate(_without_null(content))
    except ValidationError as error:
        [first, *_] = error.errors(include_input=False, include_url=False, include_context=False)
        raise ConfigError(f"Kubeconfig {path}: {_where(first['loc'])} {_what(first['type'])}") from None
    if file.kind not in ("", "Config") or file.api_version not in ("", "v1"):
        raise ConfigError(
            f"Kubeconfig {path} is no kubeconfig: with kind and apiVersion, they are Config and v1; correct them"
        )
    return file


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_null(each) for each in value]
    return value


def _where(location: Sequence[str | int]) -> str:
    """`users[0].user.token`; a name that somebody made up is not repeated whole."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part[:40]}" for part in location]
    return "".join(parts).removeprefix(".")


_SAYINGS: Final = {
    "string_type": "is no text; write it in quotes",
    "bool_type": "is neither true nor false; write one of them, without quotes",
    "list_type": "is no list; correct it",
    "base64": "is no base64; write the base64 of the PEM file",
}


def _what(kind: str) -> str:
    return _SAYINGS.get(kind, "is no mapping; correct it")


def _entries(path: Path, file: _File) -> Entries:
    folder = path.absolute().parent
    return Entries.model_construct(
        clusters=_named(
            path, "clusters", [(each.name, _of_cluster(each.cluster, folder)) for each in file.clusters]
        ),
        users=_named(path, "users", [(each.name, _of_user(each.user, folder)) for each in file.users]),
        contexts=_named(path, "contexts", [(each.name, each.context) for each in file.contexts]),
        current_context=file.current_context,
    )


def _named(path: Path, section: str, pairs: Sequence[tuple[str, T]]) -> dict[str, T]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in named if names.count(name) > 1)
        raise ConfigError(f"Kubeconfig {path}: {section} has {twice!r} twice; remove one of them")
    return named


def _of_cluster(cluster: Cluster, folder: Path) -> Cluster:
    authority = _absolute(cluster.certificate_authority, folder)
    return cluster.model_copy(update={"certificate_authority": authority})


def _of_user(user: User, folder: Path) -> User:
    update: dict[str, Any] = {
        name: _absolute(getattr(user, name), folder)
        for name in ("client_certificate", "client_key", "token_file")
    }
    if user.exec is not None and os.sep in user.exec.command:
        update["exec"] = user.exec.model_copy(update={"command": _absolute(user.exec.command, folder)})
    return user.model_copy(update=update)


def _absolute(path: str, folder: Path) -> str:
    return os.path.normpath(folder / path) if path else ""


def encoded(data: bytes) -> str:
    """As a kubeconfig holds it."""
    return base64.b64encode(data).decode()
