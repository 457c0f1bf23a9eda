"""Kubeconfigs and what they mean: what is sent, or in which words they are refused. kubectl is the judge of both.

In a text, PORT is that of an API server with TLS, HTTP that of one without, and CADATA its authority.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import NamedTuple

T1 = {"Authorization": "Bearer t1"}
U_P = {"Authorization": "Basic dTpw"}
PLUG = {"Authorization": "Bearer plug"}
NOBODY: Mapping[str, str] = {}
_TRUST = "certificate-authority-data: CADATA"
_PLAIN = "disable-compression: true"
_HTTP = "http://127.0.0.1:HTTP"


class Case(NamedTuple):
    name: str
    text: str | bytes
    sent: Mapping[str, str] | None = None  # the headers that say who we are
    refused: str = ""  # in what we say


def config(
    *user: str,
    server: str = "https://127.0.0.1:PORT",
    cluster: tuple[str, ...] = (_TRUST,),
    name: str = "a",
    context: str = "",
    top: str = "",
) -> str:
    """One context; what is not said is right."""
    lines = [
        top,
        "clusters:",
        f"- name: {name}",
        "  cluster:",
        f"    server: {server}",
        *(f"    {line}" for line in cluster),
        "contexts:",
        f"- name: {name}",
        f"  context: {{{context or f'cluster: {name}, user: {name}'}}}",
        f"current-context: {name}",
        "users:",
        f"- name: {name}",
        "  user:",
        *(f"    {line}" for line in user or ("token: t1",)),
    ]
    return "\n".join(lines) + "\n"


def plugin(more: str = "", *, mode: str = "interactiveMode: Never", version: str = "v1") -> str:
    fields = ["command: ./plugin", f"apiVersion: client.authentication.k8s.io/{version}", mode, more]
    return f"exec: {{{', '.join(filter(None, fields))}}}"


def jwt(**claims: int) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


def oidc(**fields: str) -> str:
    return "auth-provider: " + json.dumps(
        {"name": "oidc", "config": {key.replace("_", "-"): value for key, value in fields.items()}}
    )


_READING = [
    Case("plain", config(), T1),
    Case("several documents", config() + "---\nclusters: 5\n---\nno: [yaml", T1),
    Case("a document after a marker", "# remark\n---\n" + config(), T1),
    Case("UTF-16", config().encode("utf-16"), T1),
    Case("UTF-16, the other way round", b"\xfe\xff" + config().encode("utf-16-be"), T1),
    Case("a byte order mark", b"\xef\xbb\xbf" + config().encode(), T1),
    Case("Latin-1", config(top="# \xe4").encode("latin-1"), refused="neither UTF-8 nor UTF-16"),
    Case("NUL", config(top="# \0"), refused="control characters"),
    Case(
        "a tab for indentation", config(top="preferences:\n\tcolors: true"), refused="cannot start any token"
    ),
    Case(
        "tabs in JSON",
        '{\n\t"clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:PORT",\n'
        '\t\t"certificate-authority-data": "CADATA"}}],\n\t"users": [{"name": "a", "user": {"token": "t1"}}],\n'
        '\t"contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}], "current-context": "a"}',
        T1,
    ),
    Case("an equals sign", config(top="extensions: [{name: note, extension: =}]"), T1),
    Case("a merged mapping", config("<<: *shared", top="x: &shared {token: t1}"), T1),
    Case("no such anchor", config("<<: *nope"), refused="an alias refers to what is not there"),
    Case("a number that is none", config(top="x: .nan"), refused="not finite"),
    Case("null as a key", config(top="? ~\n: 1"), refused="a key is no text"),
    Case("a mapping as a key", config(top="? {a: 1}\n: 1"), refused="a key is no text"),
    Case("a number as a key", config(top="5: 1"), T1),
    Case("a key twice", config(top="current-context: b"), T1),
    Case("an unknown field", config(top="Clusters: 5"), T1),
    Case("text", "abc", refused="is no kubeconfig"),
    Case("a list", "[]", refused="is no kubeconfig"),
    Case("nothing", "", refused="has no contexts"),
    Case("a remark", "# only", refused="has no contexts"),
    Case("another version", config(top="apiVersion: v2"), refused="Config and v1"),
    Case(
        "another kind",
        config(top="{kind: List, apiVersion: v1}"[1:-1].replace(", ", "\n")),
        refused="Config and v1",
    ),
    Case("kind alone", config(top="kind: Config"), T1),
]

_NAMES = [
    Case(f"the name {name}", config(name=name), T1)
    for name in (
        "2024-01-01",
        "1:30",
        "2001-12-14t21:59:43Z",
        "!!str 123",
        "!custom abc",
        '"123"',
        "~",
        "a=b",
        "=",
        "0b2",
    )
] + [
    Case(f"the name {name}", config(name=name), refused="clusters[0].name is no text")
    for name in (
        "123",
        "yes",
        "y",
        "off",
        "1e3",
        "0123456789",
        "0777",
        "1_000",
        ".5",
        "0o7",
        "0x1F",
        "+1",
        "[a]",
    )
]

_TYPES = [
    Case("the token 12345", config("token: 12345"), refused="users[0].user.token is no text"),
    Case(
        "verification as text",
        config(cluster=("insecure-skip-tls-verify: 'false'",)),
        refused="neither true nor false",
    ),
    Case(
        "verification as a number",
        config(cluster=("insecure-skip-tls-verify: 1",)),
        refused="neither true nor false",
    ),
    Case("verification off", config(cluster=("insecure-skip-tls-verify: yes",)), T1),
    Case("verification null", config(cluster=(_TRUST, "insecure-skip-tls-verify: ~")), T1),
    Case("preferences", config(top="preferences: []"), refused="preferences is no mapping"),
    Case("colors", config(top="preferences: {colors: 'x'}"), refused="preferences.colors is neither"),
    Case("extensions", config(top="extensions: abc"), refused="extensions is no list"),
    Case(
        "a user that is text",
        config().replace("  user:\n    token: t1", "  user: abc"),
        refused="user is no mapping",
    ),
    Case(
        "users that are a mapping", config().split("users:")[0] + "users: {a: {}}", refused="users is no list"
    ),
    Case("null among users", config().replace("users:", "users:\n- ~"), T1),
    Case("a server that is a list", config(server="[a]"), refused="clusters[0].cluster.server is no text"),
    Case("a namespace", config(context="cluster: a, user: a, namespace: 5"), refused="namespace is no text"),
    Case("a name twice", config() + "- name: a\n  user: {token: t2}\n", refused="users has 'a' twice"),
    Case("as-groups", config("token: t1", "as: x", "as-groups: g"), refused="as-groups is no list"),
    Case(
        "as-user-extra",
        config("token: t1", "as: x", "as-user-extra: {a: b}"),
        refused="as-user-extra.a is no list",
    ),
    Case("as", config("token: t1", "as: 5"), refused="users[0].user.as is no text"),
    Case("exec is text", config("exec: abc"), refused="users[0].user.exec is no mapping"),
    Case("exec is a list", config("exec: [abc]"), refused="users[0].user.exec is no mapping"),
    Case("exec is null", config("exec: ~", "token: t1"), T1),
    Case("env is text", config(plugin("env: [a]")), refused="exec.env[0] is no mapping"),
    Case("env is a mapping", config(plugin("env: {a: b}")), refused="exec.env is no list"),
    Case(
        "a variable is a number",
        config(plugin("env: [{name: a, value: 1}]")),
        refused="env[0].value is no text",
    ),
    Case("an argument is a number", config(plugin("args: [1]")), refused="exec.args[0] is no text"),
    Case(
        "config of auth-provider",
        config("auth-provider: {name: oidc, config: {a: 1}}"),
        refused="config.a is no text",
    ),
]

_CLUSTERS = [
    Case("http: nothing of us is sent", config(server=_HTTP, cluster=(_PLAIN,)), NOBODY),
    Case(
        "http: but as",
        config("token: t1", "as: x", server=_HTTP, cluster=(_PLAIN,)),
        {"Impersonate-User": "x"},
    ),
    Case("http: no plugin", config(plugin(), server=_HTTP, cluster=(_PLAIN,)), NOBODY),
    Case("http: no user", config(server=_HTTP, cluster=(_PLAIN,), context="cluster: a, user: zz"), NOBODY),
    Case("no scheme is http", config(server="127.0.0.1:HTTP"), NOBODY),
    Case("no scheme, a name", config(server="localhost:HTTP"), NOBODY),
    Case("no scheme, a path", config(server="127.0.0.1:HTTP/abc"), refused="server is no address"),
    Case("a scheme in upper case", config(server="HTTPS://LOCALHOST:PORT"), T1),
    Case("a prefix", config(server="https://127.0.0.1:PORT/k8s/x?q=1#f"), T1),
    Case("a user in the server", config(server="https://u:p@127.0.0.1:PORT"), U_P),
    Case("a user in the server, http", config(server="http://u:p@127.0.0.1:HTTP", cluster=(_PLAIN,)), U_P),
    Case(
        "an escaped user",
        config(server="https://u%20a:p%40@127.0.0.1:PORT"),
        {"Authorization": "Basic dSBhOnBA"},
    ),
    Case("another scheme", config(server="ftp://127.0.0.1:PORT"), refused="neither https:// nor http://"),
    Case("half an address", config(server="'http://u:p@['"), refused="server is no address"),
    Case("a port that is none", config(server="https://127.0.0.1:99999"), refused="server is no address"),
    Case("a space", config(server="'https://127.0.0.1 :PORT'"), refused="server is no address"),
    Case("no server", config(server="''"), refused="it has no server"),
    Case(
        "no such cluster", config(context="cluster: zz, user: a"), refused="cluster 'zz', which is not there"
    ),
    Case(
        "insecure with an authority",
        config(cluster=(_TRUST, "insecure-skip-tls-verify: true")),
        refused="an authority",
    ),
    Case(
        "an authority twice", config(cluster=(_TRUST, "certificate-authority: ca.crt")), refused="it has both"
    ),
    Case("an authority in a file", config(cluster=("certificate-authority: ca.crt",)), T1),
    Case(
        "no such file",
        config(cluster=("certificate-authority: no.crt",)),
        refused="cannot be read: No such file",
    ),
    Case("a folder", config(cluster=("certificate-authority: .",)), refused="cannot be read: Is a directory"),
    Case(
        "NUL in a path",
        config(cluster=('certificate-authority: "a\\0b"',)),
        refused="cannot be read: it is no path",
    ),
    Case("no base64", config(cluster=("certificate-authority-data: '!!!'",)), refused="is no base64"),
    Case(
        "no PEM", config(cluster=("certificate-authority-data: aGVsbG8=",)), refused="no certificate in PEM"
    ),
    Case("base64 in lines", config(cluster=("certificate-authority-data: |", "  CADATA")), T1),
    Case(
        "a proxy of another kind",
        config(cluster=(_TRUST, "proxy-url: ftp://u:p@h:1")),
        refused="proxy-url is no address",
    ),
    Case(
        "a proxy without a scheme",
        config(cluster=(_TRUST, "proxy-url: 127.0.0.1:9")),
        refused="proxy-url is no address",
    ),
    Case(
        "half a proxy",
        config(cluster=(_TRUST, "proxy-url: 'http://u:p@['")),
        refused="proxy-url is no address",
    ),
    Case("socks5h", config(cluster=(_TRUST, "proxy-url: socks5h://h:1")), refused="proxy-url is no address"),
]

_USERS = [
    Case("nobody", config(context="cluster: a"), refused="it is not there"),
    Case("no such user", config(context="cluster: a, user: zz"), refused="user 'zz': it is not there"),
    Case("no credentials", config("token: ''"), refused="it has no credentials"),
    Case("a token of two lines", config('token: "a\\nb"'), refused="control characters"),
    Case("NUL in a token", config('token: "a\\0b"'), refused="control characters"),
    Case("a token file", config("tokenFile: token"), {"Authorization": "Bearer filed"}),
    Case(
        "a token file and a token", config("tokenFile: token", "token: t1"), {"Authorization": "Bearer filed"}
    ),
    Case("no such token file", config("tokenFile: nope"), refused="nope cannot be read: No such file"),
    Case("no such token file, but a token", config("tokenFile: nope", "token: t1"), T1),
    Case("an empty token file", config("tokenFile: empty"), refused="is empty"),
    Case("NUL in the path of a token", config('tokenFile: "a\\0b"'), refused="it is no path"),
    Case("a password", config("username: u", "password: p"), U_P),
    Case("a name alone", config("username: u"), {"Authorization": "Basic dTo="}),
    Case("a password alone", config("password: p"), refused="it has no credentials"),
    Case("a token and a password", config("token: t1", "password: p"), refused="both a token and"),
    Case("a token file and a name", config("tokenFile: token", "username: u"), refused="both a token and"),
    Case(
        "a certificate without a key",
        config("client-certificate-data: aGVsbG8="),
        refused="without a client-key",
    ),
    Case("a key without a certificate", config("token: t1", "client-key-data: aGVsbG8="), T1),
    Case(
        "a certificate that is none",
        config("client-certificate-data: aGVsbG8=", "client-key-data: aGVsbG8="),
        refused="client-certificate and client-key cannot be used",
    ),
    Case("no such key", config("client-certificate: token", "client-key: nope"), refused="client-key '"),
    Case(
        "as",
        config(
            "token: t1",
            "as: x",
            "as-groups: [a]",
            "as-uid: '5'",
            "as-user-extra: {scopes: [v], 'Acme.com/%x': [z]}",
        ),
        T1
        | {
            "Impersonate-User": "x",
            "Impersonate-Group": "a",
            "Impersonate-Uid": "5",
            "Impersonate-Extra-Scopes": "v",
            "Impersonate-Extra-Acme.com%2F%25x": "z",
        },
    ),
    Case("as-groups without as", config("token: t1", "as-groups: [a]"), refused="without as"),
    Case("as-uid without as", config("token: t1", "as-uid: a"), refused="without as"),
    Case("as-user-extra without as", config("token: t1", "as-user-extra: {a: [b]}"), refused="without as"),
    Case("no groups without as", config("token: t1", "as-groups: []"), T1),
    Case("as in two lines", config("token: t1", 'as: "x\\ny"'), refused="control characters"),
    Case("azure", config("auth-provider: {name: azure, config: {}}"), refused="auth-provider is 'azure'"),
    Case("gcp", config("token: t1", "auth-provider: {name: gcp}"), refused="gke-gcloud-auth-plugin"),
    Case(
        "an unknown auth-provider",
        config("token: t1", "auth-provider: {name: zz}"),
        refused="auth-provider is 'zz'",
    ),
    Case("oidc", config("auth-provider: {name: oidc}"), refused="no idp-issuer-url"),
    Case(
        "oidc without client-id",
        config(oidc(idp_issuer_url="https://x", id_token="a")),
        refused="no client-id",
    ),
    Case(
        "an id-token",
        config(oidc(idp_issuer_url="https://x", client_id="c", id_token=jwt(exp=9999999999))),
        {"Authorization": f"Bearer {jwt(exp=9999999999)}"},
    ),
    Case(
        "no JWT", config(oidc(idp_issuer_url="https://x", client_id="c", id_token="abc")), refused="is no JWT"
    ),
    Case(
        "an old id-token",
        config(oidc(idp_issuer_url="https://x", client_id="c", id_token=jwt(exp=99))),
        refused="has expired, and there is no refresh-token",
    ),
]

_PLUGINS = [
    Case("a plugin", config(plugin()), PLUG),
    Case("a plugin, as", config(plugin(), "as: me"), PLUG | {"Impersonate-User": "me"}),
    Case("a token is before a plugin", config(plugin(), "token: t1"), T1),
    Case(
        "a token file is before a plugin",
        config(plugin(), "tokenFile: token"),
        {"Authorization": "Bearer filed"},
    ),
    Case("a password is before a plugin", config(plugin(), "username: u", "password: p"), U_P),
    Case("a password alone is not", config(plugin(), "password: p"), PLUG),
    Case("without a mode", config(plugin(mode="")), refused="no interactiveMode"),
    Case("another mode", config(plugin(mode="interactiveMode: never")), refused="no interactiveMode"),
    Case("with a terminal", config(plugin(mode="interactiveMode: Always")), refused="no terminal"),
    Case("an old version", config(plugin(version="v1alpha1")), refused="no apiVersion that is known"),
    Case(
        "not the version it speaks",
        config(plugin(version="v1beta1", mode="")),
        refused="speaks another version",
    ),
    Case("no command", config("exec: {}"), refused="exec has no command"),
    Case(
        "a variable without a name", config(plugin("env: [{value: a}]")), refused="a variable without a name"
    ),
    Case("a variable without a value", config(plugin("env: [{name: a}]")), PLUG),
    Case("null as an argument", config(plugin("args: [~]")), PLUG),
    Case("NUL in a variable", config(plugin('env: [{name: a, value: "x\\0y"}]')), refused="have a NUL"),
    Case("NUL in an argument", config(plugin('args: ["a\\0b"]')), refused="have a NUL"),
    Case(
        "no such program", config(plugin().replace("./plugin", "no-such-plugin")), refused="cannot be started"
    ),
    Case(
        "with an auth-provider",
        config(plugin(), "auth-provider: {name: oidc}"),
        refused="both exec and auth-provider",
    ),
]

CASES = [*_READING, *_NAMES, *_TYPES, *_CLUSTERS, *_USERS, *_PLUGINS]
