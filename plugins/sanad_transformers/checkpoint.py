"""A causal checkpoint: loaded once for all who use it, asked on a thread, stopped when told."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from sanad_core.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sanad_persona import Message

__all__ = ["Checkpoint", "Source"]

# How a talk is written down for a model that knows no form of its own, such as GPT-2 or DialoGPT.
PERSON, BOT = "Person:", "Supporter:"
DEFAULT_LENGTH = 1024  # tokens, for a model that does not say how many it can read


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to load, and how.

    Args:
        model: a folder or a hub id.
        adapter: a PEFT adapter's folder.
        dtype: auto, float32, bfloat16 or int8.
        device: cpu, cuda, … or auto.
    """

    model: str
    adapter: str | None
    dtype: str
    device: str


class Checkpoint:
    """A loaded model and its tokenizer.

    Args:
        source: what to load.

    Raises:
        ContentError: there is no such checkpoint, or it cannot be used.
    """

    _loaded: ClassVar[WeakValueDictionary[Source, Checkpoint]] = WeakValueDictionary()
    _loading = threading.Lock()

    def __init__(self, source: Source) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        device = source.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype: Any = {"float32": torch.float32, "bfloat16": torch.bfloat16}.get(
            source.dtype, "auto"
        )
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(source.model)
            model: Any = AutoModelForCausalLM.from_pretrained(source.model, dtype=dtype)
            if source.adapter is not None:
                model = _adapted(model, source.adapter)
        except (OSError, ValueError, KeyError) as err:
            message = (
                f"cannot be loaded as a causal checkpoint ({type(err).__name__}); name a folder "
                "that save_pretrained wrote, or a hub id that this machine can reach"
            )
            raise ContentError.about(source.model, message) from None
        self._model = (_int8(model) if source.dtype == "int8" else model).to(device)
        self._model.eval()
        self._device = device
        self._turn = threading.Lock()  # one reply at a time: the cores are all used by one
        config = self._model.config
        length = getattr(config, "max_position_embeddings", None) or getattr(
            config, "n_positions", 0
        )
        self.length = int(length or DEFAULT_LENGTH)

    @classmethod
    def of(cls, source: Source) -> Checkpoint:
        """The checkpoint, loaded once."""
        with cls._loading:
            found = cls._loaded.get(source)
            if found is None:
                found = cls._loaded[source] = cls(source)
            return found

    def count(self, text: str) -> int:
        """How many tokens a text is."""
        return len(self.tokenizer.encode(text, add_special_tokens=False))

    def tokens(self, messages: Sequence[Message], room: int) -> Any:
        """A prompt as the model wants it: by its own template, or as a plain script.

        Args:
            messages: system, user and assistant in turn.
            room: tokens that must be left for the reply.
        """
        if getattr(self.tokenizer, "chat_template", None):
            ids = self._templated([{"role": m.role, "content": m.content} for m in messages])
        else:
            ids = self.tokenizer.encode(_script(messages))
        most = max(self.length - room, 1)
        return ids if len(ids) <= most else ids[-most:]

    def _templated(self, chat: list[dict[str, str]]) -> Any:
        from jinja2 import TemplateError

        options: dict[str, Any] = {"add_generation_prompt": True, "tokenize": False}
        try:
            text = self.tokenizer.apply_chat_template(chat, **options)
        except TemplateError:  # some templates know no system message
            system, first, *rest = chat
            joined = {"role": "user", "content": f"{system['content']}\n\n{first['content']}"}
            text = self.tokenizer.apply_chat_template([joined, *rest], **options)
        return self.tokenizer.encode(text, add_special_tokens=False)

    def loss(self, ids: Any, labels: Any) -> float:
        """The mean loss of tokens, those labelled -100 left out."""
        given = self._model(input_ids=ids.to(self._device), labels=labels.to(self._device))
        return float(given.loss)

    def write(
        self,
        ids: Sequence[int],
        give: Callable[[str], None],
        stopped: threading.Event,
        *,
        most: int,
        temperature: float,
    ) -> bool:
        """Write a reply; blocks until it is done.

        Args:
            ids: the prompt's tokens.
            give: takes the reply's text, piece by piece, without special tokens.
            stopped: set it to make the model stop.
            most: tokens of the reply.
            temperature: 0 for the likeliest word each time.

        Returns:
            Whether it came to an end of its own; else it was cut off.
        """
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList, TextStreamer

        script = not getattr(self.tokenizer, "chat_template", None)

        class Pieces(TextStreamer):
            def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
                give(text)

        class Stop(StoppingCriteria):
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                told = stopped.is_set()
                return torch.full((input_ids.shape[0],), told, device=input_ids.device)

        given = torch.tensor([list(ids)], device=self._device)
        sampling: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None}
        if temperature:
            sampling = {"do_sample": True, "temperature": temperature}
        with self._turn, torch.inference_mode():
            if stopped.is_set():
                return False
            found = self._model.generate(
                given,
                attention_mask=torch.ones_like(given),
                max_new_tokens=most,
                streamer=Pieces(self.tokenizer, skip_prompt=True, skip_special_tokens=True),
                stopping_criteria=StoppingCriteriaList([Stop()]),
                pad_token_id=self.tokenizer.eos_token_id,
                repetition_penalty=1.1 if script else 1.0,
                **sampling,
            )
        return bool(found.shape[1] - given.shape[1] < most)


def _adapted(model: Any, adapter: str) -> Any:
    import importlib.util

    from sanad_core.errors import MissingExtra

    if importlib.util.find_spec("peft") is None:
        raise MissingExtra("transformers", "train")
    from peft import PeftModel

    if not Path(adapter).is_dir():
        raise ContentError.about(adapter, "no such folder; name one that PEFT wrote")
    return PeftModel.from_pretrained(model, adapter).merge_and_unload()


def _int8(model: Any) -> Any:
    """The linear layers' weights as 8-bit integers, in place: a quarter of the memory."""
    import importlib.util

    from sanad_core.errors import MissingExtra

    if importlib.util.find_spec("torchao") is None:
        raise MissingExtra("transformers", "int8")
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    quantize_(model, Int8WeightOnlyConfig())
    return model


def _script(messages: Sequence[Message]) -> str:
    names = {"user": PERSON, "assistant": BOT}
    lines = [f"{names[m.role]} {m.content}" if m.role in names else m.content for m in messages]
    return "\n".join((*lines, BOT))
