"""Which models think before they answer, told by their names, and how each family is asked to."""

from __future__ import annotations

import re
from typing import Any, Final

# Zhipu: https://docs.bigmodel.cn/cn/guide/capabilities/thinking
_GLM_SWITCHABLE: Final = re.compile(r"(^|/)glm-(4\.[5-9]|[5-9])", re.IGNORECASE)
_QWEN_SWITCHABLE: Final = re.compile(
    r"(^|/)(qwen3(?!.*(instruct|coder))|qwen-(plus|turbo|flash)|qwq)", re.IGNORECASE
)
_ALWAYS: Final = re.compile(
    r"(^|/)glm-(z1|4\.1v-thinking)|reasoner|thinking|deepseek-r1|-r1\b|(^|/)qwq|(^|/)o[134](-|$)|(^|/)gpt-5|gpt-oss"
    r"|magistral",
    re.IGNORECASE,
)


def can_think(model: str) -> bool:
    """Tell whether a model of that name can write down its reasoning first."""
    return bool(_ALWAYS.search(model) or is_switchable(model))


def is_switchable(model: str) -> bool:
    """Tell whether the model thinks or does not as the request says, in Zhipu's way."""
    return bool(_GLM_SWITCHABLE.search(model))


def switch(model: str, *, wanted: bool) -> dict[str, Any]:
    """Return what a request to an OpenAI-compatible server says about thinking; nothing where no such word is known."""
    if is_switchable(model):
        return {"thinking": {"type": "enabled" if wanted else "disabled"}}
    if _QWEN_SWITCHABLE.search(model) and "thinking" not in model.lower():
        return {"enable_thinking": wanted}
    return {}
