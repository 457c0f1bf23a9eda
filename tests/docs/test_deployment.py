"""Dockerfiles, nginx and TOML: they are well-formed, and say of kstream what is so."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.docs.blocks import Block, of
from tests.docs.deployment import dockerfile, nginx


def check(block: Block) -> None:
    """Raises AssertionError or ValueError for what is wrong."""
    match block.tag:
        case "toml":
            assert tomllib.loads(block.text)
        case "dockerfile":
            assert list(dockerfile(block.text)) == []
        case _:
            assert list(nginx(block.text)) == []


def test_what_starts_kstream_or_stands_before_it_fits() -> None:
    for block in of("dockerfile", "nginx", "toml"):
        check(block)


DOCKERFILE = """\
# kstream alone
FROM python:3.13-slim
RUN pip install --no-cache-dir \\
  'kstream[bench]'
ENV KSTREAM_MAX_CLIENTS=100
EXPOSE 3001
ENTRYPOINT ["kstream"]
CMD ["serve", "--host", "0.0.0.0"]
"""
NGINX = """\
server {
  listen 443 ssl;  # TLS ends here
  location / {
    proxy_pass http://127.0.0.1:3001;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
  }
}
"""


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("dockerfile", DOCKERFILE),
        ("nginx", NGINX),
        ("nginx", NGINX.replace("127.0.0.1:3001", "kstream") + "upstream kstream { server 10.0.0.1:3001; }"),
        ("toml", "[tool.a]\nb = 1\n"),
    ],
)
def test_what_is_right_passes(tag: str, text: str) -> None:
    check(Block("p.md", 1, tag, text))


@pytest.mark.parametrize(
    ("tag", "text", "said"),
    [
        ("dockerfile", DOCKERFILE.replace("FROM", "COPY"), "it begins with FROM"),
        ("dockerfile", DOCKERFILE.replace("RUN", "RUNS"), "there is no instruction RUNS"),
        ("dockerfile", DOCKERFILE.replace("bench", "all"), "there are"),
        ("dockerfile", DOCKERFILE.replace("_CLIENTS", "_USERS"), "no option is set by KSTREAM_MAX_USERS"),
        ("dockerfile", DOCKERFILE.replace("3001", "80"), "kstream listens on 3001"),
        ("dockerfile", DOCKERFILE.replace("--host", "--hots"), "No such option"),
        ("dockerfile", DOCKERFILE.replace('"--host", "0.0.0.0"', '"--workers", "2"'), "nothing outside"),
        ("dockerfile", DOCKERFILE.replace('["kstream"]', "kstream"), "write a list"),
        ("nginx", NGINX.replace("443 ssl;", "443 ssl"), "nothing ends 'listen'"),
        ("nginx", NGINX.removesuffix("}\n"), "a brace is not closed"),
        ("nginx", NGINX + "}", "a brace closes what is not open"),
        ("nginx", NGINX.replace("3001", "8080"), "kstream listens on 3001"),
        ("nginx", NGINX.replace("proxy_http_version 1.1;", ""), "proxy_http_version 1.1 is missing"),
        ("nginx", NGINX.replace("Upgrade $", "Update $"), "Upgrade $http_upgrade is missing"),
        ("toml", "a = ", "Invalid value"),
    ],
)
def test_what_is_wrong_is_found(tag: str, text: str, said: str) -> None:
    with pytest.raises((AssertionError, ValueError), match=re.escape(said)):
        check(Block("p.md", 1, tag, text))
