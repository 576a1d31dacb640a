"""Configuration files: everything wrong is named with its place, and nothing is misread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import POLICIES, ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_core import Engine
from sanad_core.check import check_policy
from sanad_core.deployment import Deployment, load_deployment
from sanad_core.errors import ConfigError, ContentError, DeploymentError, PolicyError
from sanad_core.helplines import load_helplines
from sanad_core.packaged import find_policy
from sanad_core.plan import resolve
from sanad_core.plugins import Catalog
from sanad_core.policy import load_policy, read_policy
from sanad_core.replies import load_replies
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanad_core.problems import Problem

SHIPPED = sorted(path for path in POLICIES.glob("*.yml") if path.name != "helplines.yml")
FILES = [*SHIPPED, ROOT / "sanad.yml"]


def keys_of(path: Path) -> list[tuple[Any, ...]]:
    return list(read_yaml(path).keys)


CASES = [
    pytest.param(path, key, id=f"{path.name}:{'.'.join(map(str, key))}")
    for path in FILES
    for key in keys_of(path)
]


def problems_of(path: Path) -> list[Problem]:
    if path.name.startswith("sanad"):
        try:
            return load_deployment(path)[1]
        except DeploymentError as err:
            return list(err.problems)
    policy, problems = read_policy(path)
    if policy is not None:
        problems += resolve(policy, Deployment(), Catalog())[1]
    return problems


def errors_at(path: Path, text: str, folder: Path) -> list[int]:
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return [problem.line for problem in problems_of(copy) if not problem.warning]


@pytest.mark.parametrize(("path", "key"), CASES)
def test_a_misspelt_key_is_found_on_its_line(path: Path, key: tuple[Any, ...], tmp_path) -> None:
    file = read_yaml(path)
    line, column = file.keys[key]
    lines = path.read_text(encoding="utf-8").splitlines()
    name = str(key[-1])
    assert lines[line - 1][column - 1 :].startswith(name)
    for dropped in range(len(name)):
        short = name[:dropped] + name[dropped + 1 :]
        changed = list(lines)
        changed[line - 1] = (
            lines[line - 1][: column - 1] + short + lines[line - 1][column - 1 + len(name) :]
        )
        assert line in errors_at(path, "\n".join(changed), tmp_path), short


@pytest.mark.parametrize(("path", "key"), CASES)
def test_a_key_that_stands_twice_is_found_on_its_line(
    path: Path, key: tuple[Any, ...], tmp_path
) -> None:
    line, column = read_yaml(path).keys[key]
    lines = path.read_text(encoding="utf-8").splitlines()
    before, after = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
    if "{" in before:
        lines[line - 1] = f"{before}{key[-1]}: 0, {after}"
        second = line
    else:
        lines[line - 1 : line] = [f"{before}{key[-1]}: 0", f"{' ' * len(before)}{after}"]
        second = line + 1
    assert second in errors_at(path, "\n".join(lines), tmp_path)


@pytest.mark.parametrize(("path", "key"), CASES)
def test_a_value_of_the_wrong_type_is_found_on_its_line(
    path: Path, key: tuple[Any, ...], tmp_path
) -> None:
    text = path.read_text(encoding="utf-8")
    node = _node(yaml.compose(text), key)
    wrong = "{wrong: 1}" if not isinstance(node, yaml.MappingNode) else "[[5]]"
    start, end = node.start_mark.index, node.end_mark.index
    gap = "" if text[start - 1] == " " else " "
    changed = text[:start] + gap + wrong + ("\n" if "\n" in text[start:end] else "") + text[end:]
    line = text.count("\n", 0, start) + 1
    assert line in errors_at(path, changed, tmp_path)


def _node(node: Any, key: tuple[Any, ...]) -> Any:
    for part in key:
        if isinstance(part, int):
            node = node.value[part]
        else:
            node = next(value for name, value in node.value if name.value == part)
    return node


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_shipped_files_are_clean(path: Path) -> None:
    assert [p for p in problems_of(path) if not p.warning] == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_policies_pass_the_whole_check(path: Path) -> None:
    checked = check_policy(path, Deployment(), Catalog())
    assert [str(p) for p in checked.problems if not p.warning] == []
    assert len(checked.table) == (4 * 8 * 2 + 1) * 2 * (1 + len(checked.policy.detect))


# What is wrong in a policy, and what is said about it: place, value and the way out.
WRONG = [
    ({"locales": []}, "at least 1 item"),
    ({"locales": ["en", "en"]}, "'en' stands twice"),
    ({"locales": ["xx"]}, "no scripted texts for the language 'xx'"),
    ({"region": "usa"}, "'usa': string should match pattern"),
    ({"sanad": 2}, "2 is not valid here; use 1"),
    ({"detect": [{"use": "lexikon", "required": True}]}, "did you mean 'lexicon'?"),
    ({"detect": [{"use": "rules", "required": True}]}, "'rules' is not a detector"),
    ({"detect": [{"use": "lexicon"}]}, "no step is a required in-process detector of risk"),
    (
        {"detect": [{"use": "lexicon", "required": True, "timeout": "2 seconds"}]},
        "'2 seconds' is not a duration",
    ),
    (
        {"detect": [{"use": "lexicon", "required": True, "options": {"foldrs": []}}]},
        "did you mean 'folders'?",
    ),
    (
        {"detect": [{"use": "lexicon", "required": True}, {"use": "lexicon"}]},
        "give this one a 'name'",
    ),
    ({"respond": {"chain": []}}, "at least 1 item"),
    ({"respond": {"deadline": "0s", "chain": [{"use": "rules"}]}}, "must be more than nothing"),
    (
        {"respond": {"chain": [{"use": "rules", "when": {"held": False}}]}},
        "the last responder must always answer",
    ),
    (
        {"respond": {"chain": [{"use": "rules"}], "fallback": "support/fallbak"}},
        "there is no text 'support/fallbak'",
    ),
    ({"disclosure": {"every": 3}}, "must be text, not 3 (quote it)"),
    ({"on_failure": {"reply": "crisis/nothing"}}, "there is no text 'crisis/nothing'"),
    ({"crisis": []}, "at least 1 item"),
]
RULE = {"rule": "all", "when": {"risk": {"at_least": "low"}}, "reply": "crisis/imminent"}
WRONG_RULES = [
    ({"when": {}}, "a condition needs risk, signal, failure"),
    ({"when": {"risk": {"kind": "suicide"}}}, "needs 'at_least' or 'at_most'"),
    ({"when": {"risk": {"at_least": "hihg"}}}, "did you mean 'high'?"),
    ({"when": {"risk": {"at_least": "low", "kind": "suicidal"}}}, "did you mean 'suicide'?"),
    ({"when": {"risk": {"at_most": "low"}}}, "'at_most' and 'held: false' are not allowed"),
    ({"when": {"not": {"held": True}}}, "'at_most' and 'held: false' are not allowed"),
    ({"when": {"held": False}}, "'at_most' and 'held: false' are not allowed"),
    ({"when": {"risk": {"at_least": "none"}}}, "matches every message"),
    ({"hold": "1s"}, "too short for crisis mode"),
    ({"when": {"failure": "lexikon"}}, "did you mean 'lexicon'?"),
    ({"when": {"signal": {"kind": "x", "label": "y", "at_least": 2}}}, "less than or equal to 1"),
    ({"hold": "24"}, "'24' is not a duration"),
    ({"hold": "until_acknowledged"}, "needs a notifier"),
    ({"notify": ["on_cal"]}, "did you mean 'on_call'?"),
    ({"notify": [{"to": "on_call", "include": ["name"]}]}, "'name' is not valid here; use text"),
    ({"helplines": ["suicde"]}, "did you mean 'suicide'?"),
    ({"reply": "crisis/iminent"}, "there is no text 'crisis/iminent/suicide'"),
    ({"rule": "on_failure"}, "is taken"),
]


@pytest.mark.parametrize(
    ("changes", "said"), [*WRONG, *(({"crisis": [RULE | change]}, s) for change, s in WRONG_RULES)]
)
def test_what_is_wrong_is_said_with_its_place(
    write_policy: Callable[..., Path], changes: dict[str, Any], said: str
) -> None:
    path = write_policy(**changes)
    problems = [p for p in check_policy(path, Deployment(), Catalog()).problems if not p.warning]
    found = [problem for problem in problems if said in str(problem)]
    assert found, [str(problem) for problem in problems]
    assert found[0].file == str(path)
    assert found[0].line > 0
    assert "\n" not in str(found[0])


def test_a_rule_that_can_never_fire_and_a_person_nobody_answers_are_found(
    write_policy: Callable[..., Path],
) -> None:
    high = RULE | {"rule": "high", "when": {"risk": {"at_least": "high", "subject": "self"}}}
    path = write_policy(crisis=[RULE | {"rule": "first"}, high])
    said = [str(p) for p in check_policy(path, Deployment(), Catalog()).problems]
    assert any("the rule 'high' can never fire" in line for line in said)
    path = write_policy(crisis=[high])
    said = [str(p) for p in check_policy(path, Deployment(), Catalog()).problems]
    assert any("no rule answers a person at 'moderate' of psychosis" in line for line in said)
    assert any("no rule answers a person at 'low' of suicide" in line for line in said)


def test_every_problem_is_reported_at_once(write_policy: Callable[..., Path]) -> None:
    path = write_policy(nmae="x", locales=5, disclosure={"evry": "3h"}, crisis=[{"rule": "a"}])
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert len(caught.value.problems) >= 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        ("directory", "is a directory"),
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"sanad: 1\nname: \xff\xfe\n", ":2:7: is not UTF-8"),
        (b"# " + b"x" * 10_000_000, "larger than 4 MB"),
        (b"sanad: [1\nname: x", "not valid YAML"),
        (b"\tsanad: 1", "not valid YAML"),
        (b"- 1\n- 2\n", "must be a mapping"),
        (b"just text", "must be a mapping"),
        (b"sanad: 1\n---\nsanad: 1\n", "not valid YAML"),
        (b"a: &x 1\nb: *x\n", "anchors and aliases"),
        (b"a: !!python/object/apply:os.system ['true']\n", "tags are not allowed"),
        (b"? [a]\n: b\n", "a key must be plain text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"- " * 100_000, "nested too deeply"),
        (b"".join(b" " * n + b"a:\n" for n in range(2000)), "nested too deeply"),
        (b"a: \x00\n", "not valid YAML|not allowed"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_in_one_line(
    tmp_path: Path, content: bytes | str | None, said: str
) -> None:
    path = tmp_path / "p.yml"
    if content == "directory":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        Engine.from_policy(path)
    assert all("\n" not in str(problem) for problem in caught.value.problems)
    assert str(path) in str(caught.value)


def test_words_that_yaml_would_convert_stay_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "f.yml"
    path.write_text("a: no\nb: 1:30\nc: 0777\nd: 2026-01-01\ne: true\nf: 3\ng: 0.5\nh: ~\ni: NO\n")
    assert read_yaml(path).data == {
        "a": "no", "b": "1:30", "c": "0777", "d": "2026-01-01", "e": True, "f": 3, "g": 0.5,
        "h": None, "i": "NO",
    }  # fmt: skip


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["sanad", "name", "detect", "crisis", "respond", "x"]), plain)
)
@settings(max_examples=200)
def test_no_content_makes_the_reader_fail(tmp_path_factory: Any, data: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "p.yml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    policy, problems = read_policy(path)
    assert policy is None
    assert problems


def test_a_policy_is_found_by_path_or_by_name() -> None:
    assert find_policy("minimal").read_text() == (POLICIES / "minimal.yml").read_text()
    with pytest.raises(PolicyError, match="did you mean 'minimal'"):
        find_policy("minimum")


def test_a_secret_must_come_from_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "sanad.yml"
    webhook = {
        "name": "on_call",
        "use": "webhook",
        "options": {"url": "https://x", "secret": "K3Y"},
    }
    path.write_text(yaml.safe_dump({"sanad": 1, "notifiers": [webhook]}))
    with pytest.raises(PolicyError, match="a secret must not stand in a file") as caught:
        Engine.from_policy("minimal", deployment=path)
    assert "K3Y" not in "".join(problem.shown() for problem in caught.value.problems)
    endpoint = {"name": "v", "url": "https://x", "key": "K3Y"}
    path.write_text(yaml.safe_dump({"sanad": 1, "endpoints": [endpoint]}))
    with pytest.raises(DeploymentError, match="a secret must not stand") as refused:
        load_deployment(path)
    assert "K3Y" not in "".join(problem.shown() for problem in refused.value.problems)


def test_an_unset_variable_is_a_warning_and_its_step_a_failed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    path = tmp_path / "sanad.yml"
    options = {"url": "${NOT_SET}", "secret": "${NOT_SET}"}
    webhook = {"name": "on_call", "use": "webhook", "options": options}
    path.write_text(yaml.safe_dump({"sanad": 1, "notifiers": [webhook]}))
    checked = check_policy(POLICIES / "minimal.yml", load_deployment(path)[0], Catalog())
    assert checked.clean
    assert any("NOT_SET is not set" in str(problem) for problem in checked.problems)


def test_helplines_are_never_older_than_a_year(tmp_path: Path) -> None:
    text = (POLICIES / "helplines.yml").read_text(encoding="utf-8")
    registry, warnings = load_helplines(POLICIES / "helplines.yml")
    assert "nobody has checked them yet" in str(warnings[0])
    assert {"US", "CA", "GB", "IE", "AU", "NZ", "DE", "FR", "IN", "JP", "BR"} <= set(
        registry.regions
    )
    path = tmp_path / "helplines.yml"
    path.write_text(
        text.replace("verified_on: null", "verified_on: 2020-01-01", 1), encoding="utf-8"
    )
    with pytest.raises(ContentError, match="over 12 months ago; check it again") as caught:
        load_helplines(path)
    assert caught.value.problems[0].line > 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{helplines}}", "{{helpline_list}}", "no such placeholder"),
        ("locale: en", "locale: ar", "must be 'en'"),
        ("- key: crisis/high/suicide", "- key: crisis/imminent/suicide", "stands twice"),
        ('"call {number}"', '"call"', "must hold {number}"),
        ("reviewed_by: []", "reviewed_by: [somebody]", "must be a mapping"),
    ],
)
def test_reply_files_are_checked(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (POLICIES / "replies" / "en.yml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "en.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError, match=said):
        load_replies([tmp_path], "en")


def test_one_text_of_ones_own_replaces_the_packaged_one_and_leaves_the_rest(
    write_policy: Callable[..., Path],
) -> None:
    path = write_policy()
    own = path.parent / "replies"
    own.mkdir()
    text = {"key": "crisis/held/suicide", "variants": [{"id": "mine", "text": "OWN TEXT"}]}
    content = {"replies": 1, "locale": "en", "reviewed_by": [], "source": "a test", "texts": [text]}
    (own / "en.yml").write_text(yaml.safe_dump(content))
    engine = Engine.from_policy(path)
    engine.respond_sync("I am going to kill myself tonight", conversation_id="c")
    held = engine.respond_sync("ok", conversation_id="c")
    engine.close_sync()
    assert held.reply.text.startswith("OWN TEXT")


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_every_scripted_text_keeps_the_rules_a_string_can_show(locale: str) -> None:
    book = load_replies([POLICIES / "replies"], locale)
    for key in book.keys:
        for script in book.variants(key):
            assert not any(char.isdigit() for char in script.text), script.id
            if key.startswith(("crisis/imminent", "crisis/high", "crisis/moderate", "crisis/some")):
                assert "{{helplines}}" in script.text, script.id
            if key.startswith(("crisis/imminent", "crisis/someone_else")):
                assert "{{emergency}}" in script.text, script.id
            for banned in ("commit suicide", "committed suicide", "failed attempt", "I promise"):
                assert banned not in script.text, script.id
