"""No literal and no comment of a statement leaves the server, whatever stands around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sql.text import MYSQL, POSTGRES, shortened, without_literals

SECRET = "hunter2"
"""Also as a number: 4711 followed by anything a number may go on with."""

inside = st.text(alphabet="ab \n(),.;=-*/$_%é", max_size=6)
plain_words = st.lists(
    st.sampled_from(
        ["CREATE ROLE", "bob", "PASSWORD", "t1", "(", ")", ",", "=", "||", "$1", "*", "-"]
    ),
    max_size=3,
).map(" ".join)


def quoted(quote, before="", escapes=("",)):
    """A literal in quotes, with its own kinds of escaped quote inside."""
    return st.tuples(inside, st.sampled_from(escapes), inside).map(
        lambda parts: f"{before}{quote}{parts[0]}{SECRET}{parts[1]}{SECRET}{parts[2]}{quote}"
    )


numbers = st.sampled_from(["4711", "4711.5", "0x4711fe", "47_11", "4711e+47", "1e4711", "0b4711"])
comments = inside.map(lambda text: f"-- {SECRET} {text.replace(chr(10), ' ')}\n")
block_comments = inside.map(lambda text: f"/* {SECRET} {text.replace('*', '').replace('/', '')} */")
dollar_tags = st.sampled_from(["", "tag", "_t1"])
dollar_quoted = st.builds(
    lambda tag, text: f"${tag}${text.replace('$', '')} '{SECRET} ${tag}$", dollar_tags, inside
)

POSTGRES_LITERALS = st.one_of(
    quoted("'", escapes=["", "''"]),
    quoted("'", before="E", escapes=["", "''", r"\'", r"\\"]),
    quoted("'", before="U&", escapes=["", "''"]),
    quoted("'", before="B"),
    dollar_quoted,
    numbers,
    comments,
    block_comments,
    block_comments.map(lambda text: f"/* {text} {SECRET} */"),
    st.just(f"'it\\'s {SECRET}'"),  # one literal with standard_conforming_strings off, else broken
)
MYSQL_LITERALS = st.one_of(
    quoted("'", escapes=["", "''", r"\\"]),
    quoted('"', escapes=["", '""', r"\\"]),
    numbers,
    comments,
    comments.map(lambda text: text.replace("--", "#")),
    block_comments,
    st.just(rf"'it\'s {SECRET}'"),
    st.just(rf'"it\"s {SECRET}"'),
)


def statements_of(literals):
    pieces = st.lists(st.tuples(plain_words, literals), min_size=1, max_size=4)
    return pieces.map(lambda pairs: " ".join(part for pair in pairs for part in pair))


@given(statements_of(POSTGRES_LITERALS), st.integers(0, 200))
def test_no_literal_or_comment_of_postgresql_is_left_even_when_the_text_was_cut(text, length):
    for part in (text, text[:length]):
        plain = without_literals(part, POSTGRES)
        assert SECRET not in plain
        assert "4711" not in plain


@given(statements_of(MYSQL_LITERALS), st.integers(0, 200))
def test_no_literal_or_comment_of_mysql_is_left_even_when_the_text_was_cut(text, length):
    for part in (text, text[:length]):
        plain = without_literals(part, MYSQL)
        assert SECRET not in plain
        assert "4711" not in plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("SELECT * FROM t1 WHERE a = $1", "SELECT * FROM t1 WHERE a = $1"),
        ("SELECT 'it''s', 1.5e3, x2 -- note 'secret'\nFROM t", "SELECT ?, ?, x2 FROM t"),
        (r"SELECT E'it\'s secret', b", "SELECT ?, b"),
        ("DO $body$ secret 'x' $body$", "DO ?"),
        ("CREATE ROLE a PASSWORD 'cut off", "CREATE ROLE a PASSWORD ?"),
        ('SELECT "odd 1 name" /* user=7 */ FROM t', 'SELECT "odd 1 name" FROM t'),
        ("SELECT 1 /* a /* b */ secret */ + 2", "SELECT ? + ?"),
        ("SELECT 0x1F, 1_000 FROM a$b", "SELECT ?, ? FROM a$b"),
        (r"SELECT 'c:\', name", "SELECT ? …"),
    ],
)
def test_what_remains_of_a_postgresql_statement_can_be_read(text, plain):
    assert without_literals(text, POSTGRES) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (
            'UPDATE `odd 1 name` SET a = "x" WHERE b = 7 # why',
            "UPDATE `odd 1 name` SET a = ? WHERE b = ?",
        ),
        ("SELECT /* 5 */ x FROM t WHERE c = 'a''b'", "SELECT x FROM t WHERE c = ?"),
        (r"SELECT 'it\'s', b", "SELECT ? …"),
    ],
)
def test_what_remains_of_a_mysql_statement_can_be_read(text, plain):
    assert without_literals(text, MYSQL) == plain


@given(st.text(max_size=80), st.integers(4, 60))
def test_a_text_is_cut_to_its_bytes(text, max_bytes):
    cut = shortened(text, max_bytes)
    assert len(cut.encode("utf-8", "replace")) <= max_bytes
    assert cut == text or cut.endswith("…")
