from __future__ import annotations

from kstream.sources.redaction import redacted


def test_secrets_are_taken_out_wherever_they_are() -> None:
    assert redacted("you sent xhunter2x", ["hunter2"]) == "you sent x[redacted]x"
    assert redacted("hunter22 and hunter2", ["hunter2", "hunter22", ""]) == "[redacted] and [redacted]"


def test_a_short_secret_is_taken_out_where_it_is_a_word() -> None:
    assert redacted("a pod, p=a", ["a"]) == "[redacted] pod, p=[redacted]"


def test_credentials_of_a_header_and_the_user_of_a_url_are_taken_out_unknown() -> None:
    assert redacted("Authorization: bearer abc.def, x", []) == "Authorization: bearer [redacted], x"
    assert redacted("http://u:p@proxy.test:1/a@b", []) == "http://[redacted]@proxy.test:1/a@b"
    assert redacted("https://api.test/a@b", []) == "https://api.test/a@b"
