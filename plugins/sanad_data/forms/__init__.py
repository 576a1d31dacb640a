"""The forms that conversations come in, one small module per family."""

from __future__ import annotations

from sanad_data.forms.answers import COUNSEL_CHAT, FAQ
from sanad_data.forms.chats import CHAT
from sanad_data.forms.dialogues import ANNOMI, EMPATHETIC, ESCONV
from sanad_data.forms.forum import FORUM
from sanad_data.forms.guide import GUIDE
from sanad_data.forms.guidelines import GUIDELINE
from sanad_data.forms.posts import DREADDIT
from sanad_data.forms.reddit import REDDIT
from sanad_data.forms.subtitles import SUBTITLES
from sanad_data.forms.transcripts import TRANSCRIPT

__all__ = ["FORMS"]

FORMS = {
    form.name: form
    for form in (
        GUIDE, COUNSEL_CHAT, ESCONV, FAQ, EMPATHETIC, ANNOMI, DREADDIT, REDDIT, FORUM,
        TRANSCRIPT, SUBTITLES, GUIDELINE, CHAT,
    )
}  # fmt: skip
