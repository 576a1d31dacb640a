"""What the OpenAI and vLLM responders can be told in a policy."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from sanad_core.schema import Duration, Options

__all__ = ["OpenAIOptions", "VllmOptions"]

SECRET: dict[str, Any] = {"secret": True}


class OpenAIOptions(Options):
    """Options of `openai`."""

    model: str = Field("gpt-4o-mini", min_length=1, description="as the server names it")
    base_url: str | list[str] = Field(
        "https://api.openai.com/v1", description="where it is; several: the next where one fails"
    )
    endpoint: str | list[str] | None = Field(
        None, description="endpoints of sanad.yml, in place of base_url and api_key"
    )
    api_key: str | None = Field(None, description="only as ${NAME}", json_schema_extra=SECRET)
    persona: str | None = Field(
        None, description="a persona file, relative to the policy; default: the packaged one"
    )
    allow_titles: bool = Field(
        False, description="let the persona be called a therapist, counsellor or doctor"
    )
    max_tokens: int = Field(220, ge=1, le=4000, description="of one reply")
    temperature: float = Field(0.5, ge=0, le=2)
    context_tokens: int = Field(1500, ge=0, description="of the conversation before the message")
    connect: Duration = Field("2s", description="until the server is reached")
    first_token: Duration = Field("5s", description="until it begins to answer")
    idle: Duration = Field("3s", description="between two pieces of its answer")
    retries: int = Field(1, ge=0, le=5, description="per address, before its first token")
    failures: int = Field(4, ge=1, description="in a row, before an address is left alone")
    rest: Duration = Field("20s", description="for how long it is left alone")
    probe: bool = Field(False, description="ask /health before an address is tried again")

    @model_validator(mode="after")
    def _addresses(self) -> OpenAIOptions:
        for url in [self.base_url] if isinstance(self.base_url, str) else self.base_url:
            if not url.startswith(("http://", "https://")):
                raise ValueError("base_url must begin with http:// or https://")
        if not self.base_url or self.endpoint == []:
            raise ValueError("name at least one address")
        return self


class VllmOptions(OpenAIOptions):
    """Options of `vllm`: the same, for a server of your own."""

    model: str = Field("sanad", min_length=1, description="the name that the server serves")
    base_url: str | list[str] = Field(
        "http://127.0.0.1:8000/v1", description="where it is; several: the next where one fails"
    )
    probe: bool = Field(True, description="ask /health before an address is tried again")
