"""Reddit's dumps: posts and the answers to them, joined, whatever order and files they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanad_data.forms.answers import asked
from sanad_data.forms.form import Form, Input
from sanad_data.reading.spool import scratch
from sanad_data.reading.tables import objects
from sanad_data.records import Draft, Place, Reject, pseudonym

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from sanad_data.records import Found

__all__ = ["REDDIT", "REMOVED"]

# What stands in place of a text that its author or a moderator took away, in lower case.
REMOVED = frozenset({"[removed]", "[deleted]", "[deleted by user]", "[ removed by reddit ]"})
_SCHEMA = """
CREATE TABLE posts (
    id TEXT PRIMARY KEY, file TEXT, line INTEGER, author TEXT, forum TEXT, text TEXT, state TEXT
);
"""


def _read(files: Sequence[Input]) -> Iterator[Found]:
    """First the posts of all files are put aside, then each answer is joined to its post."""
    with scratch(_SCHEMA) as posts:
        for file in files:
            yield from _put_aside(posts, file)
        for file in files:
            for found in objects(file.path):
                if not isinstance(found, Reject) and _is_answer(found[1]):
                    yield _answer(posts, *found)
        lone = posts.execute("SELECT file, line FROM posts WHERE state = 'new' ORDER BY rowid")
        for file_name, line in lone:
            yield _left_out(Place(file_name, line), "is a post without an answer in these files")


def _is_post(data: dict[str, Any]) -> bool:
    return isinstance(data.get("title"), str) and isinstance(data.get("id"), str)


def _is_answer(data: dict[str, Any]) -> bool:
    return all(isinstance(data.get(key), str) for key in ("body", "link_id", "parent_id"))


def _put_aside(posts: sqlite3.Connection, file: Input) -> Iterator[Found]:
    for found in objects(file.path):
        if isinstance(found, Reject):
            yield found
            continue
        place, data = found
        if _is_post(data):
            unwanted = _unwanted(data, f"{data.get('selftext') or ''}", data["title"])
            row = (_storable(data["id"]), *place, *_about(data), "left out" if unwanted else "new")
            new = posts.execute("INSERT OR IGNORE INTO posts VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            if unwanted or not new.rowcount:
                yield _left_out(place, unwanted or "is a post that was there before")
        elif not _is_answer(data):
            yield Reject(place=place, reason="is neither a post nor a comment of Reddit")


def _about(data: dict[str, Any]) -> tuple[str, str, str]:
    """Author, forum and text of a post."""
    author, forum, text = (str(data.get(key) or "") for key in ("author", "subreddit", "selftext"))
    return _storable(author), _storable(forum), _storable(asked(data["title"], text))


def _storable(text: str) -> str:
    """Text without lone surrogates, which no database takes."""
    return text.encode("utf-8", "replace").decode()


def _answer(posts: sqlite3.Connection, place: Place, data: dict[str, Any]) -> Found:
    unwanted = _unwanted(data, data["body"])
    if unwanted:
        return _left_out(place, unwanted)
    if data["parent_id"] != data["link_id"]:
        return _left_out(place, "answers a comment, not a post")
    key = _storable(data["link_id"].removeprefix("t3_"))
    post = posts.execute(
        "SELECT file, line, author, forum, text, state FROM posts WHERE id = ?", (key,)
    ).fetchone()
    if post is None:
        return Reject(place=place, reason="answers a post that is not in these files")
    return _joined(posts, key, place, data, post)


def _joined(
    posts: sqlite3.Connection, key: str, place: Place, data: dict[str, Any], post: tuple[Any, ...]
) -> Found:
    file, line, author, forum, text, state = post
    if state == "left out":
        return _left_out(place, "answers a post that is left out")
    if data.get("author") == author:
        return _left_out(place, "is by the author of the post")
    posts.execute("UPDATE posts SET state = 'used' WHERE id = ?", (key,))
    return Draft(
        places=(place, Place(file, line)) if state == "new" else (place,),
        turns=(("person", text), ("supporter", data["body"])),
        topic=forum,
        group=pseudonym("reddit", author or key),
        source=f"reddit r/{forum}" if forum else "reddit",
    )


def _unwanted(data: dict[str, Any], *texts: str) -> str:
    """Why a post or a comment is left out; empty: it is not."""
    author = str(data.get("author") or "")
    if author.lower() in REMOVED or data.get("removed_by_category"):
        return "was removed or deleted"
    if any(text.strip().lower() in REMOVED for text in texts):
        return "was removed or deleted"
    if author == "AutoModerator" or data.get("distinguished") in ("moderator", "admin"):
        return "is by a bot or a moderator"
    return ""


def _left_out(place: Place, reason: str) -> Reject:
    return Reject(place=place, reason=reason, by_rule=True)


def _fits(file: Input) -> bool:
    return _is_answer(file.first) or (_is_post(file.first) and "subreddit" in file.first)


REDDIT = Form(
    name="reddit",
    title="Reddit's dumps: JSONL or zstd of posts and of comments, named together",
    kinds=frozenset({"lines"}),
    read=_read,
    fits=_fits,
    source="reddit",
)
