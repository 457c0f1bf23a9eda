"""`python -m tests.docs.parse_only MODULE ARGUMENTS…`: the module takes its arguments, and does nothing with them."""

from __future__ import annotations

import argparse
import runpy
import sys
from typing import Any, NoReturn

import click


def _parsed(*_: Any, **__: Any) -> NoReturn:
    sys.exit(0)


def main() -> None:
    parse = argparse.ArgumentParser.parse_args

    def parse_only(parser: argparse.ArgumentParser, *given: Any, **named: Any) -> NoReturn:
        parse(parser, *given, **named)
        _parsed()

    setattr(argparse.ArgumentParser, "parse_args", parse_only)  # noqa: B010 - mypy takes no assignment to a method
    setattr(click.Command, "invoke", _parsed)  # noqa: B010
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(f"{module} parses no arguments")


if __name__ == "__main__":
    main()
