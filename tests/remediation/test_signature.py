from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.refusal import CallRefused, Outcome
from remediation.signature import verify
from tests.remediation.calls import OTHER_SECRET, SECRET, headers

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEXT = '{"type": "remediation.action"}'

# The known answer of the Standard Webhooks specification's reference libraries.
VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
VECTOR_TIME = datetime.fromtimestamp(1614265330, UTC)


def check(text, sent, *, now=NOW, secrets=(SECRET,)):
    raw = text.encode() if isinstance(text, str) else text
    verify(secrets, sent, raw, now=now, tolerance_seconds=300)


def refused(text, sent, **others):
    with pytest.raises(CallRefused) as found:
        check(text, sent, **others)
    assert found.value.status == 401
    return found.value.outcome


def test_the_known_answer_of_the_specification_is_accepted():
    check(VECTOR_BODY, VECTOR_HEADERS, now=VECTOR_TIME, secrets=(VECTOR_SECRET,))


@given(at=st.integers(0, len(VECTOR_BODY) - 1), bit=st.integers(0, 6))
def test_any_changed_bit_of_the_body_is_refused(at, bit):
    changed = bytearray(VECTOR_BODY)
    changed[at] ^= 1 << bit
    outcome = refused(bytes(changed), VECTOR_HEADERS, now=VECTOR_TIME, secrets=(VECTOR_SECRET,))
    assert outcome is Outcome.UNPROVEN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-timestamp", "1614265331"),
        ("webhook-timestamp", "1614265330.0"),
        ("webhook-timestamp", "01614265330"),
        ("webhook-timestamp", "+1614265330"),
        ("webhook-timestamp", "yesterday"),
        ("webhook-timestamp", "١٦١٤٢٦٥٣٣٠"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,not base64"),
        ("webhook-signature", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", ""),
        ("webhook-id", ""),
    ],
)
def test_a_changed_header_is_refused(name, value):
    sent = {**VECTOR_HEADERS, name: value}
    outcome = refused(VECTOR_BODY, sent, now=VECTOR_TIME, secrets=(VECTOR_SECRET,))
    assert outcome is Outcome.UNPROVEN


@given(st.dictionaries(st.sampled_from(list(VECTOR_HEADERS)), st.text(max_size=40)))
def test_no_header_whatever_is_more_than_a_refusal(sent):
    assert refused(VECTOR_BODY, sent, now=VECTOR_TIME) is Outcome.UNPROVEN


def test_a_body_that_is_no_text_is_refused():
    assert refused(b"\xff\xfe", headers(TEXT, sent_at=NOW)) is Outcome.UNPROVEN


def test_another_key_is_refused():
    sent = headers(TEXT, secret=OTHER_SECRET, sent_at=NOW)
    assert refused(TEXT, sent) is Outcome.UNPROVEN


def test_both_keys_are_accepted_while_senders_move_to_the_new_one():
    for secret in (SECRET, OTHER_SECRET):
        check(TEXT, headers(TEXT, secret=secret, sent_at=NOW), secrets=(SECRET, OTHER_SECRET))


def test_one_good_signature_among_several_is_enough():
    sent = headers(TEXT, sent_at=NOW)
    sent["webhook-signature"] = f"v1a,abc v1,xyz {sent['webhook-signature']}"
    check(TEXT, sent)


@pytest.mark.parametrize("age_seconds", [-300, 0, 300])
def test_a_call_within_the_tolerance_is_fresh(age_seconds):
    check(TEXT, headers(TEXT, sent_at=NOW - timedelta(seconds=age_seconds)))


@pytest.mark.parametrize("age_seconds", [-301, 301, 86400])
def test_a_call_of_another_time_is_refused_as_stale(age_seconds):
    sent = headers(TEXT, sent_at=NOW - timedelta(seconds=age_seconds))
    assert refused(TEXT, sent) is Outcome.STALE


def test_a_forged_call_does_not_learn_whether_its_time_was_right():
    sent = headers(TEXT, secret=OTHER_SECRET, sent_at=NOW - timedelta(days=1))
    assert refused(TEXT, sent) is Outcome.UNPROVEN
